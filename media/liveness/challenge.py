"""Follows one person through one script (R4.2).

position → (pause → movement) for each movement → finished; any stage that runs out of time ends the
challenge, and what was measured until then stands.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from media.faces import Face
from media.liveness import limits
from media.liveness.continuity import Continuity
from media.liveness.depth import Depth
from media.liveness.measured import Baseline, ChallengeMeasured
from media.liveness.position import Position
from media.liveness.reading import Reading, Shape, read_face
from media.liveness.script import Script
from media.liveness.step import Step, never_prompted
from media.liveness.view import ChallengeView, Hint, Stage


class ChallengeTracker:
    """Feed it every analysed frame of one attempt, in time order. Works on landmarks only."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._stage = Stage.POSITION
        self._stage_from_ms: int | None = None
        self._now_ms = -1
        self._began_ms = 0
        self._position = Position()
        self._position_took_ms: int | None = None
        self._baseline: Baseline | None = None
        self._steps: list[Step] = []
        self._depth = Depth()
        self._continuity = Continuity()
        self._hint: Hint | None = None
        self._frontal = False
        self._moved = False

    def feed(self, faces: Sequence[Face], bgr_shape: Shape, t_ms: int) -> ChallengeView:
        """Takes the faces of a frame of `bgr_shape` (H, W, ...) at `t_ms` of the stream.

        ValueError where time does not go forward.
        """
        self._advance(t_ms)
        self._frontal = self._moved = False
        if self._stage is Stage.FINISHED:
            return self.view()
        face, alone = self._continuity.choose(faces)
        reading = _read(face, bgr_shape, t_ms)
        if self._baseline is not None:
            self._continuity.feed(face if reading is not None else None, alone, t_ms)
        if reading is None or face is None:
            self._lose(Hint.NO_FACE)
        elif not alone:
            self._lose(Hint.TWO_FACES)
        else:
            self._take(face, reading)
            self._frontal = self._worth_embedding(reading)
        return self.view()

    def expire(self, t_ms: int) -> ChallengeView:
        """Lets time pass without a frame, so that a stream that stopped still comes to an end."""
        self._advance(t_ms)
        return self.view()

    def add_embedding(self, embedding: NDArray[np.float32]) -> None:
        """Notes the embedding of a frame whose view said `frontal` or `moved`."""
        self._continuity.add_embedding(embedding)

    def view(self) -> ChallengeView:
        """Where the challenge stands."""
        moving = self._stage is Stage.MOVEMENT
        return ChallengeView(
            stage=self._stage,
            index=max(0, len(self._steps) - 1) if self._stage is not Stage.PAUSE else len(self._steps),
            movement=self._steps[-1].movement if moving else None,
            fraction=self._fraction(),
            hint=self._hint,
            ends_at_ms=self._ends_at_ms(),
            frontal=self._frontal,
            moved=self._moved,
        )

    def measured(self) -> ChallengeMeasured:
        """Everything measured until now."""
        seen = [step.seen() for step in self._steps]
        seen += [never_prompted(movement) for movement in self._script.movements[len(seen) :]]
        return ChallengeMeasured(
            nonce=self._script.nonce,
            finished=all(movement.done for movement in seen),
            position_took_ms=self._position_took_ms,
            baseline=self._baseline,
            movements=tuple(seen),
            depth=self._depth.measured(),
            continuity=self._continuity.measured(),
        )

    def _advance(self, t_ms: int) -> None:
        """Moves the clock on; ends the pause or, where its time is up, the challenge."""
        if t_ms <= self._now_ms:
            raise ValueError("the times of a challenge increase from frame to frame")
        if self._stage_from_ms is None:
            self._stage_from_ms = self._began_ms = t_ms
        self._now_ms = t_ms
        while (ends := self._ends_at_ms()) is not None and t_ms >= ends:
            self._time_is_up(ends)

    def _time_is_up(self, t_ms: int) -> None:
        if self._stage is Stage.PAUSE and self._baseline is not None:
            movement = self._script.movements[len(self._steps)]
            self._steps.append(Step(movement, self._baseline, t_ms))
            self._enter(Stage.MOVEMENT, t_ms)
        else:
            self._enter(Stage.FINISHED, t_ms)

    def _ends_at_ms(self) -> int | None:
        if self._stage_from_ms is None or self._stage is Stage.FINISHED:
            return None
        return self._stage_from_ms + self._lasts_ms()

    def _lasts_ms(self) -> int:
        match self._stage:
            case Stage.POSITION:
                return self._script.position_ms
            case Stage.PAUSE:
                return self._script.pauses_ms[len(self._steps)]
            case _:
                return self._script.window_ms

    def _enter(self, stage: Stage, t_ms: int) -> None:
        self._stage, self._stage_from_ms, self._hint = stage, t_ms, None

    def _lose(self, hint: Hint) -> None:
        self._hint = hint
        self._position.lose()

    def _take(self, face: Face, reading: Reading) -> None:
        """A frame with the person alone in it."""
        if self._stage is Stage.POSITION:
            self._hint = self._position.feed(reading)
            self._depth.offer_frontal(face, reading)
            baseline = self._position.baseline
            if baseline is not None:
                self._baseline = baseline
                self._position_took_ms = reading.t_ms - self._began_ms
                self._depth.settle(baseline)
                self._enter(Stage.PAUSE, reading.t_ms)
            return
        self._depth.feed(face, reading)
        if self._stage is Stage.MOVEMENT:
            step = self._steps[-1]
            self._hint = step.feed(reading)
            if step.done_at_ms is not None:
                self._moved = True
                last = len(self._steps) == len(self._script.movements)
                self._enter(Stage.FINISHED if last else Stage.PAUSE, reading.t_ms)

    def _worth_embedding(self, reading: Reading) -> bool:
        rest = self._baseline
        return (
            rest is not None
            and abs(reading.yaw - rest.yaw) <= limits.EMBED_YAW
            and abs(reading.pitch - rest.pitch) <= limits.EMBED_PITCH
        )

    def _fraction(self) -> float:
        match self._stage:
            case Stage.POSITION:
                return self._position.fraction
            case Stage.MOVEMENT:
                return self._steps[-1].fraction
            case Stage.PAUSE:
                return 0.0
            case Stage.FINISHED:
                return 1.0


def _read(face: Face | None, shape: Shape, t_ms: int) -> Reading | None:
    """None also where the landmarks make no head, which is the same as not seeing one."""
    if face is None:
        return None
    try:
        return read_face(face, shape, t_ms)
    except ValueError:
        return None
