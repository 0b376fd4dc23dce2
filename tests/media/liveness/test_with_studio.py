"""The whole way from drawn pictures through MediaPipe to numbers. Synthetic people prove plumbing only."""

from __future__ import annotations

import pytest

from app.studio import Attack, make_applicant, perform
from app.studio.actor import Performer
from media.faces import open_tracker
from media.liveness import (
    ChallengeMeasured,
    ChallengeTracker,
    FrozenMeasured,
    FrozenWatch,
    Movement,
    Script,
    Stage,
)

FRAME_MS = 125
LONGEST_MS = 45_000
M = Movement


def _film(performer: Performer, *movements: Movement) -> tuple[ChallengeMeasured, FrozenMeasured]:
    """Lets `performer` be guided through a script, eight frames a second."""
    challenge = ChallengeTracker(Script("n", movements, (400,) * len(movements)))
    watch, tracker = FrozenWatch(), open_tracker()
    performer.hear({"type": "step", "seq": 0, "stage": "position", "prompt": "face_oval"})
    told = -1
    for t_ms in range(FRAME_MS, LONGEST_MS, FRAME_MS):
        frame = performer.frame(t_ms)
        if frame is None:
            view = challenge.expire(t_ms)
        else:
            watch.feed(frame, t_ms)
            view = challenge.feed(tracker.track(frame, t_ms), frame.shape, t_ms)
        if view.stage is Stage.MOVEMENT and view.movement is not None and view.index != told:
            told = view.index
            prompt = view.movement.value
            performer.hear({"type": "step", "seq": told + 1, "stage": "movement", "prompt": prompt})
        if view.finished:
            break
    tracker.close()
    return challenge.measured(), watch.measured()


@pytest.mark.parametrize(
    ("seed", "movements"),
    [
        (1, (M.TURN_LEFT, M.NOD_UP, M.OPEN_MOUTH)),
        (2, (M.BLINK, M.TURN_RIGHT, M.COME_CLOSER)),
        (3, (M.NOD_DOWN, M.TURN_LEFT, M.TURN_RIGHT)),
    ],
)
def test_a_living_person_gets_through(seed: int, movements: tuple[Movement, ...]) -> None:
    measured, watched = _film(perform(None, make_applicant(seed)), *movements)
    assert measured.all_done
    assert measured.depth.residual is not None
    assert measured.depth.residual > 0.027
    assert (measured.continuity.breaks, measured.continuity.jumps) == (0, 0)
    assert watched.still + watched.repeated == 0


@pytest.mark.parametrize("attack", [Attack.PRINT, Attack.REPLAY, Attack.LOOP, Attack.IDLE, Attack.SWAP])
def test_attacks_do_not(attack: Attack) -> None:
    performer = perform(attack, make_applicant(1))
    measured, watched = _film(performer, M.TURN_LEFT, M.NOD_DOWN, M.OPEN_MOUTH)
    assert not measured.all_done
    if attack is Attack.PRINT and measured.depth.residual is not None:
        assert measured.depth.residual < 0.02
    if attack is Attack.LOOP:
        assert watched.repeated > 0.3 * watched.frames
    if attack is Attack.REPLAY:
        assert not measured.movements[0].in_order


def test_a_frozen_stream_is_noticed() -> None:
    measured, watched = _film(perform(Attack.FROZEN, make_applicant(1)), M.TURN_LEFT, M.NOD_DOWN)
    assert not measured.all_done
    assert watched.longest_still_ms > 5000


def test_two_faces_never_come_into_position() -> None:
    measured, _ = _film(perform(Attack.TWO_FACES, make_applicant(1)), M.TURN_LEFT)
    assert measured.position_took_ms is None
