from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from media.liveness.limits import SHORTEST_PAUSE_MS, WINDOW_MS
from media.liveness.script import NODS, TURNS, Movement, Profile, Script, new_script, orders


@pytest.mark.parametrize("profile", list(Profile))
def test_a_script_asks_for_three_or_four_movements_and_a_rotation(profile: Profile) -> None:
    for _ in range(50):
        script = new_script(profile)
        assert 3 <= len(script.movements) <= 4
        assert all(one is not next_one for one, next_one in pairwise(script.movements))
        assert (TURNS | NODS) & set(script.movements)
        assert len(script.pauses_ms) == len(script.movements)
        assert min(script.pauses_ms) >= SHORTEST_PAUSE_MS
        assert script.window_ms == WINDOW_MS


@pytest.mark.parametrize(
    ("profile", "never"),
    [
        (Profile.NO_BLINK, {Movement.BLINK}),
        (Profile.NO_TURN, set(TURNS)),
        (Profile.NO_NOD, set(NODS)),
        (Profile.NO_BLINK_NO_TURN, {Movement.BLINK} | TURNS),
    ],
)
def test_nobody_is_asked_for_what_they_cannot_do(profile: Profile, never: set[Movement]) -> None:
    asked = {movement for order in orders(profile) for movement in order}
    assert asked == set(Movement) - never


def test_there_are_many_scripts() -> None:
    assert len(orders()) == len(set(orders())) == 172
    assert all(TURNS & set(order) for order in orders())


@pytest.mark.parametrize("profile", list(Profile))
def test_no_profile_makes_scripts_easy_to_guess(profile: Profile) -> None:
    """The phone names the profile, so an attacker may name the one with the least to choose from."""
    assert len(set(orders(profile))) >= 100


def test_scripts_cannot_be_foreseen() -> None:
    made = [new_script() for _ in range(400)]
    assert len({script.nonce for script in made}) == 400
    assert all(len(script.nonce) >= 20 for script in made)
    assert len({script.movements for script in made}) > 100
    assert len({script.pauses_ms for script in made}) > 200
    first = Counter(script.movements[0] for script in made)
    assert set(first) == set(Movement)
    assert max(first.values()) < 120


@pytest.mark.parametrize(
    ("movements", "pauses", "window"),
    [
        ((), (), 8000),
        ((Movement.BLINK,), (), 8000),
        ((Movement.BLINK,), (300,), 0),
        ((Movement.BLINK,), (-1,), 1),
    ],
)
def test_a_script_that_makes_no_sense(
    movements: tuple[Movement, ...], pauses: tuple[int, ...], window: int
) -> None:
    with pytest.raises(ValueError, match=r"script"):
        Script("n", movements, pauses, window)
