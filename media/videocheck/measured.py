"""What one attempt measured, for the caller to turn into evidence. Held in memory only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from activation.evidence import CheckOutcome, LivenessMeasured, ModelRef
from activation.ids import CheckId, Iccid
from media.webrtc import IntakeCounts


class Ending(StrEnum):
    """Why a session ended; `OUTCOMES` says what that is in evidence."""

    COMPLETE = "complete"
    CHALLENGE_NOT_DONE = "challenge_not_done"
    DOCUMENT_NOT_SEEN = "document_not_seen"
    SIM_NOT_SEEN = "sim_not_seen"
    TIME_UP = "time_up"
    NEVER_CONNECTED = "never_connected"
    CANCELLED = "cancelled"
    CONNECTION_LOST = "connection_lost"
    STREAM_STOPPED = "stream_stopped"
    STREAM_TOO_FAST = "stream_too_fast"
    TOO_MUCH_NOISE = "too_much_noise"
    SUPERSEDED = "superseded"
    SERVER_STOPPED = "server_stopped"
    FAULT = "fault"


_AS_IT_STANDS = frozenset(
    {Ending.COMPLETE, Ending.CHALLENGE_NOT_DONE, Ending.DOCUMENT_NOT_SEEN, Ending.SIM_NOT_SEEN}
)

OUTCOMES: dict[Ending, CheckOutcome] = {
    **dict.fromkeys(Ending, CheckOutcome.ABORTED),
    **dict.fromkeys(_AS_IT_STANDS, CheckOutcome.MEASURED),
    Ending.TIME_UP: CheckOutcome.EXPIRED,
    Ending.NEVER_CONNECTED: CheckOutcome.EXPIRED,
}


@dataclass(frozen=True, repr=False)
class Keyframe:
    """One picture of the check as JPEG. kind: `face`, a movement's name, `document` or `sim`."""

    kind: str
    t_ms: int
    jpeg: bytes


@dataclass(frozen=True)
class Pace:
    """How the session ran. Delays are from a frame's arrival to its guidance being sent, milliseconds."""

    received: IntakeCounts | None
    analysed: int
    delay_median_ms: int | None
    delay_p95_ms: int | None
    strange_messages: int


@dataclass(frozen=True, eq=False, repr=False)
class CheckMeasured:
    """The whole attempt. Name and number are personal data: they become keyed hashes and are forgotten.

    live: unit-length embedding, mean of the frontal faces of the challenge. portrait: that of the portrait on
    the card. Both by `recogniser`. document_frames: frames in which the number was read alike.
    """

    check: CheckId
    ending: Ending
    seconds: float
    liveness: LivenessMeasured | None
    document_name: str | None
    document_number: str | None
    document_frames: int
    iccid: Iccid | None
    live: NDArray[np.float32] | None
    portrait: NDArray[np.float32] | None
    recogniser: ModelRef | None
    tracker: ModelRef | None
    keyframes: tuple[Keyframe, ...]
    clip: bytes | None
    pace: Pace

    @property
    def outcome(self) -> CheckOutcome:
        return OUTCOMES[self.ending]
