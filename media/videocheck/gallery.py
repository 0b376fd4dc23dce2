"""What is kept of the frames: a few pictures and the sampled embeddings, both bounded."""

from __future__ import annotations

from itertools import pairwise

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
        self._embeddings: list[NDArray[np.float32]] = []
        self._of_challenge = 0

    @property
    def keyframes(self) -> tuple[Keyframe, ...]:
        """In the order of their time."""
        return tuple(sorted(self._keyframes.values(), key=lambda kept: kept.t_ms))

    @property
    def embeddings(self) -> tuple[NDArray[np.float32], ...]:
        """Of any two samples in a row the one that is more like the person of the challenge.

        A hand or a raised card spoils one sample; another person spoils more.
        """
        live, every = self.live, self._embeddings
        if live is None or len(every) < 3:  # of two, both are compared: a comparison is never left out
            return tuple(every)
        return tuple(max(pair, key=lambda each: float(each @ live)) for pair in pairwise(every))

    @property
    def live(self) -> NDArray[np.float32] | None:
        """Mean direction of the faces seen during the challenge, unit length; None: none was sampled."""
        if not self._of_challenge:
            return None
        mean = np.mean(self._embeddings[: self._of_challenge], axis=0)
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
        """A sampled face, in the order of time: those of the challenge come first."""
        if len(self._embeddings) >= limits.MAX_EMBEDDINGS:
            return
        self._embeddings.append(embedding)
        self._of_challenge += of_challenge
