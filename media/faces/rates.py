"""Error rates of a recogniser over pairs: FMR, FNMR and the thresholds that give them (ISO/IEC 19795-1)."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SEED = 20160525
"""Crossed pairs are the same in every run."""
_DRAWN_PER_PAIR = 4
"""So many are drawn for each wanted pair, because some turn out to be of one person or listed."""


@dataclass(frozen=True)
class Rates:
    """At one threshold: shares, 0..1. A similarity equal to the threshold is a match."""

    threshold: float
    fmr: float
    fnmr: float


class Scores:
    """Similarities of genuine and of impostor pairs."""

    def __init__(self, genuine: Sequence[float], impostor: Sequence[float]) -> None:
        if not genuine or not impostor:
            raise ValueError("rates need genuine and impostor pairs")
        self.genuine = np.sort(np.asarray(genuine, dtype=np.float64))
        self.impostor = np.sort(np.asarray(impostor, dtype=np.float64))

    def at(self, threshold: float) -> Rates:
        """Both rates at `threshold`."""
        above = len(self.impostor) - int(np.searchsorted(self.impostor, threshold, side="left"))
        below = int(np.searchsorted(self.genuine, threshold, side="left"))
        return Rates(threshold, above / len(self.impostor), below / len(self.genuine))

    def at_fmr(self, fmr: float) -> Rates:
        """The rates at the lowest threshold whose FMR is at most `fmr`."""
        allowed = int(fmr * len(self.impostor))
        if allowed >= len(self.impostor):
            return self.at(float(self.impostor[0]))
        return self.at(float(np.nextafter(self.impostor[len(self.impostor) - allowed - 1], np.inf)))

    def at_fnmr(self, fnmr: float) -> Rates:
        """The rates at the highest threshold whose FNMR is at most `fnmr`."""
        allowed = int(fnmr * len(self.genuine))
        return self.at(float(self.genuine[min(allowed, len(self.genuine) - 1)]))

    def curve(self, steps: int = 200) -> list[Rates]:
        """Rates at evenly spaced thresholds over everything that was seen."""
        lowest = min(self.genuine[0], self.impostor[0])
        highest = max(self.genuine[-1], self.impostor[-1])
        return [self.at(float(t)) for t in np.linspace(lowest, highest, steps)]


def crossed_pairs(
    identities: Sequence[str], listed: Collection[tuple[int, int]], wanted: int
) -> list[tuple[int, int]]:
    """Up to `wanted` pairs (i, j), i < j, of different identities and not `listed`; the same every time."""
    count = len(identities)
    total = count * (count - 1) // 2
    pairs: list[tuple[int, int]] = []
    drawn = min(total, _DRAWN_PER_PAIR * wanted)
    for rank in random.Random(_SEED).sample(range(total), drawn):  # noqa: S311 - no secret
        if len(pairs) >= wanted:
            break
        i, j = _pair_of(rank)
        if identities[i] != identities[j] and (i, j) not in listed:
            pairs.append((i, j))
    return pairs


def _pair_of(rank: int) -> tuple[int, int]:
    """The pair at `rank` in (0,1), (0,2), (1,2), (0,3), …"""
    j = int((1 + (1 + 8 * rank) ** 0.5) / 2)
    while j * (j - 1) // 2 > rank:
        j -= 1
    return rank - j * (j - 1) // 2, j


def similarities(embeddings: NDArray[np.float32], pairs: Sequence[tuple[int, int]]) -> list[float]:
    """Cosines of `pairs` of rows; `embeddings` is (n, d) of unit length."""
    if not pairs:
        return []
    left, right = np.array(pairs).T
    cosines = np.einsum("ij,ij->i", embeddings[left].astype(np.float64), embeddings[right])
    return [float(c) for c in np.clip(cosines, -1.0, 1.0)]
