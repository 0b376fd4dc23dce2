"""What a face is to the rest of the program, and the ports that find, follow and recognise one.

Nothing heavy is imported here, so that any module may use these types.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from activation.evidence import ModelRef

SKIN_POINTS = 468
"""MediaPipe's mesh has these first, then 5 points for each iris."""
MESH_POINTS = 478


@dataclass(frozen=True, eq=False, repr=False)
class Face:
    """One face as a mesh of landmarks.

    `points` is (478, 3) float32: x and y in pixels of the image it was found in (may lie outside of it),
    z in the same scale, negative towards the camera. z is the model's guess, also for a flat photo, so
    nothing that judges depth may use it.
    """

    points: NDArray[np.float32]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 in pixels around the skin points."""
        x0, y0 = self.points[:SKIN_POINTS, :2].min(axis=0)
        x1, y1 = self.points[:SKIN_POINTS, :2].max(axis=0)
        return float(x0), float(y0), float(x1), float(y1)

    @property
    def size(self) -> float:
        """Diagonal of the box in pixels."""
        x0, y0, x1, y1 = self.box
        return float(np.hypot(x1 - x0, y1 - y0))

    @property
    def centre(self) -> tuple[float, float]:
        x0, y0, x1, y1 = self.box
        return (x0 + x1) / 2, (y0 + y1) / 2

    def moved(self, dx: float, dy: float, scale: float = 1.0) -> Face:
        """The same face in an image where (x, y) lies at (x * scale + dx, y * scale + dy)."""
        points = self.points * np.float32(scale)
        points[:, :2] += np.array([dx, dy], dtype=np.float32)
        return Face(points)


@dataclass(frozen=True)
class Pose:
    """Where a head points, in degrees. yaw > 0: the person turns to their own left; pitch > 0: looks up;
    roll > 0: the head tilts towards the person's own left shoulder."""

    yaw: float
    pitch: float
    roll: float


class FaceTracker(Protocol):
    """Follows the faces of one video. One for each check; not shared between threads."""

    def track(self, bgr: NDArray[np.uint8], t_ms: int) -> list[Face]:
        """Faces in the next frame, (H, W, 3) BGR, largest first.

        ValueError where `t_ms` does not increase.
        """
        ...

    def close(self) -> None: ...


class FaceFinder(Protocol):
    """Finds faces in a still, also small ones such as the portrait on a card in the hand. Thread-safe."""

    def find(self, bgr: NDArray[np.uint8]) -> list[Face]:
        """Faces in (H, W, 3) BGR, largest first."""
        ...

    def close(self) -> None: ...


class Recogniser(Protocol):
    """Turns a face into an embedding. Thread-safe."""

    @property
    def model(self) -> ModelRef: ...

    def embed(self, bgr: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
        """Embedding of `face` in `bgr` (H, W, 3), float32 of unit length."""
        ...


def similarity(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Cosine of two embeddings of one recogniser, -1..1. ValueError where they cannot be compared."""
    if a.shape != b.shape:
        raise ValueError("embeddings of different lengths come from different models")
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    if not np.isfinite(norm) or norm == 0.0:
        raise ValueError("an embedding must be finite and not zero")
    return float(np.clip(np.dot(a.astype(np.float64), b.astype(np.float64)) / norm, -1.0, 1.0))


def largest_first(faces: Sequence[Face]) -> list[Face]:
    return sorted(faces, key=lambda face: face.size, reverse=True)
