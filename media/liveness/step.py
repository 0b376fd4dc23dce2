"""One movement of the script while its window is open."""

from __future__ import annotations

import dataclasses

from media.liveness import limits
from media.liveness.measured import Baseline, MovementSeen
from media.liveness.movements import Blink, Held, amount, at_rest, done_instead, one_alone, share_done
from media.liveness.reading import Reading
from media.liveness.script import Movement
from media.liveness.view import Hint


class Step:
    """Watches for one movement. It must start from rest: what was already under way does not count."""

    def __init__(self, movement: Movement, rest: Baseline, prompted_at_ms: int) -> None:
        self.movement = movement
        self.done_at_ms: int | None = None
        self._rest = rest
        self._prompted_at_ms = prompted_at_ms
        self._rested = False
        self._held = Held()
        self._held_other: dict[Movement, Held] = {}
        self._blink = Blink()
        self._others: list[Movement] = []
        self._peak = 0.0
        self.fraction = 0.0

    def feed(self, now: Reading) -> Hint | None:
        """Takes the next frame that shows the person; what the person should change, if anything."""
        if not self._rested:
            if not at_rest(now, self._rest):
                self._note_other(now)
                return Hint.LOOK_STRAIGHT
            self._start(now)
        self._peak = max(self._peak, amount(self.movement, now, self._rest))
        self._note_other(now)
        if self._is_done(now) and self._face_is_told(now):
            self.done_at_ms = now.t_ms
            self.fraction = 1.0
        else:
            self.fraction = min(0.95, max(0.0, share_done(self.movement, now, self._rest)))
        return None

    def seen(self) -> MovementSeen:
        """What was measured up to now."""
        took = None if self.done_at_ms is None else self.done_at_ms - self._prompted_at_ms
        return MovementSeen(
            movement=self.movement,
            done=self.done_at_ms is not None,
            in_order=not self._others,
            peak=self._peak,
            prompted_at_ms=self._prompted_at_ms,
            took_ms=took,
            others=tuple(self._others),
        )

    def _start(self, now: Reading) -> None:
        self._rested = True
        if self.movement is Movement.COME_CLOSER:
            # People sway; closeness counts from where the person stands when asked.
            least, most = (self._rest.size * share for share in limits.CLOSER_FROM)
            self._rest = dataclasses.replace(self._rest, size=min(max(now.size, least), most))

    def _is_done(self, now: Reading) -> bool:
        if self.movement is Movement.BLINK:
            return self._blink.feed(now, self._rest)
        there = share_done(self.movement, now, self._rest) >= 1.0
        return self._held.feed(there and one_alone(self.movement, now, self._rest), now.t_ms)

    def _face_is_told(self, now: Reading) -> bool:
        """Whose face it is can be told in this frame, which will be embedded."""
        return (
            abs(now.yaw - self._rest.yaw) <= limits.SHOWN_YAW
            and abs(now.pitch - self._rest.pitch) <= limits.SHOWN_PITCH
        )

    def _note_other(self, now: Reading) -> None:
        """Notes another movement. The one that is still ending from the step before does not count."""
        other = done_instead(self.movement, now, self._rest) if self._rested else None
        for movement, held in self._held_other.items():
            if movement is not other:
                held.feed(False, now.t_ms)
        if other is None or other in self._others:
            return
        if self._held_other.setdefault(other, Held()).feed(True, now.t_ms):
            self._others.append(other)


def never_prompted(movement: Movement) -> MovementSeen:
    """A movement that the challenge did not come to."""
    return MovementSeen(
        movement=movement, done=False, in_order=True, peak=0.0, prompted_at_ms=None, took_ms=None, others=()
    )
