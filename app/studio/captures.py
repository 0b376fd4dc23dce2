"""The captures of R3.1 as a phone would take them: front and back on a table, and the handheld photo."""

from __future__ import annotations

import cv2
import numpy as np

from app.studio.hands import hold
from app.studio.pixels import Image, Quad, add_noise, blend, paste, quad, relight
from app.studio.portraits import EYES, Portrait, sit
from app.studio.room import room, table

SCAN_SIZE = (1600, 1200)
SCAN_CARD_WIDTH = 0.80
HANDHELD_SIZE = (1600, 1200)
HANDHELD_CARD_WIDTH = 700
ID1 = 54.0 / 85.6
_HANDHELD_SCALE = 1.3
_HANDHELD_EYES = (800.0, 330.0)


def scan(card: Image, seed: int, card_width: float = SCAN_CARD_WIDTH, shift: float = 0.0) -> Image:
    """`card` photographed on a table, (1200, 1600, 3): a little turned and in perspective, lit from a side.

    card_width: share of the picture's width. shift: the card's displacement to the right in picture widths;
    from about 0.2 on, an edge is cut off.
    """
    rng = np.random.default_rng(seed)
    width, height = SCAN_SIZE
    scene = table(width, height, seed)
    centre = (width * (0.5 + shift), height * 0.5)
    corners = _placed(width * card_width, centre, degrees=float(rng.uniform(-4, 4)))
    corners += rng.uniform(-14, 14, (4, 2)).astype(np.float32)
    paste(scene, card, corners, shadow=0.45)
    return add_noise(relight(scene, _sidelight(width, height, rng)), 2.0, rng)


def handheld(portrait: Portrait, card: Image | None, seed: int) -> Image:
    """The person with `card` (None: with empty hands) held below the chin, (1200, 1600, 3)."""
    rng = np.random.default_rng(seed)
    width, height = HANDHELD_SIZE
    scene = room(width, height, seed).copy()
    stand(scene, portrait, _HANDHELD_SCALE, _HANDHELD_EYES)
    centre = (width * 0.5 + float(rng.uniform(-60, 60)), height * 0.74)
    corners = _placed(HANDHELD_CARD_WIDTH, centre, degrees=float(rng.uniform(-3, 3)))
    corners += rng.uniform(-6, 6, (4, 2)).astype(np.float32)
    if card is not None:
        hold(scene, card, corners, sit(portrait).skin)
    return add_noise(relight(scene, _sidelight(width, height, rng)), 2.0, rng)


def stand(scene: Image, portrait: Portrait, scale: float, eyes: tuple[float, float]) -> None:
    """Draw the still person into `scene` in place: `scale` over the canonical frame, eyes at `eyes`."""
    sitter = sit(portrait)
    height, width = scene.shape[:2]
    matrix = np.array(
        [[scale, 0, eyes[0] - scale * EYES[0]], [0, scale, eyes[1] - scale * EYES[1]]], np.float64
    )
    person = cv2.warpAffine(sitter.bgr, matrix, (width, height), flags=cv2.INTER_CUBIC)
    alpha = cv2.warpAffine(sitter.alpha, matrix, (width, height), flags=cv2.INTER_LINEAR)
    blend(scene, np.asarray(person, np.uint8), np.asarray(alpha, np.uint8))


def _placed(card_width: float, centre: tuple[float, float], degrees: float) -> Quad:
    corners = quad(card_width, card_width * ID1) - np.array([card_width, card_width * ID1], np.float32) / 2
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray(corners @ turn + np.array(centre), np.float32)


def _sidelight(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """Gain (height, width) of a lamp beside the camera."""
    angle = rng.uniform(0, 2 * np.pi)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    slope = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
    return np.asarray(0.97 + 0.06 * slope, np.float32)
