from __future__ import annotations

import numpy as np
import pytest

from media.faces import Face, similarity


def _face() -> Face:
    points = np.zeros((478, 3), dtype=np.float32)
    points[:468, 0] = np.linspace(10, 40, 468)
    points[:468, 1] = np.linspace(20, 60, 468)
    points[468:, :2] = 500  # the irises do not widen the box
    return Face(points)


def test_the_box_is_around_the_skin() -> None:
    face = _face()
    assert face.box == (10, 20, 40, 60)
    assert face.size == 50
    assert face.centre == (25, 40)


def test_a_face_moves_with_its_crop() -> None:
    moved = _face().moved(100, -5, 2.0)
    assert moved.box == (120, 35, 180, 115)
    assert _face().box == (10, 20, 40, 60)


def test_a_face_does_not_show_its_landmarks() -> None:
    assert "array" not in repr(_face())


def test_similarity_is_the_cosine() -> None:
    a = np.array([1, 0], dtype=np.float32)
    assert similarity(a, a) == pytest.approx(1.0)
    assert similarity(a, -a) == pytest.approx(-1.0)
    assert similarity(a, np.array([1, 1], dtype=np.float32)) == pytest.approx(np.sqrt(0.5))


@pytest.mark.parametrize("other", [np.zeros(2), np.array([np.nan, 1]), np.ones(3)])
def test_what_cannot_be_compared_is_refused(other: np.ndarray) -> None:
    with pytest.raises(ValueError):
        similarity(np.ones(2, dtype=np.float32), other.astype(np.float32))
