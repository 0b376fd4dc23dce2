"""Flat fakes: a printed photograph held before the camera, and a film shown on a screen."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np

from app.studio.camera import Camera
from app.studio.performance import CLOSER_SCALE, Moment
from app.studio.pixels import Image, Quad, paste, quad, solid
from app.studio.room import room
from app.studio.scene import LiveScene

_PRINT_SHARE = (0.86, 0.98)
"""Width and height of the print over the picture's."""
_VIEWING_DISTANCE = 1.6
"""Print widths between camera and print."""
_BEND = 0.06
_SCREEN_SHARE = 0.93
_BEZEL = 0.035
_MOIRE_LEVELS = 9.0
_ROOM_OFFSET = 3


class PrintScene:
    """A print of the applicant's photograph that is turned, tilted and bent where the person should move."""

    def __init__(self, live: LiveScene) -> None:
        self._live = live
        self._camera = Camera(live.size, _ROOM_OFFSET)
        self._print = _printed(live.unseen(0.0))

    @property
    def size(self) -> tuple[int, int]:
        return self._live.size

    @property
    def nod_up(self) -> float:
        return self._live.nod_up

    def frame(self, seconds: float, moment: Moment) -> Image:
        scene = room(*self.size, _ROOM_OFFSET).copy()
        bend = _BEND * (0.5 + math.sin(0.9 * seconds)) + 0.004 * moment.look.yaw
        paste(scene, _bent(self._print, bend), self._corners(seconds, moment), shadow=0.2, rounding=0.0)
        self._live.put_card(scene, seconds, moment)
        return self._camera.take(scene, seconds)

    def _corners(self, seconds: float, moment: Moment) -> Quad:
        """The sheet turned about its middle like the head that it shows, and trembling."""
        width, height = self.size
        yaw = math.radians(moment.look.yaw + 2.0 * math.sin(1.1 * seconds))
        pitch = math.radians(moment.look.pitch + 1.5 * math.sin(1.4 * seconds + 1))
        scale = 1 + (CLOSER_SCALE - 1) * moment.closer
        sheet = quad(width * _PRINT_SHARE[0] * scale, height * _PRINT_SHARE[1] * scale)
        sheet -= sheet[2] / 2
        x, y = sheet[:, 0] * math.cos(yaw), sheet[:, 1] * math.cos(pitch)
        depth = sheet[:, 0] * math.sin(yaw) - sheet[:, 1] * math.sin(pitch)
        near = width * _VIEWING_DISTANCE / (width * _VIEWING_DISTANCE + depth)
        sway = 0.012 * width * math.sin(0.8 * seconds)
        placed = np.column_stack([x * near + width / 2 + sway, y * near + height * 0.5 + 0.5 * sway])
        return np.asarray(placed, np.float32)


class ScreenScene:
    """A film on a screen: bezel, moiré of its pixels against the camera's, a lamp's glare, a bluish white."""

    def __init__(self, live: LiveScene) -> None:
        self._live = live
        self._camera = Camera(live.size, _ROOM_OFFSET + 1)

    @property
    def size(self) -> tuple[int, int]:
        return self._live.size

    @property
    def nod_up(self) -> float:
        return self._live.nod_up

    def frame(self, seconds: float, moment: Moment) -> Image:
        width, height = self.size
        film = self._live.frame(seconds, moment)
        shown = cv2.add(_tinted(film), _moire(width, height), dtype=cv2.CV_8U)
        scene = solid(self.size, (26, 26, 28))
        border = round(_BEZEL * width)
        outer = _keystone(width * _SCREEN_SHARE + border, height * _SCREEN_SHARE + border, self.size, seconds)
        inner = _keystone(width * _SCREEN_SHARE, height * _SCREEN_SHARE, self.size, seconds)
        paste(scene, solid((64, 48), (12, 12, 12)), outer)
        paste(scene, np.asarray(shown, np.uint8), inner, rounding=0.0)
        lit = cv2.add(scene, _glare(width, height))
        return self._camera.take(np.asarray(lit, np.uint8), seconds)


def _printed(picture: Image) -> Image:
    """Ink on paper: less contrast, a white margin."""
    ink = np.clip(picture.astype(np.float32) * 0.84 + 24, 0, 255).astype(np.uint8)
    margin = picture.shape[1] // 40
    white = (236, 238, 238)
    return np.asarray(
        cv2.copyMakeBorder(ink, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=white), np.uint8
    )


def _bent(sheet: Image, bend: float) -> Image:
    """`sheet` bent about its upright axis as the camera sees it."""
    height, width = sheet.shape[:2]
    across = np.linspace(-1, 1, width, dtype=np.float32)
    seen = across + np.float32(bend) * np.sin(math.pi * across, dtype=np.float32)
    map_x = np.broadcast_to((seen + 1) / 2 * (width - 1), (height, width))
    map_y = np.broadcast_to(np.arange(height, dtype=np.float32)[:, None], (height, width))
    return np.asarray(
        cv2.remap(
            sheet, np.ascontiguousarray(map_x, np.float32), np.ascontiguousarray(map_y), cv2.INTER_LINEAR
        ),
        np.uint8,
    )


def _tinted(film: Image) -> Image:
    return np.asarray(np.clip(film * np.array([1.06, 1.0, 0.95], np.float32) + 6, 0, 255), np.uint8)


def _keystone(width: float, height: float, size: tuple[int, int], seconds: float) -> Quad:
    """A screen not quite square before the camera, held by hand."""
    corners = quad(width, height) - np.array([width, height], np.float32) / 2
    corners[:, 1] *= np.array([0.985, 1.0, 1.0, 0.985], np.float32)
    sway = np.array([math.sin(0.7 * seconds), math.sin(0.9 * seconds)]) * 0.004 * size[0]
    return np.asarray(corners + np.array(size) / 2 + sway, np.float32)


@lru_cache(maxsize=4)
def _moire(width: int, height: int) -> np.ndarray:
    """Beats between two fine grids that nearly agree, (height, width, 3) int16."""
    x = np.arange(width, dtype=np.float32)[None, :]
    y = np.arange(height, dtype=np.float32)[:, None]
    beats = np.sin(0.21 * x + 0.05 * y) * np.sin(0.045 * x - 0.19 * y)
    coloured = np.stack([beats, np.roll(beats, 3, 1), np.roll(beats, 6, 1)], axis=2)
    return np.asarray(_MOIRE_LEVELS * coloured, np.int16)


@lru_cache(maxsize=4)
def _glare(width: int, height: int) -> Image:
    light = np.zeros((height, width, 3), np.uint8)
    cv2.ellipse(
        light, (int(width * 0.82), int(height * 0.16)), (width // 8, height // 9), 25, 0, 360, (90,) * 3, -1
    )
    return np.asarray(cv2.GaussianBlur(light, (0, 0), width / 24), np.uint8)
