"""The life of one attempt at the video check, as a table (R4.2)."""

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

TRANSITIONS: dict[CheckState, frozenset[CheckState]] = {
    # An attempt that fails in one stage is measured as it stands.
    S.CREATED: frozenset({S.CONNECTED, S.EXPIRED, S.ABORTED}),
    S.CONNECTED: frozenset({S.CHALLENGE, S.MEASURED, S.EXPIRED, S.ABORTED}),
    S.CHALLENGE: frozenset({S.DOCUMENT, S.MEASURED, S.EXPIRED, S.ABORTED}),
    S.DOCUMENT: frozenset({S.SIM, S.MEASURED, S.EXPIRED, S.ABORTED}),
    S.SIM: frozenset({S.MEASURED, S.EXPIRED, S.ABORTED}),
    S.MEASURED: frozenset({S.CLOSED}),
    S.CLOSED: frozenset(),
    S.EXPIRED: frozenset(),
    S.ABORTED: frozenset(),
}

#: Attempts that are still going on.
OPEN = frozenset({S.CREATED, S.CONNECTED, S.CHALLENGE, S.DOCUMENT, S.SIM})


def may_follow(before: CheckState, after: CheckState) -> bool:
    """True where the table lists the transition."""
    return after in TRANSITIONS[before]


def states_before(after: CheckState) -> frozenset[CheckState]:
    """Every state from which `after` may be reached; for conditional updates."""
    return frozenset(state for state, following in TRANSITIONS.items() if after in following)
