"""OpenCV calls that every step needs, with types that say what comes out."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""(H, W, 3) BGR or (H, W) grey."""


def grey_of(bgr: Image) -> Image:
    """(H, W) luminance of (H, W, 3) BGR."""
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), dtype=np.uint8)


def resized(image: Image, width: int, height: int) -> Image:
    """Resized by averaging, so that fine print does not alias."""
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def shrunk(image: Image, side: int) -> tuple[Image, float]:
    """The image with at most `side` pixels on its longer side, and the scale, 0 to 1."""
    height, width = image.shape[:2]
    scale = min(1.0, side / max(height, width))
    if scale == 1.0:
        return image, scale
    return resized(image, max(1, round(width * scale)), max(1, round(height * scale))), scale
