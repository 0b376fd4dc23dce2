from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from media.faces import Face
from media.liveness import limits
from media.liveness.challenge import ChallengeTracker
from media.liveness.script import TURNS, Movement, Script, orders
from media.liveness.view import Hint, Stage
from tests.media.liveness.heads import SHAPE, Gesture, ease, face
from tests.media.liveness.performing import FRAME_MS, GESTURES, REST, Player, play

PAUSE = 400


def _script(*movements: Movement) -> Script:
    return Script("nonce", movements, (PAUSE,) * len(movements))


EVERY = _script(*Movement)


@pytest.mark.parametrize("order", orders()[::17], ids=lambda order: "-".join(order))
def test_a_person_who_does_as_asked_gets_through(order: tuple[Movement, ...]) -> None:
    player = play(_script(*order))
    measured = player.tracker.measured()
    assert measured.finished
    assert measured.all_done
    assert tuple(m.movement for m in measured.movements) == order
    assert all(m.took_ms is not None and 0 < m.took_ms < 2000 for m in measured.movements)
    assert all(m.others == () for m in measured.movements)
    assert measured.nonce == "nonce"
    assert player.views[-1].stage is Stage.FINISHED
    assert player.views[-1].finished


def test_every_movement_is_known() -> None:
    measured = play(EVERY).tracker.measured()
    assert [m.movement for m in measured.movements if m.done] == list(Movement)
    peaks = {m.movement: m.peak for m in measured.movements}
    assert peaks[Movement.TURN_LEFT] == pytest.approx(26, abs=3)
    assert peaks[Movement.TURN_RIGHT] == pytest.approx(26, abs=3)
    assert peaks[Movement.NOD_UP] == pytest.approx(16, abs=4)
    assert peaks[Movement.COME_CLOSER] == pytest.approx(0.4, abs=0.1)
    assert peaks[Movement.BLINK] > 0.5


@pytest.mark.parametrize(
    ("asked", "done"),
    [
        (Movement.TURN_LEFT, Movement.TURN_RIGHT),
        (Movement.TURN_RIGHT, Movement.NOD_UP),
        (Movement.NOD_UP, Movement.NOD_DOWN),
        (Movement.OPEN_MOUTH, Movement.TURN_LEFT),
        (Movement.BLINK, Movement.OPEN_MOUTH),
        (Movement.COME_CLOSER, Movement.NOD_DOWN),
    ],
)
def test_another_movement_first_is_out_of_order(asked: Movement, done: Movement) -> None:
    player = Player(_script(asked))
    player.rest_until(Stage.MOVEMENT)
    player.perform(done)
    player.perform(asked)
    (seen,) = player.tracker.measured().movements
    assert seen.done
    assert not seen.in_order
    assert seen.others == (done,)
    assert not player.tracker.measured().all_done


@pytest.mark.parametrize("asked", [Movement.TURN_LEFT, Movement.NOD_UP, Movement.OPEN_MOUTH])
def test_everything_at_once_answers_nothing(asked: Movement) -> None:
    """Else one film of it would answer every script of these movements."""
    at_once = Gesture(yaw=26, pitch=16, mouth=1.0)
    player = Player(_script(asked))
    player.rest_until(Stage.MOVEMENT)
    for _ in range(2):
        player.hold(at_once, 1000)
        player.hold(REST, 500)
    assert not player.tracker.measured().movements[0].done
    player.perform(asked)
    assert player.tracker.measured().movements[0].done


def test_leaning_in_may_tilt_the_head() -> None:
    player = Player(_script(Movement.COME_CLOSER))
    player.rest_until(Stage.MOVEMENT)
    player.hold(Gesture(near=1.2, pitch=6), 200)
    player.hold(Gesture(near=1.4, pitch=13), 400)
    assert player.tracker.measured().all_done


def test_blinks_and_swaying_are_no_wrong_answers() -> None:
    player = Player(_script(Movement.TURN_LEFT))
    player.rest_until(Stage.MOVEMENT)
    player.show(Gesture(eyes=0.3))
    player.hold(Gesture(near=1.05, yaw=5, pitch=-4), 500)
    player.perform(Movement.TURN_LEFT)
    assert player.tracker.measured().all_done


def test_doing_nothing_ends_the_challenge_when_the_window_closes() -> None:
    player = Player(_script(Movement.OPEN_MOUTH, Movement.TURN_LEFT))
    prompted = player.rest_until(Stage.MOVEMENT)
    assert prompted.ends_at_ms is not None
    view = player.rest_until(Stage.FINISHED)
    assert player.t_ms == pytest.approx(prompted.ends_at_ms, abs=FRAME_MS)
    measured = player.tracker.measured()
    assert not measured.finished
    assert [m.done for m in measured.movements] == [False, False]
    assert measured.movements[0].prompted_at_ms is not None
    assert measured.movements[1].prompted_at_ms is None
    assert view.ends_at_ms is None


def test_a_late_movement_does_not_count() -> None:
    player = Player(_script(Movement.TURN_LEFT))
    player.rest_until(Stage.MOVEMENT)
    player.hold(REST, limits.WINDOW_MS)
    player.perform(Movement.TURN_LEFT)
    (seen,) = player.tracker.measured().movements
    assert not seen.done
    assert seen.peak < limits.TURN_DONE


def test_what_was_already_under_way_does_not_count() -> None:
    """A recording that turns before it is asked must come back first."""
    player = Player(_script(Movement.TURN_LEFT))
    player.rest_until(Stage.PAUSE)
    view = player.hold(GESTURES[Movement.TURN_LEFT], 3000)
    assert (view.stage, view.hint) == (Stage.MOVEMENT, Hint.LOOK_STRAIGHT)
    assert not player.tracker.measured().movements[0].done
    player.perform(Movement.TURN_LEFT)
    assert player.tracker.measured().movements[0].done


def test_movements_are_measured_from_the_persons_own_rest() -> None:
    """A phone held low shows every face looking up a little; that is not a nod."""
    low = Gesture(pitch=10, yaw=-6)
    player = Player(_script(Movement.NOD_UP))
    player.rest_until(Stage.MOVEMENT, gesture=low)
    player.hold(Gesture(pitch=16, yaw=-6), 1500)
    assert not player.tracker.measured().movements[0].done
    player.hold(low, 300)
    player.hold(Gesture(pitch=24, yaw=-6), 500)
    assert player.tracker.measured().movements[0].done


def test_one_frame_alone_is_not_a_movement() -> None:
    player = Player(_script(Movement.TURN_LEFT))
    player.rest_until(Stage.MOVEMENT)
    player.show(GESTURES[Movement.TURN_LEFT])
    player.hold(REST, 300)
    assert not player.tracker.measured().movements[0].done


def test_eyes_that_stay_shut_are_no_blink() -> None:
    player = Player(_script(Movement.BLINK))
    player.rest_until(Stage.MOVEMENT)
    player.hold(Gesture(eyes=0.3), 2000)
    player.hold(REST, 300)
    assert not player.tracker.measured().movements[0].done
    player.perform(Movement.BLINK)
    assert player.tracker.measured().movements[0].done


def test_looking_down_is_no_blink() -> None:
    player = Player(_script(Movement.BLINK))
    player.rest_until(Stage.MOVEMENT)
    for _ in range(2):
        player.hold(Gesture(pitch=-14, eyes=0.3), 300)
        player.hold(REST, 300)
    assert not player.tracker.measured().movements[0].done


def test_progress_grows_with_the_movement() -> None:
    player = Player(_script(Movement.TURN_LEFT, Movement.BLINK))
    player.rest_until(Stage.MOVEMENT)
    shown = [player.show(ease(REST, GESTURES[Movement.TURN_LEFT], s)).fraction for s in (0, 0.3, 0.6)]
    assert shown == sorted(shown)
    assert 0 < shown[-1] < 1


def test_no_face() -> None:
    player = Player(EVERY, lambda gesture: [])
    view = player.hold(REST, 500)
    assert (view.stage, view.hint, view.fraction) == (Stage.POSITION, Hint.NO_FACE, 0.0)


def _beside(gesture: Gesture, near: float = 1.0) -> list[Face]:
    second = face(dataclasses.replace(gesture, near=near)).moved(250, 0)
    return [face(gesture), second]


def test_two_faces_do_not_begin() -> None:
    player = Player(EVERY, _beside)
    view = player.hold(REST, 2000)
    assert (view.stage, view.hint) == (Stage.POSITION, Hint.TWO_FACES)


def test_a_second_face_is_counted_and_its_frames_do_not_count() -> None:
    player = Player(_script(Movement.TURN_LEFT))
    player.rest_until(Stage.MOVEMENT)
    player.hold(REST, 300)
    player.scene = _beside
    view = player.hold(GESTURES[Movement.TURN_LEFT], 500)
    assert view.hint is Hint.TWO_FACES
    assert not view.frontal
    measured = player.tracker.measured()
    assert not measured.movements[0].done
    assert measured.continuity.frames_with_more_faces == 5


def test_somebody_far_behind_does_not_disturb() -> None:
    player = Player(_script(Movement.TURN_LEFT), lambda gesture: _beside(gesture, near=0.3))
    player.rest_until(Stage.MOVEMENT)
    player.perform(Movement.TURN_LEFT)
    measured = player.tracker.measured()
    assert measured.all_done
    assert measured.continuity.frames_with_more_faces == 0


def test_a_stream_that_stops_comes_to_an_end() -> None:
    player = Player(_script(Movement.BLINK))
    player.rest_until(Stage.PAUSE)
    view = player.tracker.expire(player.t_ms + PAUSE + limits.WINDOW_MS + 1000)
    assert view.finished
    assert not player.tracker.measured().finished


def test_time_goes_forward() -> None:
    tracker = ChallengeTracker(EVERY)
    tracker.feed([face()], SHAPE, 100)
    with pytest.raises(ValueError, match="increase"):
        tracker.feed([face()], SHAPE, 100)


def test_landmarks_that_make_no_head_are_no_face() -> None:
    player = Player(EVERY, lambda gesture: [Face(np.full((478, 3), np.nan, dtype=np.float32))])
    view = player.hold(REST, 500)
    assert view.hint is Hint.NO_FACE


def test_after_the_end_nothing_changes() -> None:
    player = play(_script(Movement.TURN_LEFT))
    before = player.tracker.measured()
    player.hold(GESTURES[Movement.NOD_DOWN], 2000)
    assert player.tracker.measured() == before


def test_whoever_does_the_movement_is_compared_too() -> None:
    """Else somebody else could turn for a person who only rests."""
    assert limits.EMBED_YAW > limits.TURN_DONE
    assert limits.EMBED_PITCH > limits.NOD_DONE
    player = Player(_script(Movement.TURN_LEFT, Movement.NOD_UP))
    player.rest_until(Stage.MOVEMENT)
    player.show(Gesture(yaw=18))
    done = player.show(Gesture(yaw=18))
    assert done.stage is Stage.PAUSE
    assert done.frontal
    player.rest_until(Stage.MOVEMENT)
    player.show(Gesture(pitch=13))
    done = player.show(Gesture(pitch=13))
    assert done.finished
    assert done.frontal


def test_a_movement_is_done_in_a_frame_that_tells_whose_it_is() -> None:
    player = Player(_script(Movement.TURN_LEFT, Movement.NOD_UP))
    player.rest_until(Stage.MOVEMENT)
    far = player.hold(Gesture(yaw=38), 500)
    assert far.stage is Stage.MOVEMENT
    assert not far.moved
    assert far.fraction > 0.9
    on_the_way_back = player.show(Gesture(yaw=23))
    assert on_the_way_back.moved
    assert on_the_way_back.stage is Stage.PAUSE
    assert not player.show(REST).moved
    player.rest_until(Stage.MOVEMENT)
    assert player.hold(Gesture(pitch=27), 500).stage is Stage.MOVEMENT
    assert player.show(Gesture(pitch=16)).moved


def test_frontal_frames_are_offered_for_embedding() -> None:
    player = Player(_script(*TURNS))
    assert not player.show(REST).frontal, "not before the baseline stands"
    assert player.rest_until(Stage.MOVEMENT).frontal
    assert not player.show(GESTURES[Movement.TURN_LEFT]).frontal
    player.tracker.add_embedding(np.array([1, 0], dtype=np.float32))
    assert player.tracker.measured().continuity.least_similarity is None
    player.tracker.add_embedding(np.array([0.6, 0.8], dtype=np.float32))
    player.tracker.add_embedding(np.array([0.8, 0.6], dtype=np.float32))
    continuity = player.tracker.measured().continuity
    assert continuity.embedded == 3
    assert continuity.least_similarity == pytest.approx(0.6)
