"""Headwear that stands out is refused, hair of every colour is not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from media.captures.bareheaded import measure_head
from media.faces import open_finder
from tests.media.people import Image, applicant, pixels


def with_cap(picture: Image, bgr: tuple[int, int, int]) -> Image:
    """A cap drawn over the hair of the first face."""
    finder = open_finder()
    x0, y0, x1, y1 = finder.find(picture)[0].box
    finder.close()
    capped = picture.copy()
    centre = (round((x0 + x1) / 2), round(y0 + 0.02 * (y1 - y0)))
    axes = (round(0.62 * (x1 - x0)), round(0.5 * (y1 - y0)))
    cv2.ellipse(capped, centre, axes, 0, 180, 360, bgr, -1)
    return capped


@pytest.mark.parametrize("bgr", [(200, 60, 20), (60, 180, 40), (240, 240, 240), (180, 40, 160)])
def test_a_cap(bgr: tuple[int, int, int]) -> None:
    picture = with_cap(pixels(applicant(1).handheld_jpeg()), bgr)
    finder = open_finder()
    assert measure_head(picture, finder.find(picture)[0]).bareheaded is False


@pytest.mark.parametrize("hair", [(20, 20, 20), (40, 60, 90), (50, 90, 140), (110, 110, 112)])
def test_hair_of_any_colour(hair: tuple[int, int, int]) -> None:
    picture = with_cap(pixels(applicant(1).handheld_jpeg()), hair)
    grain = np.random.default_rng(1).normal(0, 8, picture.shape)
    picture = np.asarray(np.clip(picture + grain, 0, 255), np.uint8)
    finder = open_finder()
    assert measure_head(picture, finder.find(picture)[0]).bareheaded is True


def test_not_told_where_the_head_is_cut() -> None:
    picture = pixels(applicant(1).handheld_jpeg())
    finder = open_finder()
    face = finder.find(picture)[0]
    top = round(face.box[1])
    assert measure_head(picture[top:], face.moved(0, -top)).bareheaded is None
