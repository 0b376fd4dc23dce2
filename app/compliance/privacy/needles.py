"""Needles: a person's data in each form in which some program could have written them down."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, quote_plus

import numpy as np

from app.compliance.privacy.search import Pattern

#: Shorter forms stand by chance in sealed bytes; those of other encodings are still looked for.
MIN_BYTES = 6
#: Numbers of an embedding that are looked for, from its start.
_FLOATS = 12
_FLOATS_AS_TEXT = 5


class Kind(StrEnum):
    NAME = "name"
    NUMBER = "number"
    ADDRESS = "address"
    PHONE = "phone"
    EMBEDDING = "embedding"


@dataclass(frozen=True, repr=False)
class Needle:
    """One datum of a person; its text is never shown."""

    kind: Kind
    text: str

    def patterns(self) -> Iterator[Pattern]:
        """Every form of at least MIN_BYTES, with its encoding's name."""
        for written in _spellings(self.kind, self.text):
            yield from _usable(self.kind, _forms(written))


@dataclass(frozen=True, repr=False)
class Embedding:
    """A face as numbers."""

    vector: Sequence[float]

    def patterns(self) -> Iterator[Pattern]:
        yield from _usable(Kind.EMBEDDING, self._forms())

    def _forms(self) -> Iterator[tuple[str, bytes]]:
        for size in ("<f4", "<f8", "<f2"):
            raw = np.asarray(self.vector[:_FLOATS], dtype=size).tobytes()
            yield f"float{int(size[-1]) * 8}", raw
            yield from _as_text(raw)
        for numbers in (self.vector, [float(np.float32(each)) for each in self.vector]):
            few = list(numbers[:_FLOATS_AS_TEXT])
            for separators in ((", ", ": "), (",", ":")):
                yield "numbers", json.dumps(few, separators=separators)[1:-1].encode()


def patterns_of(needles: Iterable[Needle | Embedding]) -> list[Pattern]:
    """All forms of all needles, each once."""
    found: dict[bytes, Pattern] = {}
    for needle in needles:
        for pattern in needle.patterns():
            found.setdefault(pattern.wanted, pattern)
    return list(found.values())


def _spellings(kind: Kind, text: str) -> Iterator[str]:
    text = text.strip()
    yield text
    if kind is Kind.PHONE and len(text) == 11:
        for between in (" ", "-"):
            yield between.join((text[:3], text[3:7], text[7:]))
    if kind is Kind.NUMBER and text.endswith("X"):
        yield text.lower()
    bare = "".join(text.split())
    if bare != text:
        yield bare


def _forms(text: str) -> Iterator[tuple[str, bytes]]:
    plain = text.encode()
    yield "utf-8", plain
    yield "utf-16", text.encode("utf-16-le")
    yield "utf-16", text.encode("utf-16-be")
    yield "gbk", text.encode("gb18030")
    yield "reversed", text[::-1].encode()
    yield "reversed", plain[::-1]
    escaped = json.dumps(text)[1:-1]
    yield "json", escaped.encode()
    yield "json", _upper_escapes(escaped).encode()
    for quoted in (quote(text), quote_plus(text), quote(text, encoding="gb18030")):
        yield "url", quoted.encode()
        yield "url", quoted.lower().encode()
    for raw in (plain, text.encode("utf-16-le"), text.encode("gb18030"), escaped.encode()):
        yield from _as_text(raw)


def _as_text(raw: bytes) -> Iterator[tuple[str, bytes]]:
    yield "hex", raw.hex().encode()
    yield "hex", raw.hex().upper().encode()
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield "base64", _inner(encode(b"\0" * offset + raw), offset, len(raw))


def _inner(encoded: bytes, offset: int, length: int) -> bytes:
    """The characters of base64 that depend on nothing but the needle's own bits."""
    first = -(-offset * 8 // 6)
    return encoded[first : (offset + length) * 8 // 6]


def _upper_escapes(escaped: str) -> str:
    return "\\u".join(
        part if index == 0 else part[:4].upper() + part[4:] for index, part in enumerate(escaped.split("\\u"))
    )


def _usable(kind: Kind, forms: Iterable[tuple[str, bytes]]) -> Iterator[Pattern]:
    for encoding, wanted in forms:
        if len(wanted) >= MIN_BYTES:
            yield Pattern(wanted, f"{kind} {encoding}")
