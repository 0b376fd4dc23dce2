"""Small measures on one face: how open the eyes and the mouth are."""

from __future__ import annotations

import numpy as np

from media.faces.face import Face

# Corner, two upper, corner, two lower: the six points of the eye aspect ratio, on the person's own side.
_RIGHT_EYE = (33, 160, 158, 133, 153, 144)
_LEFT_EYE = (362, 385, 387, 263, 373, 380)
_INNER_LIPS = (13, 14)
_MOUTH_CORNERS = (61, 291)


def _distance(face: Face, a: int, b: int) -> float:
    return float(np.linalg.norm(face.points[a, :2] - face.points[b, :2]))


def _one_eye(face: Face, eye: tuple[int, int, int, int, int, int]) -> float:
    corner, upper, upper_2, corner_2, lower_2, lower = eye
    width = _distance(face, corner, corner_2)
    if width == 0.0:
        return 0.0
    return (_distance(face, upper, lower) + _distance(face, upper_2, lower_2)) / (2 * width)


def eye_aspect_ratio(face: Face) -> float:
    """Height of the eye openings over their width, mean of both eyes: about 0.3 open, below 0.2 closed."""
    return (_one_eye(face, _RIGHT_EYE) + _one_eye(face, _LEFT_EYE)) / 2


def mouth_opening(face: Face) -> float:
    """Gap between the inner lips over the mouth's width: about 0 closed, above 0.3 open."""
    width = _distance(face, *_MOUTH_CORNERS)
    return _distance(face, *_INNER_LIPS) / width if width else 0.0
