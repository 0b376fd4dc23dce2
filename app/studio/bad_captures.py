"""Captures that must be refused: what people send by mistake."""

from __future__ import annotations

from enum import StrEnum
from importlib import resources

import cv2
import numpy as np

from app.studio.captures import SCAN_SIZE, handheld, scan
from app.studio.pixels import Image, add_noise
from app.studio.portraits import Portrait, PortraitMissing
from app.studio.room import table
from app.studio.specimen import NAME_BOX

_BLUR = 41
_DEFOCUS = 10
_SMUDGE = 11
_DARKNESS = 0.12
_TINY = (320, 240)


class BadCapture(StrEnum):
    CAT = "cat"
    BLURRED = "blurred"
    MOVED = "moved"
    GLARE = "glare"
    DARK = "dark"
    CUT_EDGE = "cut_edge"
    TINY = "tiny"
    SMUDGED_NAME = "smudged_name"
    NO_CARD = "no_card"
    HANDHELD_WITHOUT_CARD = "handheld_without_card"


def bad_capture(kind: BadCapture, portrait: Portrait, card: Image, seed: int) -> Image:
    """A bad picture (H, W, 3) of `card`, one side of an identity card."""
    match kind:
        case BadCapture.CAT:
            return _cat()
        case BadCapture.BLURRED:
            return np.asarray(cv2.GaussianBlur(scan(card, seed), (0, 0), _DEFOCUS), np.uint8)
        case BadCapture.MOVED:
            smear = np.full((1, _BLUR), 1 / _BLUR, np.float32)
            return np.asarray(cv2.filter2D(scan(card, seed), -1, smear), np.uint8)
        case BadCapture.GLARE:
            return _with_glare(scan(card, seed))
        case BadCapture.DARK:
            dark = (scan(card, seed) * _DARKNESS).astype(np.uint8)
            return add_noise(dark, 2.0, np.random.default_rng(seed))
        case BadCapture.CUT_EDGE:
            return scan(card, seed, shift=0.25)
        case BadCapture.TINY:
            return np.asarray(cv2.resize(scan(card, seed), _TINY, interpolation=cv2.INTER_AREA), np.uint8)
        case BadCapture.SMUDGED_NAME:
            return scan(_smudged(card), seed)
        case BadCapture.NO_CARD:
            return add_noise(table(*SCAN_SIZE, seed), 2.0, np.random.default_rng(seed))
        case BadCapture.HANDHELD_WITHOUT_CARD:
            return handheld(portrait, None, seed)


def _smudged(front: Image) -> Image:
    """A worn card: the name can be seen, its strokes cannot be told apart."""
    worn = front.copy()
    x0, y0, x1, y1 = NAME_BOX
    worn[y0:y1, x0:x1] = cv2.GaussianBlur(worn[y0:y1, x0:x1], (0, 0), _SMUDGE)
    return worn


def _cat() -> Image:
    try:
        data = resources.files("skimage").joinpath("data/chelsea.png").read_bytes()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise PortraitMissing("package skimage with its cat is needed") from error
    cat = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if cat is None:
        raise PortraitMissing("the cat of package skimage is no image")
    return np.asarray(cv2.resize(cat, (1350, 900), interpolation=cv2.INTER_CUBIC), np.uint8)


def _with_glare(picture: Image) -> Image:
    """A lamp's reflection on the number."""
    height, width = picture.shape[:2]
    light = np.zeros((height, width), np.float32)
    cv2.ellipse(
        light, (int(width * 0.56), int(height * 0.72)), (width // 5, height // 9), 12, 0, 360, 1.0, -1
    )
    light = np.asarray(cv2.GaussianBlur(light, (0, 0), width / 50), np.float32)
    return np.asarray(np.clip(picture + 420 * light[..., None], 0, 255), np.uint8)
