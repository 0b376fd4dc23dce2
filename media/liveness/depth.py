"""Tells a head from a flat picture by how its landmarks move when it is seen from an angle.

Two views of one plane are related by a homography, whatever the camera does. So a homography is fitted to the
points around the nose between the frontal face and a rotated one, and the measure is how far the nose then
lies from where that plane would have it. Only x and y are used: MediaPipe gives a flat photo a plausible z.
"""

from __future__ import annotations

import heapq
import math
from statistics import median_low

import cv2
import numpy as np
from numpy.typing import NDArray

from media.faces import Face
from media.liveness import limits
from media.liveness.measured import Baseline, DepthMeasured
from media.liveness.reading import Reading

# Forehead, temples and cheeks: points that keep their place when the eyes, brows and mouth move.
# fmt: off
_AROUND = (
    6, 8, 9, 10, 31, 34, 35, 36, 46, 49, 50, 64, 67, 69, 93, 100, 101, 102, 103, 108, 109, 111, 116,
    117, 118, 119, 120, 122, 123, 124, 127, 129, 137, 139, 142, 143, 147, 151, 156, 162, 168, 187, 193,
    203, 205, 224, 225, 227, 228, 234, 261, 264, 265, 266, 276, 279, 280, 294, 297, 299, 323, 329, 330,
    331, 332, 337, 338, 340, 345, 346, 347, 348, 349, 351, 352, 353, 356, 358, 366, 368, 371, 372, 376,
    383, 389, 411, 417, 423, 425, 444, 445, 447, 448, 454,
)
_NOSE = (
    1, 3, 4, 5, 19, 20, 44, 45, 51, 125, 195, 238, 241, 248, 250, 274, 275, 281, 354, 458, 461,
)
# fmt: on

Points = NDArray[np.float64]


class Depth:
    """Keeps the frontal face and the most rotated ones of one check."""

    def __init__(self) -> None:
        self._offered: list[tuple[Reading, Points]] = []
        self._frontal: Points | None = None
        self._rest: Baseline | None = None
        self._rotated: list[tuple[float, int, Points]] = []

    def offer_frontal(self, face: Face, reading: Reading) -> None:
        """A frame that may become the frontal view."""
        self._offered = [*self._offered[1 - limits.DEPTH_OFFERED :], (reading, _flat(face))]

    def settle(self, baseline: Baseline) -> None:
        """Takes the offered frame nearest to the person's rest as the frontal view."""
        _, self._frontal = min(
            self._offered,
            key=lambda o: abs(o[0].yaw - baseline.yaw) + abs(o[0].pitch - baseline.pitch),
        )
        self._rest = baseline
        self._offered.clear()

    def feed(self, face: Face, reading: Reading) -> None:
        """A later frame; kept where it is among the most rotated."""
        if self._frontal is None or self._rest is None:
            return
        points = _flat(face)
        turned = math.hypot(reading.yaw - self._rest.yaw, reading.pitch - self._rest.pitch)
        angle = max(squeeze_angle(self._frontal, points), limits.DEPTH_TURN_SHARE * turned)
        if angle >= limits.DEPTH_ANGLE:
            heapq.heappush(self._rotated, (angle, reading.t_ms, points))
            if len(self._rotated) > limits.DEPTH_FRAMES:
                heapq.heappop(self._rotated)

    def measured(self) -> DepthMeasured:
        frontal = self._frontal
        if frontal is None or not self._rotated:
            return DepthMeasured(residual=None, frames=0, rotation=0.0)
        ranked = sorted(self._rotated, reverse=True, key=lambda kept: kept[0])
        most = ranked[0][0]
        if len(ranked) < limits.DEPTH_LEAST_FRAMES:
            return DepthMeasured(residual=None, frames=len(ranked), rotation=most)
        near = sum(angle >= limits.DEPTH_NEAR_MOST * most for angle, _, _ in ranked)
        measured = ranked[: max(near, limits.DEPTH_LEAST_FRAMES)]
        residuals = [plane_residual(frontal, points) for _, _, points in measured]
        return DepthMeasured(residual=median_low(residuals), frames=len(residuals), rotation=most)


def squeeze_angle(frontal: Points, seen: Points) -> float:
    """Degrees by which a plane would have to be tilted to be foreshortened as the face is, 0..90."""
    columns = np.column_stack([frontal[list(_AROUND)], np.ones(len(_AROUND))])
    affine = np.linalg.lstsq(columns, seen[list(_AROUND)], rcond=None)[0][:2]
    longest, shortest = np.linalg.svd(affine)[1]
    return math.degrees(math.acos(min(1.0, float(shortest / longest)))) if longest > 0 else 0.0


def plane_residual(frontal: Points, seen: Points) -> float:
    """How far the nose lies from the plane of the face around it, in face diagonals of `seen`.

    Both are (478, 2) pixels. 0 for a perfect plane, also where no plane can be fitted.
    """
    plane, _ = cv2.findHomography(frontal[list(_AROUND)], seen[list(_AROUND)], 0)
    if plane is None:
        return 0.0
    expected = cv2.perspectiveTransform(frontal[None, list(_NOSE)], plane)[0]
    off = np.linalg.norm((expected - seen[list(_NOSE)]).mean(axis=0))
    size = np.linalg.norm(seen.max(axis=0) - seen.min(axis=0))
    return float(off / size) if size > 0 and np.isfinite(off) else 0.0


def _flat(face: Face) -> Points:
    return face.points[:, :2].astype(np.float64)
