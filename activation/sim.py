"""The life of a SIM card, as a table."""

from __future__ import annotations

from enum import StrEnum


class SimState(StrEnum):
    IN_STOCK = "in_stock"
    RESERVED = "reserved"
    INACTIVE = "inactive"  # in the HLR with both domains off
    ACTIVATING = "activating"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"
    BLOCKED = "blocked"
    RETURNED = "returned"


S = SimState

TRANSITIONS: dict[SimState, frozenset[SimState]] = {
    S.IN_STOCK: frozenset({S.RESERVED, S.BLOCKED}),
    S.RESERVED: frozenset({S.INACTIVE, S.IN_STOCK, S.BLOCKED}),
    S.INACTIVE: frozenset({S.ACTIVATING, S.RETURNED, S.BLOCKED}),
    S.ACTIVATING: frozenset({S.ACTIVE, S.INACTIVE}),
    S.ACTIVE: frozenset({S.SUSPENDED, S.TERMINATED}),
    S.SUSPENDED: frozenset({S.ACTIVE, S.TERMINATED}),
    S.TERMINATED: frozenset(),
    S.BLOCKED: frozenset(),
    S.RETURNED: frozenset({S.IN_STOCK, S.BLOCKED}),
}

#: A card in one of these states counts towards the five of its document (R2.1).
COUNTS = frozenset({S.ACTIVATING, S.ACTIVE, S.SUSPENDED})


def may_follow(before: SimState, after: SimState) -> bool:
    """True where the table lists the transition."""
    return after in TRANSITIONS[before]


def states_before(after: SimState) -> frozenset[SimState]:
    """Every state from which `after` may be reached; for conditional updates."""
    return frozenset(state for state, following in TRANSITIONS.items() if after in following)
