"""Pictures, clips and embeddings by their form: nobody's may lie in clear, whoever is looked for."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.compliance.privacy.search import Look, Pattern

#: Numbers of the size of an embedding's, one after another; the smallest in use has 128.
RUN = 64
#: Exponents of float32 and float64 for 2^-24 ≤ |x| < 1, to which parts of embeddings belong.
_SINGLE = (103, 126)
_DOUBLE = (999, 1022)

_JPEG = re.compile(
    rb"\xff\xd8\xff(?:\xe0..JFIF\0|\xe1..(?:Exif\0|http)|\xdb\0[\x43\x84]|\xee..Adobe)", re.DOTALL
)
_MATROSKA = re.compile(rb"\x1a\x45\xdf\xa3.{1,90}?(?:webm|matroska)", re.DOTALL)
_FTYP = re.compile(rb"ftyp(?:isom|iso[2-9]|mp4[12]|avc1|qt  |M4V |heic|heix|mif1|avif|3gp\d)")
_NUMBERS = re.compile(rb"(?:-?\d?\.\d{3,20}(?:[eE]-?\d{1,3})?\s{0,8},\s{0,8}){31}")


def picture_marks() -> list[Pattern]:
    """Beginnings of JPEG, PNG, WebP, WebM and MP4, raw and in base64."""
    return [
        Pattern(b"\xff\xd8\xff", "JPEG", lambda seen, first: first or bool(_JPEG.match(seen))),
        Pattern(b"\x89PNG\r\n\x1a\n", "PNG"),
        Pattern(b"RIFF", "WebP", lambda seen, _: seen[8:12] == b"WEBP"),
        Pattern(b"\x1a\x45\xdf\xa3", "WebM", lambda seen, _: bool(_MATROSKA.match(seen))),
        Pattern(b"ftyp", "MP4", lambda seen, _: bool(_FTYP.match(seen))),
        Pattern(b"/9j/", "JPEG base64", lambda seen, _: bool(_JPEG.match(_decoded(seen)))),
        Pattern(b"iVBORw0KGgo", "PNG base64"),
        Pattern(b"UklGR", "WebP base64", lambda seen, _: _decoded(seen)[8:12] == b"WEBP"),
        Pattern(b"GkXfo", "WebM base64", lambda seen, _: bool(_MATROSKA.match(_decoded(seen)))),
    ]


def embedding_looks() -> tuple[Look, ...]:
    """Runs of numbers as only embeddings have them: float32, float64, or written out in JSON."""
    return (_single, _double, _written)


def _decoded(seen: bytes) -> bytes:
    text = re.match(rb"[A-Za-z0-9+/\-_]*", seen)
    whole = text[0] if text else b""
    try:
        return base64.b64decode(whole[: len(whole) // 4 * 4], altchars=None)
    except binascii.Error:
        return b""


def _single(data: bytes) -> Iterable[str]:
    return _runs(data, np.dtype("<u4"), 23, 0xFF, _SINGLE, "embedding-like float32")


def _double(data: bytes) -> Iterable[str]:
    return _runs(data, np.dtype("<u8"), 52, 0x7FF, _DOUBLE, "embedding-like float64")


def _runs(
    data: bytes, kind: np.dtype[Any], shift: int, mask: int, exponents: tuple[int, int], label: str
) -> Iterator[str]:
    """One label for each run, at whatever alignment."""
    if len(data) < RUN * kind.itemsize:
        return
    low, high = exponents
    for offset in range(kind.itemsize):
        count = (len(data) - offset) // kind.itemsize
        numbers = np.frombuffer(data, dtype=kind, offset=offset, count=count)
        exponent = (numbers >> kind.type(shift)) & kind.type(mask)
        alike = (exponent >= low) & (exponent <= high)
        for start, end in _stretches(alike):
            if _varied(numbers[start:end], kind.itemsize * 8 - 1):
                yield label


def _stretches(alike: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Where at least RUN stand together."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], alike, [False])).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    for index in np.flatnonzero(ends - starts >= RUN):
        yield int(starts[index]), int(ends[index])


def _varied(numbers: NDArray[Any], sign_bit: int) -> bool:
    """Both signs, hardly two alike: no padding, no text, no counter."""
    negative = float(np.mean(numbers >> numbers.dtype.type(sign_bit)))
    return 0.1 < negative < 0.9 and len(np.unique(numbers)) > 0.75 * len(numbers)


def _written(data: bytes) -> Iterator[str]:
    for found in _NUMBERS.finditer(data):
        if b"-" in found[0]:
            yield "embedding-like numbers"
