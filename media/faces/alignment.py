"""Brings a face into the position that a recogniser was trained on."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from media.faces.face import Face

ARCFACE_SIDE = 112
# Where ArcFace-type models expect eyes, tip of the nose and corners of the mouth in 112 x 112 pixels.
_ARCFACE_TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
# Around each eye, so that a glance or a blink does not move its centre; left in the picture first.
_EYE_ON_THE_LEFT = [33, 133, 160, 158, 153, 144]
_EYE_ON_THE_RIGHT = [263, 362, 387, 385, 380, 373]
_NOSE_TIP = 4
_MOUTH_ON_THE_LEFT, _MOUTH_ON_THE_RIGHT = 61, 291


def five_points(face: Face) -> NDArray[np.float64]:
    """Eyes, tip of the nose and corners of the mouth, (5, 2) pixels, left in the picture first."""
    at = face.points[:, :2].astype(np.float64)
    return np.stack(
        [
            at[_EYE_ON_THE_LEFT].mean(axis=0),
            at[_EYE_ON_THE_RIGHT].mean(axis=0),
            at[_NOSE_TIP],
            at[_MOUTH_ON_THE_LEFT],
            at[_MOUTH_ON_THE_RIGHT],
        ]
    )


def similarity_transform(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """The turn, scale and shift, (2, 3), that brings `source` (n, 2) nearest to `target` in least squares.

    After Umeyama (1991). ValueError where the points are all one or not finite.
    """
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise ValueError("points must be finite")
    from_mean, to_mean = source.mean(axis=0), target.mean(axis=0)
    centred = source - from_mean
    variance = (centred**2).sum() / len(source)
    if variance < 1e-9:
        raise ValueError("points must not all be one")
    left, stretch, right = np.linalg.svd((target - to_mean).T @ centred / len(source))
    upright = np.diag([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    turn = left @ upright @ right
    scale = float(np.trace(np.diag(stretch) @ upright)) / variance
    shift = to_mean - scale * turn @ from_mean
    return np.column_stack([scale * turn, shift])


def arcface_chip(bgr: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
    """The face as ArcFace-type models want it, (112, 112, 3) BGR; black beyond the picture's edge."""
    move = similarity_transform(five_points(face), _ARCFACE_TEMPLATE)
    shrinks = float(np.hypot(move[0, 0], move[1, 0])) < 0.5
    if shrinks:
        bgr, move = _shrunk(bgr, move)
    chip = cv2.warpAffine(bgr, move, (ARCFACE_SIDE, ARCFACE_SIDE), flags=cv2.INTER_LINEAR)
    return np.asarray(chip, dtype=np.uint8)


def _shrunk(
    bgr: NDArray[np.uint8], move: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A smaller picture and its transform: sampling a large one at few points would alias."""
    shrink = float(np.hypot(move[0, 0], move[1, 0]))
    height, width = bgr.shape[:2]
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    small = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
    grow = np.array([width / size[0], height / size[1]])
    linear = move[:, :2] * grow
    # Pixel centres lie half a pixel inside, in both pictures.
    shift = move[:, 2] + move[:, :2] @ ((grow - 1) / 2)
    return np.asarray(small, dtype=np.uint8), np.column_stack([linear, shift])
