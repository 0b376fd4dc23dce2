"""Films for cameras that cannot hear: Chromium's fake device plays them as `.mjpeg` or `.y4m`.

The server goes on as soon as a movement is done, and gives each of them eight seconds. So every movement is
made once, at times that lie inside of its window whether the connection took one second or five.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from app.studio.performance import AT_REST, Moment, Showing, moving, showing
from app.studio.pixels import Image, to_jpeg
from app.studio.scene import Scene
from media.liveness import Movement

MJPEG_FPS = 30
"""Chromium plays every `.mjpeg` at 30 frames a second."""
LONGEST_S = 180.0


@dataclass(frozen=True)
class FilmTiming:
    """Seconds: at rest before the first movement, between the starts of two movements, and of each card."""

    lead_in: float = 6.5
    per_movement: float = 4.5
    document: float = 12.0
    sim: float = 12.0

    def length(self, movements: int) -> float:
        return self.lead_in + movements * self.per_movement + self.document + self.sim


USUAL_TIMING = FilmTiming()


def film(
    scene: Scene,
    movements: Sequence[Movement],
    path: Path,
    timing: FilmTiming = USUAL_TIMING,
    fps: int = MJPEG_FPS,
) -> float:
    """Write the whole check as `path` (.mjpeg or .y4m) and return its length in seconds.

    ValueError for another suffix, for `.mjpeg` at other than 30 frames a second, and above three minutes.
    """
    if path.suffix not in (".mjpeg", ".y4m") or (path.suffix == ".mjpeg" and fps != MJPEG_FPS):
        raise ValueError("a film is .y4m, or .mjpeg at 30 frames a second")
    seconds = timing.length(len(movements))
    if seconds > LONGEST_S:
        raise ValueError("no check takes longer than three minutes")
    frames = _frames(scene, movements, timing, round(seconds * fps), fps)
    with path.open("wb") as file:
        if path.suffix == ".y4m":
            width, height = scene.size
            file.write(f"YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C420jpeg\n".encode())
        for frame in frames:
            file.write(to_jpeg(frame) if path.suffix == ".mjpeg" else _y4m_frame(frame))
    return seconds


def moment_of_film(
    seconds: float, movements: Sequence[Movement], timing: FilmTiming, nod_up: float
) -> Moment:
    """What is done `seconds` after the film began."""
    since = seconds - timing.lead_in
    if since < 0:
        return AT_REST
    index = int(since // timing.per_movement)
    if index < len(movements):
        return moving(movements[index], since - index * timing.per_movement, nod_up)
    since -= len(movements) * timing.per_movement
    if since < timing.document:
        return showing(Showing.ID_FRONT, since)
    return showing(Showing.SIM, since - timing.document)


def _frames(
    scene: Scene, movements: Sequence[Movement], timing: FilmTiming, count: int, fps: int
) -> Iterator[Image]:
    for number in range(count):
        seconds = number / fps
        yield scene.frame(seconds, moment_of_film(seconds, movements, timing, scene.nod_up))


def _y4m_frame(bgr: Image) -> bytes:
    return b"FRAME\n" + bytes(cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420).tobytes())
