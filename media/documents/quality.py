"""How good the picture of a card is, as numbers; and the thresholds, all in this one place."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from media.documents.pixels import grey_of, resized

MIN_CARD_WIDTH = 400
"""Pixels across the card in the original picture; below it the number's digits are under 13 pixels wide."""
MIN_SHARPNESS = 0.13
"""A lens blur of 2 pixels on a card 1300 pixels wide gives 0.16 and reads well, one of 3.5 gives 0.09."""
MAX_GLARE = 0.012
MIN_BRIGHTNESS = 60.0
MAX_BRIGHTNESS = 250.0
MIN_CONTRAST = 45.0
MAX_CUT = 0.05
MIN_COLOUR = 2.0

_GLARE_LEVEL = 250
_GLARE_OVER_PAPER = 12
_STEEPEST = 99.5  # percentile
_RIM = 0.04
_STEP = 2  # sampling of the luminance statistics, pixels


@dataclass(frozen=True)
class CardQuality:
    """Measured on the rectified card.

    width: pixels across the card in the original picture.
    sharpness: steepest steps between neighbouring pixels as a share of the contrast, 0 to 1.
    glare: share of the card's area that is a burnt-out spot clearly brighter than the card's paper, 0 to 1.
    brightness: median luminance, 0 to 255; contrast: 98th minus 2nd percentile of the luminance.
    cut: share of the card's width or height, whichever is worse, that lies outside of the picture.
    colour: spread of the card's colours, standard deviation of Lab a and b; a photocopy is near 0.
    """

    width: int
    sharpness: float
    glare: float
    brightness: float
    contrast: float
    cut: float
    colour: float


def measure_quality(card: NDArray[np.uint8], width: int, cut: float) -> CardQuality:
    """Measure a rectified card, (H, W, 3) BGR; `width` and `cut` come from the rectification."""
    grey = grey_of(card)
    sampled = grey[::_STEP, ::_STEP]
    dark, brightness, bright = (float(v) for v in np.percentile(sampled, (2, 50, 98)))
    return CardQuality(
        width=width,
        sharpness=sharpness(grey),
        glare=glare(grey, brightness),
        brightness=brightness,
        contrast=bright - dark,
        cut=cut,
        colour=_colour(card),
    )


def sharpness(grey: NDArray[np.uint8]) -> float:
    """Steepest steps of the text as a share of its contrast, 0 to 1; (H, W) luminance.

    The worse of both directions counts, because a moving hand blurs in one.
    """
    signed = grey.astype(np.int16)
    contrast = float(np.percentile(grey[::_STEP, ::_STEP], 98) - np.percentile(grey[::_STEP, ::_STEP], 1))
    if contrast < 1.0:
        return 0.0
    across = np.abs(np.diff(signed[::_STEP], axis=1))
    down = np.abs(np.diff(signed[:, ::_STEP], axis=0))
    steps = min(float(np.percentile(across, _STEEPEST)), float(np.percentile(down, _STEEPEST)))
    return min(1.0, steps / contrast)


def glare(grey: NDArray[np.uint8], paper: float) -> float:
    """Share of the area in burnt-out spots, 0 to 1; `paper` is the median luminance.

    Not measurable, and 0, where the paper itself is nearly white: then over-exposure tells.
    """
    level = max(_GLARE_LEVEL, paper + _GLARE_OVER_PAPER)
    if level > 255:
        return 0.0
    # The outermost strip has no print, but rounded corners and what lies behind the card.
    rim_y, rim_x = round(_RIM * grey.shape[0]), round(_RIM * grey.shape[1])
    inner = grey[rim_y : grey.shape[0] - rim_y : _STEP, rim_x : grey.shape[1] - rim_x : _STEP]
    burnt = (inner >= level).astype(np.uint8)
    spots = cv2.morphologyEx(burnt, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    return float(spots.mean())


def _colour(card: NDArray[np.uint8]) -> float:
    small = resized(card, card.shape[1] // 8, card.shape[0] // 8)
    lab = cv2.cvtColor(small, cv2.COLOR_BGR2LAB).astype(np.float32)
    # Spread around the mean, so that a yellow lamp on a grey photocopy does not count as colour.
    return float(np.mean(lab[:, :, 1:].std(axis=(0, 1))))
