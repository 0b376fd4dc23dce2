"""The life of an order, as a table. Anything that is not listed is refused."""

from __future__ import annotations

from enum import StrEnum


class OrderState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    ACCEPTED = "accepted"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    VERIFIED = "verified"
    ACTIVATING = "activating"
    ACTIVE = "active"
    ENDED = "ended"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    RETURNED = "returned"


S = OrderState

TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    # Preselection: captures may be given again until the applicant confirms what was read (R1.4).
    S.DRAFT: frozenset({S.SUBMITTED, S.CANCELLED, S.EXPIRED}),
    # Accept: registry and quota (R1.5, R2). A new capture asked for by a reviewer leads back to draft.
    S.SUBMITTED: frozenset({S.ACCEPTED, S.IN_REVIEW, S.REFUSED, S.CANCELLED, S.DRAFT}),
    S.IN_REVIEW: frozenset({S.ACCEPTED, S.REFUSED, S.DRAFT, S.CANCELLED}),
    S.ACCEPTED: frozenset({S.SHIPPED, S.CANCELLED, S.REFUSED}),
    # Logistics and identity may come in either order (R4.3).
    S.SHIPPED: frozenset({S.DELIVERED, S.VERIFIED, S.RETURNED, S.REFUSED, S.CANCELLED}),
    S.DELIVERED: frozenset({S.VERIFIED, S.ACTIVATING, S.REFUSED, S.RETURNED, S.CANCELLED}),
    S.VERIFIED: frozenset({S.ACTIVATING, S.REFUSED, S.RETURNED, S.CANCELLED}),
    # Only the gate's Pass leads here; a fault on the way to the HLR is retried, not undone. Back only once
    # the subscriber is certainly off, because something came in between (R9.3).
    S.ACTIVATING: frozenset({S.ACTIVE, S.VERIFIED}),
    S.ACTIVE: frozenset({S.ENDED}),
    S.ENDED: frozenset(),
    S.REFUSED: frozenset(),
    S.CANCELLED: frozenset(),
    S.EXPIRED: frozenset(),
    S.RETURNED: frozenset(),
}

#: States in which an order holds one of the five places of its document (R2.1).
HOLDS_A_PLACE = frozenset(
    {S.SUBMITTED, S.IN_REVIEW, S.ACCEPTED, S.SHIPPED, S.DELIVERED, S.VERIFIED, S.ACTIVATING, S.ACTIVE}
)

FINAL = frozenset(state for state, following in TRANSITIONS.items() if not following)


def may_follow(before: OrderState, after: OrderState) -> bool:
    """True where the table lists the transition."""
    return after in TRANSITIONS[before]


def states_before(after: OrderState) -> frozenset[OrderState]:
    """Every state from which `after` may be reached; for conditional updates."""
    return frozenset(state for state, following in TRANSITIONS.items() if after in following)
