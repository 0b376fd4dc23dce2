"""One text in every language that the product speaks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Locale(StrEnum):
    """BCP 47 tags of the languages; the first is the one for everybody who asks for nothing else."""

    ZH_CN = "zh-CN"
    EN = "en"


@dataclass(frozen=True)
class Text:
    """The same sentence in Chinese and English."""

    zh: str
    en: str

    def in_(self, locale: Locale) -> str:
        return self.en if locale is Locale.EN else self.zh


MAX_HEADER = 200
"""Characters of an Accept-Language header that are looked at."""


def preferred_locale(accept_language: str) -> Locale:
    """The language an `Accept-Language` header (RFC 9110, 12.5.4) likes best; zh-CN if neither."""
    best, weight = Locale.ZH_CN, 0.0
    for part in accept_language[:MAX_HEADER].split(","):
        tag, _, parameters = part.strip().partition(";")
        primary = tag.partition("-")[0].strip().lower()
        spoken = {"zh": Locale.ZH_CN, "en": Locale.EN}.get(primary)
        liked = _quality(parameters)
        if spoken is not None and liked > weight:
            best, weight = spoken, liked
    return best


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if 0.0 <= quality <= 1.0 else 0.0
