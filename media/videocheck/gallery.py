"""What is kept of the frames: a few pictures and the sampled embeddings, both bounded."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from media.images import Photo, encode_jpeg
from media.videocheck import limits
from media.videocheck.measured import Keyframe


class Gallery:
    """One for each check. Threads may add; the session reads when all of them have finished."""

    def __init__(self) -> None:
        self._keyframes: dict[str, Keyframe] = {}
        self._challenge: list[NDArray[np.float32]] = []
        self._cards: list[NDArray[np.float32]] = []

    @property
    def keyframes(self) -> tuple[Keyframe, ...]:
        """In the order of their time."""
        return tuple(sorted(self._keyframes.values(), key=lambda kept: kept.t_ms))

    @property
    def embeddings(self) -> tuple[NDArray[np.float32], ...]:
        """What is compared, the most typical face of the challenge first: the others are held against it.

        Every sample of the challenge is there, so whoever does a movement is compared however short they are
        seen. While cards are shown a hand or a raised card may spoil one sample, the least alike; no second.
        """
        if not self._challenge:
            return tuple(self._cards)
        typical, *others = _typical_first(self._challenge)
        cards = self._cards
        if len(others) + len(cards) > 1:  # of two samples none is left out
            cards = sorted(cards, key=lambda each: float(each @ typical))[1:]
        return (typical, *others, *cards)

    @property
    def live(self) -> NDArray[np.float32] | None:
        """Mean direction of the faces seen during the challenge, unit length; None: none was sampled."""
        if not self._challenge:
            return None
        mean = np.mean(self._challenge, axis=0)
        norm = float(np.linalg.norm(mean))
        return np.asarray(mean / norm, dtype=np.float32) if norm > 0 else None

    def keep(self, kind: str, t_ms: int, bgr: NDArray[np.uint8], *, newest: bool = False) -> None:
        """One picture of each kind, the first or, with `newest`, the last one given."""
        known = kind in self._keyframes
        if (known and not newest) or (not known and len(self._keyframes) >= limits.MAX_KEYFRAMES):
            return
        # A large stream must not leave a check without pictures: what is too heavy is kept smaller.
        while len(jpeg := encode_jpeg(Photo(bgr))) > limits.MAX_KEYFRAME_BYTES:
            height, width = bgr.shape[:2]
            half = cv2.resize(bgr, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
            bgr = np.asarray(half, dtype=np.uint8)
        self._keyframes[kind] = Keyframe(kind, t_ms, jpeg)

    def add_embedding(self, embedding: NDArray[np.float32], *, of_challenge: bool) -> None:
        """A sampled face, unit length."""
        if len(self._challenge) + len(self._cards) < limits.MAX_EMBEDDINGS:
            (self._challenge if of_challenge else self._cards).append(embedding)


def _typical_first(samples: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """The sample that is most like all others, then these. Never a mean: of two people it is like both."""
    every = np.stack(samples)
    typical = int(np.argmax((every @ every.T).sum(axis=1)))
    return [samples[typical], *samples[:typical], *samples[typical + 1 :]]
