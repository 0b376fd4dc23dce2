"""Is it one face from the baseline to the end? Breaks, jumps, second faces and embeddings."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from media.faces import Face, similarity
from media.liveness import limits
from media.liveness.measured import ContinuityMeasured


class Continuity:
    """Follows the face that the challenge started with."""

    def __init__(self) -> None:
        self._last: tuple[Face, int] | None = None
        self._since_ms: int | None = None
        self._gap_counted = False
        self._frames = 0
        self._without = 0
        self._longest_gap_ms = 0
        self._breaks = 0
        self._more = 0
        self._jumps = 0
        self._largest_jump = 0.0
        self._first_embedding: NDArray[np.float32] | None = None
        self._embedded = 0
        self._least: float | None = None

    def choose(self, faces: Sequence[Face]) -> tuple[Face | None, bool]:
        """The face to follow (the nearest to the last one, else the largest), and whether it is alone."""
        if not faces:
            return None, True
        if self._last is None:
            face = max(faces, key=lambda f: f.size)
        else:
            last = self._last[0]
            face = min(faces, key=lambda f: _moved(last, f))
        beside = [f for f in faces if f is not face and f.size >= limits.SECOND_FACE_SHARE * face.size]
        return face, not beside

    def feed(self, face: Face | None, alone: bool, t_ms: int) -> None:
        """Takes the next frame of the check."""
        self._frames += 1
        self._more += not alone
        if self._since_ms is None:
            self._since_ms = t_ms
        seen_at = self._last[1] if self._last is not None else self._since_ms
        self._note_gap(t_ms - seen_at, face is not None)
        if face is None:
            self._without += 1
            return
        if self._last is not None and t_ms - self._last[1] <= limits.LOST_MS:
            self._note_jump(self._last[0], face)
        self._last = (face, t_ms)
        self._gap_counted = False

    def add_embedding(self, embedding: NDArray[np.float32]) -> None:
        """Compares a sampled face with the first one."""
        self._embedded += 1
        if self._first_embedding is None:
            self._first_embedding = embedding
            return
        alike = similarity(self._first_embedding, embedding)
        self._least = alike if self._least is None else min(self._least, alike)

    def measured(self) -> ContinuityMeasured:
        return ContinuityMeasured(
            frames=self._frames,
            frames_without_face=self._without,
            longest_gap_ms=self._longest_gap_ms,
            breaks=self._breaks,
            frames_with_more_faces=self._more,
            largest_jump=self._largest_jump,
            jumps=self._jumps,
            embedded=self._embedded,
            least_similarity=self._least,
        )

    def _note_gap(self, gap_ms: int, back: bool) -> None:
        """A gap is counted once, while it lasts; frames that never came leave a gap too."""
        if gap_ms > limits.LOST_MS:
            self._longest_gap_ms = max(self._longest_gap_ms, gap_ms)
            if not self._gap_counted:
                self._breaks += 1
                self._gap_counted = not back

    def _note_jump(self, before: Face, now: Face) -> None:
        jump = _moved(before, now)
        self._largest_jump = max(self._largest_jump, jump)
        ratio = max(before.size, now.size) / max(1e-6, min(before.size, now.size))
        if jump > limits.JUMP or ratio > limits.JUMP_SIZE:
            self._jumps += 1


def _moved(before: Face, now: Face) -> float:
    """Distance of the centres in diagonals of the earlier face."""
    (x0, y0), (x1, y1) = before.centre, now.centre
    return math.hypot(x1 - x0, y1 - y0) / max(1e-6, before.size)
