"""Faces that come with installed packages, so that nothing is committed and nothing downloaded."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def _insightface(name: str) -> Picture:
    spec = importlib.util.find_spec("insightface")
    assert spec is not None
    assert spec.origin is not None
    picture = cv2.imread(str(Path(spec.origin).parent / "data" / "images" / name))
    assert picture is not None
    return np.asarray(picture, dtype=np.uint8)


@cache
def one() -> Picture:
    """One person, 512 x 512; the face is a hundred pixels across."""
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[:, :, ::-1])  # type: ignore[no-untyped-call]


@cache
def six() -> Picture:
    """Six people side by side."""
    return _insightface("t1.jpg")


@cache
def filled() -> Picture:
    """A face that fills the picture."""
    return _insightface("Tom_Hanks_54745.png")


def card(face_side: int, width: int = 1280, height: int = 960) -> tuple[Picture, tuple[int, int]]:
    """A plain picture with a small portrait in it, `face_side` pixels square; and where its middle is."""
    noise = np.random.default_rng(3).integers(60, 200, (height // 16, width // 16, 3), dtype=np.uint8)
    picture = cv2.GaussianBlur(cv2.resize(noise, (width, height)), (0, 0), 8)
    portrait = cv2.resize(one()[30:260, 110:340], (face_side, face_side), interpolation=cv2.INTER_AREA)
    x, y = width * 2 // 3, height // 2
    picture[y : y + face_side, x : x + face_side] = portrait
    return np.asarray(picture, dtype=np.uint8), (x + face_side // 2, y + face_side // 2)
