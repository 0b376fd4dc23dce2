"""A card is found by its outline wherever it lies, and laid flat to a few pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from media.documents.cards import CARD_HEIGHT, CARD_WIDTH, find_cards, rectify
from tests.media.people import Image


def scene(degrees: float, tilt: float = 0.0, width: int = 700) -> tuple[Image, np.ndarray]:
    """A pale card with four coloured corners on a dark table, and where its corners are."""
    card = np.full((CARD_HEIGHT, CARD_WIDTH, 3), (230, 225, 220), np.uint8)
    for index, (x, y) in enumerate(((60, 60), (CARD_WIDTH - 60, 60), (CARD_WIDTH - 60, 578), (60, 578))):
        cv2.circle(card, (x, y), 40, [(255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0)][index], -1)
    height = width * CARD_HEIGHT / CARD_WIDTH
    corners = np.array([[-width, -height], [width, -height], [width, height], [-width, height]]) / 2
    corners *= 1 + tilt * np.array([[0, 0], [1, 1], [0, 0], [-1, -1]])
    angle = np.deg2rad(degrees)
    corners = corners @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + (
        600,
        600,
    )
    whole = np.array([[0, 0], [CARD_WIDTH, 0], [CARD_WIDTH, CARD_HEIGHT], [0, CARD_HEIGHT]], np.float32)
    onto = cv2.getPerspectiveTransform(whole, corners.astype(np.float32))
    table = np.full((1200, 1200, 3), (60, 70, 80), np.uint8)
    laid = cv2.warpPerspective(card, onto, (1200, 1200), table, borderMode=cv2.BORDER_TRANSPARENT)
    return np.asarray(laid, np.uint8), corners


@pytest.mark.parametrize("degrees", [0, 7, -12, 30, 90, 180, 200, 270])
@pytest.mark.parametrize("tilt", [0.0, 0.06])
def test_corners_are_found(degrees: float, tilt: float) -> None:
    picture, corners = scene(degrees, tilt)
    found = find_cards(picture)[0]
    apart = min(np.abs(found.corners - np.roll(corners, turn, axis=0)).max() for turn in range(4))
    assert apart < 0.01 * 700  # of the card's width
    assert found.cut == 0.0


@pytest.mark.parametrize("degrees", [0, 90, 200])
def test_laid_flat_it_is_upright_or_upside_down(degrees: float) -> None:
    picture, _ = scene(degrees)
    found = find_cards(picture)[0]
    flat = rectify(picture, found)
    assert flat.shape == (CARD_HEIGHT, CARD_WIDTH, 3)
    upright = flat if flat[60, 60, 0] > 200 > flat[60, 60, 1] else rectify(picture, found.upside_down())
    assert [
        int(upright[60, 60].argmax()),
        int(upright[60, -60].argmax()),
        int(upright[-60, -60].argmax()),
    ] == [0, 1, 2]


def test_a_card_beyond_the_edge_is_cut() -> None:
    picture, _ = scene(0)
    found = find_cards(picture[:, :820].copy())[0]
    assert 0.1 < found.cut < 0.3


def test_nothing_in_an_empty_picture() -> None:
    assert find_cards(np.full((600, 800, 3), 128, np.uint8)) == []
