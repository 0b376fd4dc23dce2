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

DLIB_SIDE = 150
# dlib's five-point shape: outer and inner corner of the eye on the picture's right, the same on its left,
# base of the nose; in shares of the face, around which the chip leaves a quarter on every side.
_DLIB_POINTS = [263, 362, 33, 133, 2]
_DLIB_SHAPE = np.array(
    [
        [0.8595674595992, 0.2134981538014],
        [0.6460604764104, 0.2289674387677],
        [0.1205750620789, 0.2137274526848],
        [0.3340850613712, 0.2290642403242],
        [0.4901123135679, 0.6277975316475],
    ]
)
_DLIB_PADDING = 0.25
_DLIB_TEMPLATE = (_DLIB_SHAPE + _DLIB_PADDING) / (1 + 2 * _DLIB_PADDING) * DLIB_SIDE

_ALIASES_BELOW = 0.5
"""Sampling a picture at every second point or less would alias, so it is made smaller first."""


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


def chip(bgr: NDArray[np.uint8], move: NDArray[np.float64], side: int) -> NDArray[np.uint8]:
    """The part of the picture that `move` (2, 3) brings into a square of `side` pixels; black beyond it."""
    if float(np.hypot(move[0, 0], move[1, 0])) < _ALIASES_BELOW:
        bgr, move = _shrunk(bgr, move)
    return np.asarray(cv2.warpAffine(bgr, move, (side, side), flags=cv2.INTER_LINEAR), dtype=np.uint8)


def arcface_chip(bgr: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
    """The face as ArcFace-type models want it, (112, 112, 3) BGR."""
    return chip(bgr, similarity_transform(five_points(face), _ARCFACE_TEMPLATE), ARCFACE_SIDE)


def dlib_chip(bgr: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
    """The face as dlib's recogniser wants it, (150, 150, 3) BGR."""
    seen = face.points[_DLIB_POINTS, :2].astype(np.float64)
    return chip(bgr, similarity_transform(seen, _DLIB_TEMPLATE), DLIB_SIDE)


def _shrunk(
    bgr: NDArray[np.uint8], move: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A smaller picture and its transform to the same chip."""
    shrink = float(np.hypot(move[0, 0], move[1, 0]))
    height, width = bgr.shape[:2]
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    small = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
    grow = np.array([width / size[0], height / size[1]])
    linear = move[:, :2] * grow
    # Pixel centres lie half a pixel inside, in both pictures.
    shift = move[:, 2] + move[:, :2] @ ((grow - 1) / 2)
    return np.asarray(small, dtype=np.uint8), np.column_stack([linear, shift])
