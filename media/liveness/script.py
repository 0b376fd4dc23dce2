"""The challenge of one attempt (R4.2): made by the server from a cryptographic source, used once."""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass
from enum import StrEnum

from media.liveness.limits import (
    LEAST_ORDERS,
    MOVEMENTS_PER_SCRIPT,
    PAUSE_STEP_MS,
    PAUSE_STEPS,
    POSITION_WINDOW_MS,
    SHORTEST_PAUSE_MS,
    WINDOW_MS,
)


class Movement(StrEnum):
    """What the person is asked to do; left and right are the person's own."""

    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    NOD_UP = "nod_up"
    NOD_DOWN = "nod_down"
    OPEN_MOUTH = "open_mouth"
    COME_CLOSER = "come_closer"
    BLINK = "blink"


TURNS = frozenset({Movement.TURN_LEFT, Movement.TURN_RIGHT})
NODS = frozenset({Movement.NOD_UP, Movement.NOD_DOWN})


class Profile(StrEnum):
    """What a person cannot do. Each keeps a rotation of the head, because depth is measured on it."""

    STANDARD = "standard"
    NO_BLINK = "no_blink"
    NO_TURN = "no_turn"
    NO_NOD = "no_nod"
    NO_BLINK_NO_TURN = "no_blink_no_turn"


_LEFT_OUT: dict[Profile, frozenset[Movement]] = {
    Profile.STANDARD: frozenset(),
    Profile.NO_BLINK: frozenset({Movement.BLINK}),
    Profile.NO_TURN: TURNS,
    Profile.NO_NOD: NODS,
    Profile.NO_BLINK_NO_TURN: TURNS | {Movement.BLINK},
}


@dataclass(frozen=True)
class Script:
    """Movements in order, none twice in a row. `pauses_ms[i]` passes between the end of what came before and
    the prompt for `movements[i]`, so that a recording of the same order does not keep the same time."""

    nonce: str
    movements: tuple[Movement, ...]
    pauses_ms: tuple[int, ...]
    window_ms: int = WINDOW_MS
    position_ms: int = POSITION_WINDOW_MS

    def __post_init__(self) -> None:
        if not self.movements or len(self.pauses_ms) != len(self.movements):
            raise ValueError("a script has at least one movement and one pause for each")
        if self.window_ms <= 0 or self.position_ms <= 0 or min(self.pauses_ms) < 0:
            raise ValueError("the times of a script are positive")


def orders(profile: Profile = Profile.STANDARD) -> list[tuple[Movement, ...]]:
    """Every order of movements that a script for `profile` may have, LEAST_ORDERS or more."""
    can = [movement for movement in Movement if movement not in _LEFT_OUT[profile]]
    length = MOVEMENTS_PER_SCRIPT
    while len(found := _orders_of(can, length)) < LEAST_ORDERS:
        length += 1
    return found


def _orders_of(can: list[Movement], length: int) -> list[tuple[Movement, ...]]:
    rotations = TURNS.intersection(can) or NODS
    return [
        order
        for order in itertools.product(can, repeat=length)
        if rotations.intersection(order) and all(a is not b for a, b in itertools.pairwise(order))
    ]


def new_script(profile: Profile = Profile.STANDARD) -> Script:
    """A script that cannot be foreseen; every order for the profile is equally likely."""
    movements = secrets.choice(orders(profile))
    pauses = tuple(SHORTEST_PAUSE_MS + PAUSE_STEP_MS * secrets.randbelow(PAUSE_STEPS) for _ in movements)
    return Script(nonce=secrets.token_urlsafe(16), movements=movements, pauses_ms=pauses)
