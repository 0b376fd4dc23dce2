"""A head made of landmarks that turns, nods, opens its mouth and blinks, for tests without a camera."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from media.faces import Face, open_finder

WIDTH, HEIGHT = 640, 480
SHAPE = (HEIGHT, WIDTH, 3)
_LOWER_LIP_AND_CHIN = (14, 17, 87, 178, 317, 402, 84, 314, 181, 405, 18, 200, 199, 175, 152, 148, 377)
_UPPER_LIDS = (160, 159, 158, 157, 161, 385, 386, 387, 388, 384)
_LOWER_LIDS = (144, 145, 153, 154, 163, 380, 374, 373, 390, 381)


@dataclass(frozen=True)
class Gesture:
    """Degrees as in `media.faces.Pose`; mouth 0 shut, 1 open; eyes 1 open, 0 shut; `near` scales the size."""

    yaw: float = 0.0
    pitch: float = 0.0
    mouth: float = 0.0
    eyes: float = 1.0
    near: float = 1.0
    x: float = 0.0
    flat: bool = False


@cache
def mesh() -> NDArray[np.float64]:
    """A person's mesh looking straight ahead, (478, 3), 90 units between the outer eye corners."""
    from skimage.data import astronaut

    picture = np.ascontiguousarray(astronaut()[:, :, ::-1])  # type: ignore[no-untyped-call]
    finder = open_finder()
    face = finder.find(picture)[0]
    finder.close()
    points = face.points.astype(np.float64)
    points -= points[[33, 263]].mean(axis=0)
    points *= 90.0 / np.linalg.norm(points[263] - points[33])
    across = points[263] - points[33]
    across /= np.linalg.norm(across)
    down = points[152] - points[10]
    down -= across * (down @ across)
    down /= np.linalg.norm(down)
    return np.asarray(points @ np.stack([across, down, np.cross(across, down)]).T)


def face(gesture: Gesture | None = None) -> Face:
    """The head as a camera 640 x 480 sees it."""
    gesture = gesture or Gesture()
    points = mesh().copy()
    if gesture.flat:
        points[:, 2] = points[:, 2].mean()
    points[list(_LOWER_LIP_AND_CHIN), 1] += 20.0 * gesture.mouth
    lids = (points[list(_UPPER_LIDS), 1] + points[list(_LOWER_LIDS), 1]) / 2
    for lid in (_UPPER_LIDS, _LOWER_LIDS):
        points[list(lid), 1] = lids + (points[list(lid), 1] - lids) * gesture.eyes
    yaw, pitch = np.radians([-gesture.yaw, -gesture.pitch])
    rotation = cv2.Rodrigues(np.array([0.0, yaw, 0.0]))[0] @ cv2.Rodrigues(np.array([pitch, 0.0, 0.0]))[0]
    seen = points @ rotation.T + np.array([gesture.x, -30.0, 480.0 / gesture.near])
    projected = seen[:, :2] / seen[:, 2:] * WIDTH + np.array([WIDTH / 2, HEIGHT / 2])
    depth = seen[:, 2:] - seen[:, 2:].mean()
    return Face(np.hstack([projected, depth]).astype(np.float32))


def ease(start: Gesture, end: Gesture, share: float) -> Gesture:
    """The gesture `share` of the way from `start` to `end`."""

    def between(a: float, b: float) -> float:
        return a + (b - a) * share

    return Gesture(
        yaw=between(start.yaw, end.yaw),
        pitch=between(start.pitch, end.pitch),
        mouth=between(start.mouth, end.mouth),
        eyes=between(start.eyes, end.eyes),
        near=between(start.near, end.near),
        x=between(start.x, end.x),
        flat=end.flat,
    )
