"""Finds many byte strings in a stream, each wherever it stands, in one pass and little memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

#: Read at once. Twice this is in memory.
PIECE = 1024 * 1024
#: Kept from piece to piece, so that nothing is missed that lies across; the longest pattern.
OVERLAP = 4096
_KEY = 3

#: Looks at the bytes from a place on (and whether it is the stream's start) and says whether it is meant.
Confirm = Callable[[bytes, bool], bool]
#: Looks at a whole piece by other means; labels with their numbers.
Look = Callable[[bytes], Iterable[str]]


@dataclass(frozen=True, repr=False)
class Pattern:
    """wanted: 3 bytes or more; label: what is told instead. confirm: looks at 128 bytes from there."""

    wanted: bytes
    label: str
    confirm: Confirm | None = None

    def __post_init__(self) -> None:
        if not _KEY <= len(self.wanted) <= OVERLAP:
            raise ValueError(f"a pattern is {_KEY} to {OVERLAP} bytes long")


class Search:
    """Patterns, ready to be looked for. A table of all three-byte beginnings says where to look closer."""

    def __init__(self, patterns: Iterable[Pattern], looks: Iterable[Look] = ()) -> None:
        self._by_key: dict[bytes, list[Pattern]] = {}
        self._begins = np.zeros(1 << 24, dtype=np.bool_)
        self._looks = tuple(looks)
        for pattern in patterns:
            key = pattern.wanted[:_KEY]
            self._by_key.setdefault(key, []).append(pattern)
            self._begins[int.from_bytes(key, "big")] = True

    def count(self, pieces: Iterable[bytes]) -> Counter[str]:
        """How often each label was found in the stream."""
        found: Counter[str] = Counter()
        held, at_start = b"", True
        for piece in pieces:
            held += piece
            if len(held) >= PIECE + OVERLAP:
                found += self._in(held, len(held) - OVERLAP, at_start)
                held, at_start = held[-OVERLAP:], False
        return found + self._in(held, len(held), at_start)

    def _in(self, data: bytes, until: int, at_start: bool) -> Counter[str]:
        """Labels of what begins before `until`."""
        found: Counter[str] = Counter()
        for look in self._looks:
            found.update(look(data))
        for place in self._candidates(data, until):
            for pattern in self._by_key[data[place : place + _KEY]]:
                if data.startswith(pattern.wanted, place) and (
                    pattern.confirm is None
                    or pattern.confirm(data[place : place + 128], at_start and place == 0)
                ):
                    found[pattern.label] += 1
        return found

    def _candidates(self, data: bytes, until: int) -> list[int]:
        if len(data) < _KEY or not self._by_key:
            return []
        raw = np.frombuffer(data, dtype=np.uint8).astype(np.uint32)
        keys = (raw[:-2] << 16) | (raw[1:-1] << 8) | raw[2:]
        places: list[int] = np.flatnonzero(self._begins[keys[:until]]).tolist()
        return places


def pieces_of(file: BinaryIO) -> Iterator[bytes]:
    """What a file holds, piece by piece."""
    while piece := file.read(PIECE):
        yield piece
