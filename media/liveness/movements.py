"""How far a movement has come, measured against the person's own baseline."""

from __future__ import annotations

from collections.abc import Callable

from media.liveness import limits
from media.liveness.measured import Baseline
from media.liveness.reading import Reading
from media.liveness.script import Movement

_AMOUNT: dict[Movement, Callable[[Reading, Baseline], float]] = {
    Movement.TURN_LEFT: lambda now, rest: now.yaw - rest.yaw,
    Movement.TURN_RIGHT: lambda now, rest: rest.yaw - now.yaw,
    Movement.NOD_UP: lambda now, rest: now.pitch - rest.pitch,
    Movement.NOD_DOWN: lambda now, rest: rest.pitch - now.pitch,
    Movement.OPEN_MOUTH: lambda now, rest: now.mouth - rest.mouth,
    Movement.COME_CLOSER: lambda now, rest: now.size / rest.size - 1.0,
    Movement.BLINK: lambda now, rest: 1.0 - now.eyes / rest.eyes if rest.eyes else 0.0,
}

_DONE: dict[Movement, float] = {
    Movement.TURN_LEFT: limits.TURN_DONE,
    Movement.TURN_RIGHT: limits.TURN_DONE,
    Movement.NOD_UP: limits.NOD_DONE,
    Movement.NOD_DOWN: limits.NOD_DONE,
    Movement.OPEN_MOUTH: limits.MOUTH_DONE,
    Movement.COME_CLOSER: limits.CLOSER_DONE,
    Movement.BLINK: limits.BLINK_DONE,
}

# People blink and lean without being asked, so neither is a wrong answer.
_DELIBERATE = (
    Movement.TURN_LEFT,
    Movement.TURN_RIGHT,
    Movement.NOD_UP,
    Movement.NOD_DOWN,
    Movement.OPEN_MOUTH,
)


def amount(movement: Movement, now: Reading, rest: Baseline) -> float:
    """How far `movement` has come: degrees, or a share (see `MovementSeen.peak`)."""
    return _AMOUNT[movement](now, rest)


def share_done(movement: Movement, now: Reading, rest: Baseline) -> float:
    """The same as a share of what counts as done, which is 1."""
    return amount(movement, now, rest) / _DONE[movement]


def at_rest(now: Reading, rest: Baseline) -> bool:
    """The person is back where a movement starts."""
    return (
        abs(now.yaw - rest.yaw) <= limits.REST_YAW
        and abs(now.pitch - rest.pitch) <= limits.REST_PITCH
        and now.mouth - rest.mouth <= limits.REST_MOUTH
    )


def done_instead(wanted: Movement, now: Reading, rest: Baseline) -> Movement | None:
    """A deliberate movement that is fully done while the wanted one is not under way."""
    if share_done(wanted, now, rest) >= limits.OTHER_FIRST:
        return None
    others = [m for m in _DELIBERATE if m is not wanted and share_done(m, now, rest) >= 1.0]
    return max(others, key=lambda m: share_done(m, now, rest), default=None)


def one_alone(wanted: Movement, now: Reading, rest: Baseline) -> bool:
    """Whether nothing else deliberate is fully done beside `wanted`.

    Otherwise one film of somebody who turns, nods and opens the mouth at once would answer every script of
    these. Leaning in is let off: it moves the head up or down in the picture by itself.
    """
    if wanted is Movement.COME_CLOSER:
        return True
    return all(share_done(m, now, rest) < 1.0 for m in _DELIBERATE if m is not wanted)


class Held:
    """Notices that something is true for `limits.DONE_MS` without a break."""

    def __init__(self) -> None:
        self._since: int | None = None

    def feed(self, true_now: bool, t_ms: int) -> bool:
        if not true_now:
            self._since = None
            return False
        if self._since is None:
            self._since = t_ms
        return t_ms - self._since >= limits.DONE_MS


class Blink:
    """Notices eyes that were open, close, and open again soon while the head stays level."""

    def __init__(self) -> None:
        self._was_open = False
        self._closed_at: int | None = None

    def feed(self, now: Reading, rest: Baseline) -> bool:
        if abs(now.pitch - rest.pitch) > limits.BLINK_STEADY_PITCH:
            self._was_open, self._closed_at = False, None
            return False
        closed = amount(Movement.BLINK, now, rest)
        if closed >= limits.BLINK_DONE:
            if self._was_open and self._closed_at is None:
                self._closed_at = now.t_ms
            return False
        if closed > limits.BLINK_OPEN:
            return False
        blinked = self._closed_at is not None and now.t_ms - self._closed_at <= limits.BLINK_LONGEST_MS
        self._was_open, self._closed_at = True, None
        return blinked
