"""What a camera adds to what stands before it: sensor noise and a slow drift of the light."""

from __future__ import annotations

import math

import cv2
import numpy as np

from app.studio.pixels import Image

_NOISE_SIGMA = 2.2
_NOISE_FRAMES = 5
_LIGHT_DRIFT = 0.018


class Camera:
    """Makes every frame differ from every other. size: (width, height)."""

    def __init__(self, size: tuple[int, int], seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        shape = (size[1], size[0], 3)
        self._noise = [
            np.round(self._rng.standard_normal(shape, np.float32) * _NOISE_SIGMA).astype(np.int16)
            for _ in range(_NOISE_FRAMES)
        ]
        self._phase = float(self._rng.uniform(0, 2 * math.pi))

    def take(self, scene: Image, seconds: float) -> Image:
        """`scene` (H, W, 3) as the camera sees it at `seconds`."""
        gain = 1 + _LIGHT_DRIFT * math.sin(0.7 * seconds + self._phase) + 0.004 * math.sin(5.1 * seconds)
        lit = cv2.convertScaleAbs(scene, alpha=gain)
        noise = self._noise[int(self._rng.integers(_NOISE_FRAMES))]
        rows = int(self._rng.integers(scene.shape[0]))
        seen = np.empty_like(scene)
        seen[:rows] = cv2.add(lit[:rows], noise[len(noise) - rows :], dtype=cv2.CV_8U) if rows else 0
        seen[rows:] = cv2.add(lit[rows:], noise[: len(noise) - rows], dtype=cv2.CV_8U)
        return seen
