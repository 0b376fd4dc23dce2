from __future__ import annotations

import numpy as np
import pytest

from media.faces import Face
from media.liveness import limits
from media.liveness.continuity import Continuity
from tests.media.liveness.heads import Gesture, face


def _followed(*frames: tuple[int, Face | None]) -> Continuity:
    continuity = Continuity()
    for t_ms, seen in frames:
        continuity.feed(seen, True, t_ms)
    return continuity


def test_a_face_that_stays() -> None:
    measured = _followed(*((t * 100, face(Gesture(x=t))) for t in range(20))).measured()
    assert (measured.frames, measured.frames_without_face) == (20, 0)
    assert (measured.breaks, measured.jumps, measured.longest_gap_ms) == (0, 0, 0)
    assert measured.largest_jump < 0.02


def test_a_short_loss_is_no_break() -> None:
    measured = _followed((0, face()), (100, None), (200, None), (300, face())).measured()
    assert (measured.frames_without_face, measured.breaks) == (2, 0)


def test_a_long_loss_is_one_break() -> None:
    gone = [(t, None) for t in range(100, 2000, 100)]
    measured = _followed((0, face()), *gone, (2000, face()), (2100, face())).measured()
    assert measured.breaks == 1
    assert measured.longest_gap_ms == 2000


def test_every_long_loss_counts() -> None:
    frames: list[tuple[int, Face | None]] = []
    for start in (0, 2000, 4000):
        frames += [(start, face()), (start + 100, face())]
        frames += [(t, None) for t in range(start + 200, start + 1500, 100)]
    assert _followed(*frames).measured().breaks == 3


def test_frames_that_never_came_are_a_gap_too() -> None:
    measured = _followed(
        (0, face()), (limits.LOST_MS + 300, face()), (limits.LOST_MS + 400, face())
    ).measured()
    assert measured.breaks == 1


def test_a_face_elsewhere_in_the_next_frame_is_a_jump() -> None:
    measured = _followed((0, face(Gesture(x=-150))), (100, face(Gesture(x=150)))).measured()
    assert measured.jumps == 1
    assert measured.largest_jump > limits.JUMP


def test_a_face_of_another_size_in_the_next_frame_is_a_jump() -> None:
    assert _followed((0, face()), (100, face(Gesture(near=1.6)))).measured().jumps == 1


def test_no_gap_is_too_long_for_a_jump_and_too_short_for_a_break() -> None:
    """Else a few empty frames, or few frames at all, would hide that another face came."""
    here, there = face(Gesture(x=-150)), face(Gesture(x=150))
    for gap in range(100, 1000, 50):
        measured = _followed((0, here), (gap // 2, None), (gap, there)).measured()
        assert measured.jumps + measured.breaks == 1, gap


def test_the_followed_face_stays_the_followed_one() -> None:
    continuity = Continuity()
    first, larger = face(Gesture(x=-100, near=0.8)), face(Gesture(x=150, near=1.2))
    chosen, alone = continuity.choose([first])
    assert (chosen, alone) == (first, True)
    continuity.feed(chosen, alone, 0)
    assert continuity.choose([larger, first]) == (first, False)


def test_at_the_start_the_largest_face_is_chosen() -> None:
    small, large = face(Gesture(x=-150, near=0.6)), face(Gesture(x=100))
    assert Continuity().choose([small, large]) == (large, False)
    assert Continuity().choose([]) == (None, True)


def test_another_person_shows_in_the_embeddings() -> None:
    continuity = Continuity()
    for angle in (0.0, 0.2, 1.4, 0.1):
        continuity.add_embedding(np.array([np.cos(angle), np.sin(angle)], dtype=np.float32))
    assert continuity.measured().least_similarity == pytest.approx(np.cos(1.4), abs=1e-6)
