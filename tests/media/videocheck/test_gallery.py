"""Pictures of a check: bounded, and never none because the stream was large."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from media.images import Photo, decode
from media.liveness.continuity import Continuity
from media.videocheck import limits
from media.videocheck.gallery import Gallery


def test_a_picture_that_is_too_heavy_is_kept_smaller() -> None:
    noise = np.random.default_rng(7).integers(0, 256, (1080, 1920, 3), dtype=np.uint8)
    gallery = Gallery()
    gallery.keep("face", 100, noise)
    (kept,) = gallery.keyframes
    assert len(kept.jpeg) <= limits.MAX_KEYFRAME_BYTES
    photo = decode(kept.jpeg)
    assert isinstance(photo, Photo)
    height, width = photo.pixels.shape[:2]
    assert abs(width / height - 16 / 9) < 0.02


def towards(degrees: float) -> NDArray[np.float32]:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], dtype=np.float32)


def least_alike(*samples: float, of_challenge: int) -> float | None:
    gallery = Gallery()
    for number, degrees in enumerate(samples):
        gallery.add_embedding(towards(degrees), of_challenge=number < of_challenge)
    continuity = Continuity()
    for embedding in gallery.embeddings:
        continuity.add_embedding(embedding)
    return continuity.measured().least_similarity


def test_one_spoiled_sample_is_left_out_and_two_in_a_row_are_not() -> None:
    assert least_alike(0, 0, 0, 80, 0, 0, of_challenge=3) == pytest.approx(1, abs=1e-6)
    assert least_alike(0, 0, 0, 80, 80, 0, of_challenge=3) == pytest.approx(np.cos(np.radians(80)), abs=1e-6)


@pytest.mark.parametrize("of_challenge", [1, 2])
def test_two_samples_are_compared_as_they_are(of_challenge: int) -> None:
    assert least_alike(0, 80, of_challenge=of_challenge) == pytest.approx(np.cos(np.radians(80)), abs=1e-6)


def test_a_single_sample_compares_to_nothing() -> None:
    assert least_alike(0, of_challenge=1) is None
