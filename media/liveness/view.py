"""What the phone is told while the challenge runs. Never a score."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from media.liveness.script import Movement


class Stage(StrEnum):
    """`PAUSE` is the short random wait before a prompt: the person is asked nothing."""

    POSITION = "position"
    PAUSE = "pause"
    MOVEMENT = "movement"
    FINISHED = "finished"


class Hint(StrEnum):
    NO_FACE = "no_face"
    TWO_FACES = "two_faces"
    TOO_FAR = "too_far"
    TOO_CLOSE = "too_close"
    OFF_CENTRE = "off_centre"
    LOOK_STRAIGHT = "look_straight"
    HOLD_STILL = "hold_still"


@dataclass(frozen=True)
class ChallengeView:
    """Where the challenge stands after a frame.

    `index` counts movements from 0; `movement` is None outside of `MOVEMENT`; `fraction` is the progress of
    this stage, 0..1; `ends_at_ms` is when this stage's time is up, in the stream's time. `frontal`: the frame
    shows one person looking ahead, so it is worth an embedding (`ChallengeTracker.add_embedding`). `moved`:
    it completes a movement, so it must be embedded.
    """

    stage: Stage
    index: int
    movement: Movement | None
    fraction: float
    hint: Hint | None
    ends_at_ms: int | None
    frontal: bool
    moved: bool = False

    @property
    def finished(self) -> bool:
        return self.stage is Stage.FINISHED
