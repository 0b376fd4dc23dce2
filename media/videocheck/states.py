"""The life of one attempt, as a table. Anything that is not listed is refused."""

from __future__ import annotations

from enum import StrEnum


class CheckState(StrEnum):
    CREATED = "created"
    CONNECTED = "connected"
    CHALLENGE = "challenge"
    DOCUMENT = "document"
    SIM = "sim"
    MEASURED = "measured"
    CLOSED = "closed"
    EXPIRED = "expired"
    ABORTED = "aborted"


S = CheckState
_ENDS = frozenset({S.MEASURED, S.EXPIRED, S.ABORTED})

TRANSITIONS: dict[CheckState, frozenset[CheckState]] = {
    # CONNECTED claims the attempt for one offer in one process; there is never a second.
    S.CREATED: frozenset({S.CONNECTED, S.EXPIRED, S.ABORTED}),
    S.CONNECTED: _ENDS | {S.CHALLENGE},
    S.CHALLENGE: _ENDS | {S.DOCUMENT},
    S.DOCUMENT: _ENDS | {S.SIM},
    S.SIM: _ENDS,
    # Measured, and the fact not yet recorded.
    S.MEASURED: frozenset({S.CLOSED, S.EXPIRED, S.ABORTED}),
    S.CLOSED: frozenset(),
    S.EXPIRED: frozenset(),
    S.ABORTED: frozenset(),
}

FINAL = frozenset(state for state, following in TRANSITIONS.items() if not following)
OPEN = frozenset(CheckState) - FINAL


def may_follow(before: CheckState, after: CheckState) -> bool:
    """True where the table lists the transition."""
    return after in TRANSITIONS[before]


def states_before(after: CheckState) -> frozenset[CheckState]:
    """Every state from which `after` may be reached; for conditional updates."""
    return frozenset(state for state, following in TRANSITIONS.items() if after in following)
