"""Where a head points, from the landmarks and a rigid model of the head (perspective-n-point)."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from media.faces.face import Face, Pose

# Millimetres, outer eye corners 90 apart; x to the person's left, y down, z away from the camera; the origin
# lies between the outer eye corners. The mean of 500 landmark meshes of photographed faces after Procrustes
# alignment, made symmetric. Only points that keep still when the mouth opens, the eyes shut or brows rise.
_HEAD: dict[int, tuple[float, float, float]] = {
    168: (0.0, -5.1, -22.0),
    6: (0.0, 2.3, -27.0),
    197: (0.0, 9.1, -32.5),
    5: (0.0, 22.3, -44.6),
    4: (0.0, 30.8, -47.7),
    2: (0.0, 44.8, -31.2),
    98: (-18.1, 42.7, -22.6),
    327: (18.1, 42.7, -22.6),
    33: (-45.0, 0.0, 0.0),
    263: (45.0, 0.0, 0.0),
    133: (-18.0, 1.0, -5.5),
    362: (18.0, 1.0, -5.5),
    50: (-49.8, 32.5, -8.2),
    280: (49.8, 32.5, -8.2),
    117: (-52.8, 16.5, -0.8),
    346: (52.8, 16.5, -0.8),
    151: (0.0, -38.2, -18.2),
}
_POINTS = list(_HEAD)
_MODEL = np.array(list(_HEAD.values()), dtype=np.float64)
_FOCAL_OVER_LONG_SIDE = 1.0
"""Phones' front cameras see about 50 to 60 degrees along the long side."""


def head_pose(face: Face, width: int, height: int) -> Pose:
    """Pose of `face` in a frame of `width` x `height` pixels. Uses x and y only, never the mesh's own z.

    ValueError where the landmarks are not finite or no pose explains them.
    """
    seen = face.points[_POINTS, :2].astype(np.float64)
    if not np.isfinite(seen).all():
        raise ValueError("landmarks must be finite")
    focal = _FOCAL_OVER_LONG_SIDE * max(width, height)
    camera = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]], dtype=np.float64)
    try:
        solved, rotation, _ = cv2.solvePnP(_MODEL, seen, camera, None, flags=cv2.SOLVEPNP_SQPNP)
    except cv2.error:  # all landmarks in one place
        raise ValueError("no pose explains these landmarks") from None
    if not solved:
        raise ValueError("no pose explains these landmarks")
    return _angles(np.asarray(cv2.Rodrigues(rotation)[0], dtype=np.float64))


def _angles(rotation: NDArray[np.float64]) -> Pose:
    """Angles of a head that was turned by `rotation` from looking straight into the camera."""
    # With the head's model looking along -z, the columns of the rotation say where the head's axes went.
    ahead = -rotation[:, 2]
    yaw = math.atan2(ahead[0], -ahead[2])
    pitch = math.asin(float(np.clip(-ahead[1], -1.0, 1.0)))
    # Roll is what is left of the tilt of the eye line once yaw and pitch are taken away.
    level = np.array([math.cos(yaw), 0.0, math.sin(yaw)])
    across = rotation[:, 0]
    roll = math.atan2(float(np.dot(across, np.cross(level, ahead))), float(np.dot(across, level)))
    return Pose(math.degrees(yaw), math.degrees(pitch), math.degrees(roll))
