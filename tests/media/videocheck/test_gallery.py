"""Pictures of a check: bounded, and never none because the stream was large."""

from __future__ import annotations

from collections.abc import Sequence

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


def least_alike(challenge: Sequence[float], cards: Sequence[float] = ()) -> float | None:
    """The angle between the least similar pair that is compared, degrees."""
    gallery = Gallery()
    for degrees in challenge:
        gallery.add_embedding(towards(degrees), of_challenge=True)
    for degrees in cards:
        gallery.add_embedding(towards(degrees), of_challenge=False)
    continuity = Continuity()
    for embedding in gallery.embeddings:
        continuity.add_embedding(embedding)
    least = continuity.measured().least_similarity
    return None if least is None else float(np.degrees(np.arccos(np.clip(least, -1, 1))))


def about(degrees: float) -> object:
    return pytest.approx(degrees, abs=0.1)


def test_somebody_else_for_each_movement_shows_however_short() -> None:
    assert least_alike([0, 0, 0, 80, 0, 80, 0]) == about(80)
    assert least_alike([0, 0, 0, 80, 0, 80, 0, 80, 0]) == about(80)
    assert least_alike([0, 0, 0, 80, 0], [0, 0]) == about(80)
    assert least_alike([80, 0, 0, 0], [0, 0]) == about(80)


def test_one_sample_while_cards_are_shown_may_be_spoilt_and_no_second_one() -> None:
    assert least_alike([0, 0, 0], [80, 0, 0]) == about(0)
    assert least_alike([0, 0, 0], [80, 80, 0]) == about(80)
    assert least_alike([0, 0, 0], [80, 0, 80]) == about(80)
    assert least_alike([0, 0], [80]) == about(0)


def test_the_others_are_compared_with_the_most_typical_one_of_the_challenge() -> None:
    assert least_alike([20, 0, 0, -20]) == about(20)
    assert least_alike([0, 0, 0], [30, 20]) == about(20)


@pytest.mark.parametrize(("challenge", "cards"), [((0.0, 80.0), ()), ((0.0,), (80.0,))])
def test_of_two_samples_none_is_left_out(challenge: Sequence[float], cards: Sequence[float]) -> None:
    assert least_alike(challenge, cards) == about(80)


def test_without_a_sample_of_the_challenge_nothing_is_forgiven() -> None:
    assert least_alike([], [0, 0, 80]) == about(80)


def test_a_single_sample_compares_to_nothing() -> None:
    assert least_alike([0]) is None


def test_a_late_sample_of_the_challenge_is_one_of_the_challenge() -> None:
    gallery = Gallery()
    for degrees, of_challenge in ((0, True), (0, False), (80, True)):
        gallery.add_embedding(towards(degrees), of_challenge=of_challenge)
    assert gallery.live == pytest.approx(towards(40), abs=1e-6)
