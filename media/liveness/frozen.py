"""Is the stream moving pictures of now? Notices frozen frames and loops on thumbnails, keeps no frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from media.liveness import limits
from media.liveness.measured import FrozenMeasured

_WIDTH, _HEIGHT = 16, 12


class FrozenWatch:
    """Feed it the analysed frames of one check, in time order."""

    def __init__(self) -> None:
        self._thumbnails = np.zeros((limits.WATCHED_FRAMES, _WIDTH * _HEIGHT), dtype=np.float32)
        self._frames = 0
        self._still = 0
        self._repeated = 0
        self._still_since_ms: int | None = None
        self._last_ms = 0
        self._longest_still_ms = 0
        self._run_lag: int | None = None
        self._run_length = 0

    def feed(self, bgr: NDArray[np.uint8], t_ms: int) -> None:
        """Takes a frame (H, W, 3) at `t_ms`. Frames beyond `limits.WATCHED_FRAMES` are not looked at."""
        if self._frames >= limits.WATCHED_FRAMES:
            return
        index = self._frames
        small = cv2.resize(bgr, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
        thumbnail = np.asarray(small, dtype=np.float32).mean(axis=2).ravel()
        self._thumbnails[index] = thumbnail
        self._frames += 1
        if index > 0:
            step = _apart(self._thumbnails[index - 1], thumbnail)
            self._note_still(step, t_ms)
            self._note_loop(index, step)
        self._last_ms = t_ms

    def measured(self) -> FrozenMeasured:
        return FrozenMeasured(
            frames=self._frames,
            still=self._still,
            repeated=self._repeated,
            longest_still_ms=self._longest_still_ms,
        )

    def _note_still(self, step: float, t_ms: int) -> None:
        if step > limits.STILL_LEVELS:
            self._still_since_ms = None
            return
        self._still += 1
        if self._still_since_ms is None:
            self._still_since_ms = self._last_ms
        self._longest_still_ms = max(self._longest_still_ms, t_ms - self._still_since_ms)

    def _note_loop(self, index: int, step: float) -> None:
        """A loop keeps its distance in time; a person who comes back the same way does not."""
        if step < limits.MOVING_LEVELS:
            return  # too like its neighbour to tell which old frame it repeats
        lag = self._lag_of_repeated(index, step)
        if lag is None:
            self._run_lag, self._run_length = None, 0
            return
        if self._run_lag is None or abs(lag - self._run_lag) > limits.LOOP_DRIFT:
            self._run_lag, self._run_length = lag, 0
        self._run_length += 1
        if self._run_length == limits.LOOP_RUN:
            self._repeated += limits.LOOP_RUN
        elif self._run_length > limits.LOOP_RUN:
            self._repeated += 1

    def _lag_of_repeated(self, index: int, step: float) -> int | None:
        """How many frames ago the frame was that this one repeats, if any."""
        end = index - limits.LOOP_AGE
        if end <= 0:
            return None
        apart = np.sqrt(((self._thumbnails[:end] - self._thumbnails[index]) ** 2).mean(axis=1))
        nearest = int(apart.argmin())
        if self._run_lag is not None:
            # After two rounds a loop has several copies of each frame; the run goes on where it may.
            start = max(0, index - self._run_lag - limits.LOOP_DRIFT)
            around = apart[start : index - self._run_lag + limits.LOOP_DRIFT + 1]
            if around.size and float(around.min()) < limits.LOOP_SHARE * step:
                nearest = start + int(around.argmin())
        return index - nearest if float(apart[nearest]) < limits.LOOP_SHARE * step else None


def _apart(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Root mean square difference in levels of 0..255."""
    return float(np.sqrt(((a - b) ** 2).mean()))
