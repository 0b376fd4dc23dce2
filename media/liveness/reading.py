"""One face in one frame as the few numbers that movements are measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from media.faces import Face, eye_aspect_ratio, head_pose, mouth_opening
from media.liveness.measured import Baseline

Shape = Sequence[int]


@dataclass(frozen=True)
class Reading:
    """`x`, `y`: centre of the face as a share of the frame; `size`: its diagonal over the shorter side."""

    t_ms: int
    yaw: float
    pitch: float
    eyes: float
    mouth: float
    size: float
    x: float
    y: float


def read_face(face: Face, shape: Shape, t_ms: int) -> Reading:
    """Reads `face` in a frame of `shape` (H, W, ...). ValueError where the landmarks make no head."""
    height, width = shape[0], shape[1]
    pose = head_pose(face, width, height)
    x, y = face.centre
    return Reading(
        t_ms=t_ms,
        yaw=pose.yaw,
        pitch=pose.pitch,
        eyes=eye_aspect_ratio(face),
        mouth=mouth_opening(face),
        size=face.size / min(width, height),
        x=x / width,
        y=y / height,
    )


def baseline_of(readings: Sequence[Reading]) -> Baseline:
    """The middle of each measure over the frames of the hold."""
    return Baseline(
        yaw=median(r.yaw for r in readings),
        pitch=median(r.pitch for r in readings),
        eyes=median(r.eyes for r in readings),
        mouth=median(r.mouth for r in readings),
        size=median(r.size for r in readings),
        frames=len(readings),
    )
