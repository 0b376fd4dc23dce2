"""Frames as they come in: every one is taken from the track at once, only the newest is kept.

The queue inside aiortc's track has no bound; a consumer slower than the phone would fill the memory
(400 MB in eight seconds were seen), so draining never waits for analysis.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray

from media.webrtc.pace import Bucket

FRAMES_PER_SECOND = 60
FRAMES_AT_ONCE = 120
"""A phone whose network stumbles delivers what it held back in one go."""
SHORTEST_SIDE = 160
"""Pixels; a smaller picture shows no face that could be measured and is dropped."""


class IntakeEnd(StrEnum):
    """Why no more frames come."""

    TRACK_ENDED = "track_ended"
    FLOOD = "flood"


@dataclass(frozen=True, eq=False, repr=False)
class ReceivedFrame:
    """One decoded frame. number counts from 1; t_ms is its arrival since the intake began, increasing."""

    number: int
    t_ms: int
    width: int
    height: int
    _frame: Any

    def pixels(self) -> NDArray[np.uint8]:
        """(height, width, 3) BGR. Converts each time (0.5 ms for 640 × 480): call it in a worker, once."""
        return np.asarray(self._frame.to_ndarray(format="bgr24"), dtype=np.uint8)

    def resized(self, width: int, height: int) -> Any:
        """A frame of PyAV of that size, for an encoder; the frame itself where it has that size already."""
        return self._frame.reformat(width=width, height=height, format="yuv420p", interpolation="AREA")


@dataclass(frozen=True)
class IntakeCounts:
    """What the stream was like. clock_steps_back: frames whose RTP time did not increase."""

    frames: int
    too_small: int
    sizes: tuple[tuple[int, int], ...]
    size_changes: int
    clock_steps_back: int
    longest_gap_ms: int


class FrameIntake:
    """Drains one video track from its first frame on; `next` gives the newest frame once."""

    def __init__(self, track: MediaStreamTrack) -> None:
        self._track = track
        self._began = time.monotonic()
        self._newest: ReceivedFrame | None = None
        self._came = asyncio.Event()
        self._rate = Bucket(FRAMES_PER_SECOND, FRAMES_AT_ONCE)
        self._frames = self._too_small = self._size_changes = self._steps_back = self._longest_gap = 0
        self._sizes: dict[tuple[int, int], None] = {}
        self._last_size: tuple[int, int] | None = None
        self._last_pts = -1
        self._last_ms = -1
        self.ended: IntakeEnd | None = None
        self._task = asyncio.create_task(self._drain(), name="frame intake")

    async def next(self, seconds: float) -> ReceivedFrame | None:
        """The newest frame not given yet; None where none came within `seconds` or none will come."""
        if self._newest is None and self.ended is None:
            self._came.clear()
            try:
                await asyncio.wait_for(self._came.wait(), seconds)
            except TimeoutError:
                return None
        frame, self._newest = self._newest, None
        return frame

    def age_ms(self, frame: ReceivedFrame) -> int:
        """How long ago `frame` arrived."""
        return int((time.monotonic() - self._began) * 1000) - frame.t_ms

    @property
    def counts(self) -> IntakeCounts:
        """What came until now."""
        return IntakeCounts(
            self._frames,
            self._too_small,
            tuple(self._sizes),
            self._size_changes,
            self._steps_back,
            self._longest_gap,
        )

    async def close(self) -> None:
        """Stops draining; the peer must be closed as well, or its track fills up."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _drain(self) -> None:
        try:
            while True:
                frame: Any = await self._track.recv()
                if not self._rate.take(time.monotonic()):
                    self.ended = IntakeEnd.FLOOD
                    break
                self._take(frame)
        except MediaStreamError:
            self.ended = IntakeEnd.TRACK_ENDED
        self._came.set()
        await self._drop_the_rest()

    async def _drop_the_rest(self) -> None:
        """After a flood the track still fills until the peer is closed."""
        while self.ended is IntakeEnd.FLOOD:
            try:
                await self._track.recv()
            except MediaStreamError:
                return

    def _take(self, frame: Any) -> None:
        size = (int(frame.width), int(frame.height))
        now_ms = max(int((time.monotonic() - self._began) * 1000), self._last_ms + 1)
        if self._frames:
            self._longest_gap = max(self._longest_gap, now_ms - self._last_ms)
        self._frames += 1
        self._last_ms = now_ms
        self._size_changes += self._last_size not in (None, size)
        self._last_size = size
        if len(self._sizes) < FRAMES_AT_ONCE:
            self._sizes[size] = None
        pts = int(frame.pts or 0)
        self._steps_back += pts <= self._last_pts
        self._last_pts = pts
        if min(size) < SHORTEST_SIDE:
            self._too_small += 1
            return
        self._newest = ReceivedFrame(self._frames, now_ms, *size, frame)
        self._came.set()
