"""Merkle trees as in RFC 6962, section 2.1: a leaf is hashed after 0x00, two nodes after 0x01.

Everything works on a stream of leaves and keeps as many hashes as the tree is high.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def head_leaf(chain: str, seq: int, entry_hash: str) -> bytes:
    """The leaf of a chain's head. entry_hash: 64 hex digits."""
    return leaf_hash(f"{chain}\n{seq}\n{entry_hash}".encode())


@dataclass
class Tree:
    """The root over leaves that come one after the other."""

    size: int = 0
    _full: list[bytes] = field(default_factory=list)  # roots of the full subtrees, largest first

    def add(self, leaf: bytes) -> None:
        """leaf: already hashed."""
        height, self.size = self.size, self.size + 1
        while height & 1:
            leaf, height = node_hash(self._full.pop(), leaf), height >> 1
        self._full.append(leaf)

    def root(self) -> bytes:
        """That of no leaf at all is the hash of nothing."""
        if not self._full:
            return sha256().digest()
        root = self._full[-1]
        for left in self._full[-2::-1]:
            root = node_hash(left, root)
        return root


class Path:
    """The audit path of leaf `index` of `size`, from all leaves in order (RFC 6962, 2.1.1)."""

    def __init__(self, index: int, size: int) -> None:
        if not 0 <= index < size:
            raise ValueError("no such leaf")
        self._wanted = _siblings(index, 0, size)  # nearest first, as the path is told
        self._trees = {lo: Tree() for lo, _ in self._wanted}
        self._ranges = sorted(self._wanted)
        self._at = 0

    def add_all(self, leaves: Iterable[bytes]) -> None:
        for leaf in leaves:
            while self._ranges and self._at >= self._ranges[0][1]:
                self._ranges.pop(0)
            if self._ranges and self._ranges[0][0] <= self._at:
                self._trees[self._ranges[0][0]].add(leaf)
            self._at += 1

    def hashes(self) -> list[bytes]:
        """Nearest sibling first. Call it after the last leaf."""
        return [self._trees[lo].root() for lo, _ in self._wanted]


def _siblings(index: int, lo: int, hi: int) -> list[tuple[int, int]]:
    """Ranges of leaves whose roots lead from one leaf to the root."""
    if hi - lo == 1:
        return []
    split = lo + (1 << (hi - lo - 1).bit_length() - 1)  # the largest power of two below the size
    if lo + index < split:
        return [*_siblings(index, lo, split), (split, hi)]
    return [*_siblings(lo + index - split, split, hi), (lo, split)]


def root_of_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that the path leads to (RFC 9162, 2.1.3.2); None where it does not fit index and size."""
    if not 0 <= index < size:
        return None
    at, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            root = node_hash(sibling, root)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        at, last = at >> 1, last >> 1
    return root if last == 0 else None
