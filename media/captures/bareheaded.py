"""Whether a head is bare, as far as a picture tells (R3.1): what is above the forehead, and the forehead.

A hat lies over the hair in a colour that neither hair, skin nor the background has, or hides the forehead.
Black hats are not told from black hair; reviewers and the courier see the picture too. Of 80 people of LFW
it finds the three with light or coloured caps and refuses nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from media.faces import Face

MAX_HEADWEAR = 0.55
MAX_FOREHEAD_DIFFERENCE = 26.0
_FOREHEAD = (108, 151, 337, 9)  # mesh points: middle of the forehead, right and left of it, between the brows
_CHEEKS = (50, 280, 101, 330)
_TOP = 10
_CHIN = 152
_SAMPLE = 0.04  # half side of a colour sample, in face heights
_CHROMA_NEAR = 14.0  # Lab levels within which two colours are one material
_HAIR_CHROMA = 16.0
_HAIR_RED, _HAIR_YELLOW, _HAIR_PALE = 35.0, 50.0, 170.0
_HAIR_LIGHT = 95.0  # Lab L of 255; darker and little coloured is hair


@dataclass(frozen=True)
class HeadMeasured:
    """headwear: share, 0 to 1, of the strip above the forehead in a foreign colour; None: not in the picture.
    forehead: difference in Lab colour between forehead and cheeks, levels."""

    headwear: float | None
    forehead: float

    @property
    def bareheaded(self) -> bool | None:
        """None: cannot be told."""
        if self.headwear is None:
            return None
        return self.headwear <= MAX_HEADWEAR and self.forehead <= MAX_FOREHEAD_DIFFERENCE


def measure_head(bgr: NDArray[np.uint8], face: Face) -> HeadMeasured:
    """Measure the head of `face` in (H, W, 3) BGR."""
    lab = cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB).astype(np.float32)
    points = face.points[:, :2]
    up = points[_TOP] - points[_CHIN]
    height = float(np.linalg.norm(up)) or 1.0
    cheeks = _colour(lab, points, _CHEEKS, height)
    forehead = _colour(lab, points, _FOREHEAD, height)
    return HeadMeasured(_headwear(lab, face, cheeks), float(np.linalg.norm((forehead - cheeks)[1:])))


def _colour(
    lab: NDArray[np.float32], points: NDArray[np.float32], at: tuple[int, ...], height: float
) -> NDArray[np.float32]:
    """Median Lab colour around some mesh points."""
    reach = max(1, round(_SAMPLE * height))
    samples = []
    for x, y in points[list(at)].round().astype(int):
        part = lab[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
        samples.append(part.reshape(-1, 3))
    joined = np.concatenate(samples)
    return np.median(joined, axis=0) if len(joined) else np.zeros(3, np.float32)


def _headwear(lab: NDArray[np.float32], face: Face, skin: NDArray[np.float32]) -> float | None:
    x0, y0, x1, y1 = face.box
    width, height = x1 - x0, y1 - y0
    strip = _part(lab, x0 + 0.2 * width, y0 - 0.30 * height, x1 - 0.2 * width, y0 - 0.04 * height)
    if strip.shape[0] < 4 or strip.shape[0] < 0.15 * height or strip.shape[1] < 4:
        return None
    beside = [
        _part(lab, x0 - 0.9 * width, y0 - 0.3 * height, x0 - 0.6 * width, y0),
        _part(lab, x1 + 0.6 * width, y0 - 0.3 * height, x1 + 0.9 * width, y0),
    ]
    grounds = [np.median(part.reshape(-1, 3), axis=0) for part in beside if part.size]
    pixels = strip.reshape(-1, 3)
    chroma = pixels[:, 1:] - 128.0
    known = (np.linalg.norm(chroma, axis=1) < _HAIR_CHROMA) & (pixels[:, 0] < _HAIR_LIGHT)
    # Natural hair lies between grey and brown: towards red and yellow, never towards blue or green.
    towards_red, towards_yellow = chroma[:, 0], chroma[:, 1]
    known |= (
        (towards_red > -4) & (towards_red < _HAIR_RED)
        & (towards_yellow > -4) & (towards_yellow < _HAIR_YELLOW)
        & (pixels[:, 0] < _HAIR_PALE)
    )  # fmt: skip
    known |= np.linalg.norm(pixels[:, 1:] - skin[1:], axis=1) < _CHROMA_NEAR
    for ground in grounds:
        known |= np.linalg.norm(pixels - ground, axis=1) < 2 * _CHROMA_NEAR
    return float(1.0 - known.mean())


def _part(lab: NDArray[np.float32], x0: float, y0: float, x1: float, y1: float) -> NDArray[np.float32]:
    return lab[max(0, round(y0)) : max(0, round(y1)), max(0, round(x0)) : max(0, round(x1))]
