"""One spelling for names and document numbers, so that keyed hashes of the same person are equal."""

from __future__ import annotations

import unicodedata

#: Separators in the names of minorities and foreigners; documents and readers disagree about which one.
_DOTS = dict.fromkeys(map(ord, "·•‧∙⋅・･．.᛫⸱"))


def normal_name(name: str) -> str:
    """NFKC, without white space and name separators."""
    return "".join(unicodedata.normalize("NFKC", name).translate(_DOTS).split())


def normal_number(number: str) -> str:
    """NFKC, without white space, check character X in upper case (GB 11643)."""
    return "".join(unicodedata.normalize("NFKC", number).split()).upper()
