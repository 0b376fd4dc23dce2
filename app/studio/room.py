"""What stands behind a person: a room a little out of focus; and the table on which a card lies."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from app.studio.pixels import Image, relight

_WALLS = ((196, 204, 208), (186, 198, 190), (206, 196, 188), (178, 190, 204))
_BOOKS = ((60, 70, 150), (120, 90, 50), (70, 120, 70), (60, 60, 70), (90, 130, 170), (150, 140, 120))


@lru_cache(maxsize=8)
def room(width: int, height: int, seed: int) -> Image:
    """A wall with a window and a shelf, (height, width, 3) uint8 BGR, read-only; each seed another room."""
    rng = np.random.default_rng(seed)
    scene = np.full((height, width, 3), _WALLS[seed % len(_WALLS)], np.uint8)
    _window(scene, left=bool(seed % 2))
    _shelf(scene, left=not seed % 2, rng=rng)
    scene = np.asarray(cv2.GaussianBlur(scene, (0, 0), height / 130), np.uint8)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    side = 1 if seed % 2 else -1
    lit = relight(scene, 0.92 - 0.1 * side * x - 0.12 * y)
    lit.flags.writeable = False
    return lit


def table(width: int, height: int, seed: int) -> Image:
    """A wooden table seen from above, (height, width, 3) uint8 BGR."""
    rng = np.random.default_rng(seed)
    grain = rng.normal(0, 1, (height // 24 + 2, 6)).astype(np.float32)
    broad = cv2.resize(grain, (width, height), interpolation=cv2.INTER_CUBIC)
    fine = cv2.resize(
        rng.normal(0, 1, (height, width // 40 + 2)).astype(np.float32),
        (width, height),
        interpolation=cv2.INTER_LINEAR,
    )
    wood = np.array((62, 92, 134), np.float32) + (9 * broad + 4 * fine)[..., None]
    return np.asarray(np.clip(wood, 0, 255), np.uint8)


def _window(scene: Image, left: bool) -> None:
    height, width = scene.shape[:2]
    x = int(width * (0.04 if left else 0.74))
    y, w, h = int(height * 0.08), int(width * 0.22), int(height * 0.48)
    cv2.rectangle(scene, (x, y), (x + w, y + h), (236, 232, 224), -1)
    thick = max(3, width // 90)
    cv2.rectangle(scene, (x, y), (x + w, y + h), (150, 160, 166), thick)
    cv2.line(scene, (x + w // 2, y), (x + w // 2, y + h), (150, 160, 166), thick)


def _shelf(scene: Image, left: bool, rng: np.random.Generator) -> None:
    height, width = scene.shape[:2]
    x0 = int(width * (0.02 if left else 0.72))
    x1 = x0 + int(width * 0.26)
    for board in (0.36, 0.66):
        y = int(height * board)
        x = x0
        while x < x1 - width // 40:
            w = int(rng.integers(width // 70, width // 34))
            h = int(rng.integers(height // 8, height // 5))
            cv2.rectangle(scene, (x, y - h), (x + w - 2, y), _BOOKS[int(rng.integers(len(_BOOKS)))], -1)
            x += w
        cv2.rectangle(scene, (x0, y), (x1, y + max(4, height // 60)), (70, 96, 128), -1)
