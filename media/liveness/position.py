"""The first stage: one face, in the middle, of the right size, straight ahead, still. Gives the baseline."""

from __future__ import annotations

from media.liveness import limits
from media.liveness.measured import Baseline
from media.liveness.reading import Reading, baseline_of
from media.liveness.view import Hint


class Position:
    """Collects the frames of an unbroken hold."""

    def __init__(self) -> None:
        self._held: list[Reading] = []

    @property
    def fraction(self) -> float:
        """Progress of the hold, 0..1."""
        if len(self._held) < 2:
            return 0.0
        in_time = (self._held[-1].t_ms - self._held[0].t_ms) / limits.HOLD_MS
        return min(1.0, in_time, len(self._held) / limits.HOLD_FRAMES)

    @property
    def baseline(self) -> Baseline | None:
        """The person at rest, as soon as the hold is long enough."""
        return baseline_of(self._held) if self.fraction >= 1.0 else None

    def lose(self) -> None:
        """The hold is broken: no face, or more than one."""
        self._held.clear()

    def feed(self, reading: Reading) -> Hint | None:
        """Takes the next frame; what the person should change, if anything."""
        hint = what_to_change(reading)
        if hint is not None:
            self.lose()
            return hint
        self._held.append(reading)
        if _spread([r.yaw for r in self._held]) > limits.STILL_DEGREES or (
            _spread([r.pitch for r in self._held]) > limits.STILL_DEGREES
        ):
            self._held = [reading]
            return Hint.HOLD_STILL
        return None


def what_to_change(reading: Reading) -> Hint | None:
    """The first thing that keeps this frame from being a good start."""
    if reading.size < limits.SMALLEST_SIZE:
        return Hint.TOO_FAR
    if reading.size > limits.LARGEST_SIZE:
        return Hint.TOO_CLOSE
    if abs(reading.x - 0.5) > limits.OFF_CENTRE_X or abs(reading.y - 0.5) > limits.OFF_CENTRE_Y:
        return Hint.OFF_CENTRE
    if abs(reading.yaw) > limits.STRAIGHT_YAW or abs(reading.pitch) > limits.STRAIGHT_PITCH:
        return Hint.LOOK_STRAIGHT
    return None


def _spread(values: list[float]) -> float:
    return max(values) - min(values)
