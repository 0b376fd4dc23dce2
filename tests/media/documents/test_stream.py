"""The card in the video: read from compressed frames, voted on, hinted at."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from app.studio import BadCapture, Flaw
from media.documents import CardReader
from media.documents.readings import CardVote
from tests.media.people import Image, applicant, jpeg, pixels


def frame(picture: Image, width: int = 640, quality: int = 35) -> Image:
    """As a phone's stream arrives: small and compressed."""
    size = (width, width * picture.shape[0] // picture.shape[1])
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return pixels(jpeg(small, quality))


def shown(seed: int) -> Image:
    return pixels(applicant(seed).front_jpeg())


@pytest.mark.parametrize("width", [640, 1280])
@pytest.mark.parametrize("seed", [1, 2])
def test_name_and_number_are_voted(seed: int, width: int) -> None:
    reader = CardReader()
    for quality in (40, 25):
        assert reader.feed(frame(shown(seed), width, quality)) is not None
    vote = reader.voted()
    assert (vote.number, vote.name) == (applicant(seed).applicant.number, applicant(seed).applicant.name)
    assert (vote.number_frames, vote.name_frames, vote.frames) == (2, 2, 2)
    assert vote.portrait is not None
    assert vote.portrait.shape[0] > vote.portrait.shape[1] > 300
    assert not reader.complete  # a portrait is chosen out of more frames than two
    for quality in (40, 25):
        reader.feed(frame(shown(seed), width, quality))
    assert reader.complete


def test_one_frame_is_not_enough() -> None:
    reader = CardReader()
    sighting = reader.feed(frame(shown(1)))
    assert sighting is not None
    assert sighting.number == applicant(1).applicant.number
    vote = reader.voted()
    assert (vote.number, vote.name, vote.portrait) == (None, None, None)
    assert not reader.complete


def test_two_cards_in_turn_agree_on_nothing() -> None:
    reader = CardReader()
    for seed in (1, 2, 1, 2):
        reader.feed(frame(shown(seed)))
    assert reader.voted().number is None


def test_a_number_with_a_wrong_checksum_never_counts() -> None:
    reader = CardReader()
    picture = pixels(applicant(7, flaws={Flaw.WRONG_CHECKSUM}).front_jpeg())
    for quality in (40, 30, 20):
        sighting = reader.feed(frame(picture, quality=quality))
        assert sighting is not None
        assert sighting.number is None
    assert reader.voted().number is None


@pytest.mark.parametrize(
    ("kind", "hint"),
    [(BadCapture.GLARE, "card_glare"), (BadCapture.MOVED, "card_blurred"), (BadCapture.CAT, None)],
)
def test_hints(kind: BadCapture, hint: str | None) -> None:
    sighting = CardReader().feed(frame(pixels(applicant(1).bad_jpeg(kind))))
    assert (sighting.hint if sighting else None) == hint


def test_the_back_gives_nothing() -> None:
    sighting = CardReader().feed(frame(pixels(applicant(1).back_jpeg())))
    assert sighting is not None
    assert sighting.number is None


def test_held_in_a_hand_at_a_distance() -> None:
    reader = CardReader()
    for quality in (60, 50):
        reader.feed(frame(pixels(applicant(1).handheld_jpeg()), 1280, quality))
    assert reader.voted().number == applicant(1).applicant.number


def test_a_vote_says_nothing_of_a_person() -> None:
    vote = CardVote("330106199003079966", "样本", 2, 2, 2, np.zeros((2, 2, 3), np.uint8))
    assert "3301" not in repr(vote)
    assert "样本" not in repr(vote)
