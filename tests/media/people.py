"""Studio applicants for tests of reading; skips, with the reason, where the studio lacks a font."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.studio import Flaw, FontMissing, PortraitMissing, StudioApplicant, make_applicant

TODAY = date(2026, 11, 22)

Image = NDArray[np.uint8]


@cache
def _made(seed: int, portrait: str | None, flaws: frozenset[Flaw]) -> StudioApplicant:
    made = make_applicant(seed, portrait, flaws, TODAY)
    made.front.shape, made.back.shape  # noqa: B018 - drawn here, so that what is missing is known
    return made


def applicant(seed: int, portrait: str | None = None, flaws: Collection[Flaw] = ()) -> StudioApplicant:
    try:
        return _made(seed, portrait, frozenset(flaws))
    except (FontMissing, PortraitMissing) as missing:
        pytest.skip(str(missing))


def pixels(jpeg: bytes) -> Image:
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def jpeg(picture: NDArray[np.generic], quality: int = 90) -> bytes:
    return bytes(cv2.imencode(".jpg", np.ascontiguousarray(picture), [cv2.IMWRITE_JPEG_QUALITY, quality])[1])
