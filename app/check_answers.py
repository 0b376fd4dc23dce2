"""What asking for an attempt at the video check leads to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from activation.ids import CheckId
from media.webrtc import IceServer


class CheckRefusal(StrEnum):
    NOT_FOUND = "not_found"
    WRONG_STATE = "wrong_state"
    CONSENT_WANTED = "consent_wanted"
    OFFER_ALREADY_ANSWERED = "offer_already_answered"


@dataclass(frozen=True)
class CheckMade:
    """A new attempt and what the phone needs for it."""

    check: CheckId
    expires_at: datetime
    attempts_left: int
    ice_servers: Sequence[IceServer]
