"""Hands that hold a card: fingers behind it, a thumb on its edge, clear of every printed field."""

from __future__ import annotations

import cv2
import numpy as np

from app.studio.pixels import Image, Quad, paste

_THUMB_ON_CARD = 0.045
"""Share of the card's width that a thumb covers; fields begin at 0.08 and end at 0.94."""


def hold(scene: Image, card: Image, corners: Quad, skin: tuple[int, int, int]) -> None:
    """Draw `card` into `scene` in place, its corners at `corners`, held at both short edges."""
    top_left, top_right, bottom_right, bottom_left = corners.astype(np.float64)
    across = (top_right - top_left + bottom_right - bottom_left) / 2
    size = float(np.linalg.norm(across))
    edges = ((top_left, bottom_left, -across), (top_right, bottom_right, across))
    for top, bottom, outward in edges:
        _fingers(scene, top, bottom, outward, size, skin)
    paste(scene, card, corners, shadow=0.25)
    for top, bottom, outward in edges:
        _thumb(scene, top, bottom, outward, size, skin)


def _fingers(
    scene: Image,
    top: np.ndarray,
    bottom: np.ndarray,
    outward: np.ndarray,
    size: float,
    skin: tuple[int, int, int],
) -> None:
    for place in (0.45, 0.6, 0.75, 0.9):
        at = top + (bottom - top) * place
        _limb(scene, at - outward * 0.05, at + outward * 0.06, size * 0.045, _shade(skin, 0.78 + 0.1 * place))
    wrist = bottom + outward * 0.02 + (bottom - top) * 0.55
    _limb(scene, top + (bottom - top) * 0.75 + outward * 0.07, wrist, size * 0.085, _shade(skin, 0.9))


def _thumb(
    scene: Image,
    top: np.ndarray,
    bottom: np.ndarray,
    outward: np.ndarray,
    size: float,
    skin: tuple[int, int, int],
) -> None:
    root = bottom + outward * 0.06 + (bottom - top) * 0.22
    tip = top + (bottom - top) * 0.72 - outward * (_THUMB_ON_CARD - 0.03)
    _limb(scene, root, tip, size * 0.034, _shade(skin, 0.96))
    _limb(scene, tip + (root - tip) * 0.04, tip + (root - tip) * 0.1, size * 0.018, _shade(skin, 1.1))


def _limb(
    scene: Image, start: np.ndarray, end: np.ndarray, radius: float, bgr: tuple[float, float, float]
) -> None:
    """A rounded limb, darker towards its outline."""
    for step in range(6):
        part = 1 - 0.13 * step
        colour = tuple(min(255.0, channel * (0.82 + 0.045 * step)) for channel in bgr)
        thickness = max(1, round(2 * radius * part))
        cv2.line(scene, _pixel(start), _pixel(end), colour, thickness, cv2.LINE_AA)


def _shade(bgr: tuple[int, int, int], gain: float) -> tuple[float, float, float]:
    return bgr[0] * gain, bgr[1] * gain, bgr[2] * gain


def _pixel(at: np.ndarray) -> tuple[int, int]:
    return round(float(at[0])), round(float(at[1]))
