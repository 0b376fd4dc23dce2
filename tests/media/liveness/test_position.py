"""Coming into place: what is asked of the person before the first movement."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from media.faces import Face
from media.liveness import limits
from media.liveness.script import Movement, Script
from media.liveness.view import Hint, Stage
from tests.media.liveness.heads import Gesture, face
from tests.media.liveness.performing import REST, Player

EVERY = Script("nonce", tuple(Movement), (400,) * len(Movement))


@pytest.mark.parametrize(
    ("gesture", "hint"),
    [
        (Gesture(near=0.4), Hint.TOO_FAR),
        (Gesture(near=1.9), Hint.TOO_CLOSE),
        (Gesture(x=-160), Hint.OFF_CENTRE),
        (Gesture(x=160), Hint.OFF_CENTRE),
        (Gesture(yaw=20), Hint.LOOK_STRAIGHT),
        (Gesture(pitch=-28), Hint.LOOK_STRAIGHT),
    ],
)
def test_hints_tell_how_to_come_into_place(gesture: Gesture, hint: Hint) -> None:
    player = Player(EVERY)
    view = player.hold(gesture, 2000)
    assert (view.stage, view.hint) == (Stage.POSITION, hint)
    assert player.tracker.measured().baseline is None
    assert player.rest_until(Stage.PAUSE).hint is None


def test_moving_about_is_no_baseline() -> None:
    player = Player(EVERY)
    hints = set()
    for number in range(20):
        hints.add(player.show(Gesture(yaw=10 if number % 2 else -10)).hint)
    assert player.views[-1].stage is Stage.POSITION
    assert Hint.HOLD_STILL in hints


def test_the_position_has_its_time() -> None:
    player = Player(EVERY)
    view = player.hold(Gesture(near=0.4), limits.POSITION_WINDOW_MS + 1000)
    assert view.stage is Stage.FINISHED
    measured = player.tracker.measured()
    assert measured.position_took_ms is None
    assert not measured.finished
    assert measured.depth.residual is None


def test_the_baseline_needs_an_unbroken_hold() -> None:
    away = [False]

    def scene(gesture: Gesture) -> Sequence[Face]:
        away[0] = not away[0]
        return [] if away[0] else [face(gesture)]

    player = Player(EVERY, scene)
    assert player.hold(REST, 3000).stage is Stage.POSITION
