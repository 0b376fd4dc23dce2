from __future__ import annotations

import cv2
import numpy as np
import pytest

from media.faces import FaceFinder
from media.faces.alignment import arcface_chip, dlib_chip, five_points, similarity_transform
from tests.media.faces import portraits


def test_a_similarity_is_found_again() -> None:
    rng = np.random.default_rng(2)
    points = rng.normal(size=(5, 2)) * 40
    turn = np.radians(25)
    wanted = np.array(
        [[1.7 * np.cos(turn), -1.7 * np.sin(turn), 12.0], [1.7 * np.sin(turn), 1.7 * np.cos(turn), -3.0]]
    )
    moved = points @ wanted[:, :2].T + wanted[:, 2]
    np.testing.assert_allclose(similarity_transform(points, moved), wanted, atol=1e-9)


def test_a_mirrored_face_is_not_flipped_back() -> None:
    points = np.array([[0.0, 0], [4, 0], [2, 1], [0, 4], [4, 4]])
    found = similarity_transform(points, points * np.array([-1.0, 1.0]))
    assert np.linalg.det(found[:, :2]) > 0


@pytest.mark.parametrize("points", [np.zeros((5, 2)), np.full((5, 2), np.nan)])
def test_points_without_a_shape_are_refused(points: np.ndarray) -> None:
    with pytest.raises(ValueError, match="points"):
        similarity_transform(points, np.ones((5, 2)))


def test_five_points_stand_left_to_right(finder: FaceFinder) -> None:
    eye_l, eye_r, nose, mouth_l, mouth_r = five_points(finder.find(portraits.one())[0])
    assert eye_l[0] < nose[0] < eye_r[0]
    assert mouth_l[0] < mouth_r[0]
    assert eye_l[1] < nose[1] < mouth_l[1]


@pytest.mark.parametrize("scale", [0.6, 2.0, 6.0])
def test_chips_do_not_depend_on_the_size_of_the_picture(finder: FaceFinder, scale: float) -> None:
    picture = portraits.one()
    face = finder.find(picture)[0]
    other = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    # Pixel centres: where x was, there is now scale * x + (scale - 1) / 2.
    there = face.moved((scale - 1) / 2, (scale - 1) / 2, scale)
    for chip in (arcface_chip, dlib_chip):
        apart = cv2.absdiff(chip(picture, face), chip(other, there))
        assert float(apart.mean()) < 6.0


def test_a_face_at_the_edge_has_a_chip(finder: FaceFinder) -> None:
    picture = portraits.filled()
    chip = arcface_chip(picture, finder.find(picture)[0])
    assert chip.shape == (112, 112, 3)
    assert chip.any()
