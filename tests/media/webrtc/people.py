"""Frames for tests: flat grey pictures whose level says what they show."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def picture(level: int, size: tuple[int, int] = (320, 240), noise: int = 0) -> Image:
    """(H, W, 3) of one grey level, with some noise so that no two frames are alike."""
    flat = np.full((size[1], size[0], 3), level, np.int16)
    if noise:
        flat = flat + np.random.default_rng().integers(-noise, noise + 1, flat.shape, np.int16)
    return np.clip(flat, 0, 255).astype(np.uint8)


class Showing:
    """A camera that sees one grey level until it is told another; None ends it."""

    def __init__(self, level: int | None, size: tuple[int, int] = (320, 240), noise: int = 6) -> None:
        self.level = level
        self.size = size
        self.noise = noise
        self.frames = 0

    def frame(self, t_ms: int) -> Image | None:
        self.frames += 1
        return None if self.level is None else picture(self.level, self.size, self.noise)


class Heard(list[Mapping[str, Any]]):
    """Guidance in the order in which it came."""

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        return [message for message in self if message.get("type") == kind]


async def until(holds: Callable[[], bool], seconds: float = 15) -> None:
    """Waits for something that tells nobody when it happens. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
