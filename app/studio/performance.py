"""How a person carries out a movement or shows a card: what to draw at each moment of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.studio.head import LOOKING_AHEAD, Look
from media.liveness import Movement

TURN_DEGREES = 27.0
NOD_DOWN_DEGREES = 18.0
CLOSER_SCALE = 1.45
"""How much larger the face is when the person has come closer."""
RAISE_S = 0.8
"""Seconds to lift a card before the camera, and to take it away."""


class Showing(StrEnum):
    ID_FRONT = "id_front"
    SIM = "sim"


@dataclass(frozen=True)
class Moment:
    """closer: 0 at rest to 1. showing: which card is in the hands, raised: 0 out of the picture to 1."""

    look: Look = LOOKING_AHEAD
    closer: float = 0.0
    showing: Showing | None = None
    raised: float = 0.0


AT_REST = Moment()


@dataclass(frozen=True)
class _Pace:
    """Seconds to start, to hold and to return."""

    start: float
    hold: float
    back: float


_USUAL = _Pace(0.5, 0.7, 0.5)
_PACES = {
    Movement.BLINK: _Pace(0.12, 0.3, 0.15),
    Movement.COME_CLOSER: _Pace(0.8, 0.8, 0.7),
}


def seconds_of(movement: Movement) -> float:
    """How long `movement` takes from rest to rest."""
    pace = _PACES.get(movement, _USUAL)
    return pace.start + pace.hold + pace.back


def moving(movement: Movement, seconds: float, nod_up: float) -> Moment:
    """The moment `seconds` after `movement` began; at rest before and after. nod_up: its degrees."""
    share = _share(_PACES.get(movement, _USUAL), seconds)
    match movement:
        case Movement.TURN_LEFT:
            return Moment(Look(yaw=TURN_DEGREES * share))
        case Movement.TURN_RIGHT:
            return Moment(Look(yaw=-TURN_DEGREES * share))
        case Movement.NOD_UP:
            return Moment(Look(pitch=nod_up * share))
        case Movement.NOD_DOWN:
            return Moment(Look(pitch=-NOD_DOWN_DEGREES * share))
        case Movement.OPEN_MOUTH:
            return Moment(Look(mouth=share))
        case Movement.COME_CLOSER:
            return Moment(closer=share)
        case Movement.BLINK:
            return Moment(Look(blink=share))


def showing(card: Showing, seconds: float) -> Moment:
    """The moment `seconds` after the person began to lift `card`."""
    return Moment(showing=card, raised=ease(seconds / RAISE_S))


def ease(share: float) -> float:
    """0 to 1 with a soft start and end."""
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)


def _share(pace: _Pace, seconds: float) -> float:
    if seconds < pace.start:
        return ease(seconds / pace.start)
    if seconds < pace.start + pace.hold:
        return 1.0
    return 1.0 - ease((seconds - pace.start - pace.hold) / pace.back)
