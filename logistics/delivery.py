"""The life of a delivery, as a table, and what a carrier's word can do to it."""

from __future__ import annotations

from enum import StrEnum

from activation.evidence import HandoverOutcome


class DeliveryState(StrEnum):
    CREATED = "created"
    COLLECTED = "collected"
    OUT = "out"
    HANDED_OVER = "handed_over"
    REFUSED = "refused"
    NOT_HOME = "not_home"
    MISMATCH = "mismatch"
    RETURNED = "returned"


S = DeliveryState

TRANSITIONS: dict[DeliveryState, frozenset[DeliveryState]] = {
    S.CREATED: frozenset({S.COLLECTED, S.RETURNED}),
    S.COLLECTED: frozenset({S.OUT, S.RETURNED}),
    # What happens at the door is said by the courier; a carrier can only say that nobody was there.
    S.OUT: frozenset({S.HANDED_OVER, S.REFUSED, S.NOT_HOME, S.MISMATCH, S.RETURNED}),
    S.NOT_HOME: frozenset({S.OUT, S.RETURNED}),
    # Out again only after two reviewers have approved what was found at the door (R4.3).
    S.MISMATCH: frozenset({S.OUT, S.RETURNED}),
    S.REFUSED: frozenset({S.RETURNED}),
    S.HANDED_OVER: frozenset(),
    S.RETURNED: frozenset(),
}

#: A courier carries these about; they count when a new delivery is given to somebody.
IN_HAND = frozenset({S.CREATED, S.COLLECTED, S.OUT, S.NOT_HOME, S.MISMATCH, S.REFUSED})

FINAL = frozenset(state for state, following in TRANSITIONS.items() if not following)

STATE_OF_OUTCOME: dict[HandoverOutcome, DeliveryState] = {
    HandoverOutcome.HANDED_OVER: S.HANDED_OVER,
    HandoverOutcome.REFUSED: S.REFUSED,
    HandoverOutcome.NOT_HOME: S.NOT_HOME,
    HandoverOutcome.MISMATCH: S.MISMATCH,
}


class CarrierEvent(StrEnum):
    """What carriers tell. Anything else is recorded and moves nothing."""

    COLLECTED = "collected"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    ATTEMPT_FAILED = "attempt_failed"
    DELIVERED = "delivered"
    RETURNED = "returned"


#: Steps that an event proves, in order: a parcel that is out was collected, though nobody said so yet.
#: `delivered` proves nothing: only a courier with the code and the document confirms a handover (R4.3).
STEPS_OF_EVENT: dict[CarrierEvent, tuple[DeliveryState, ...]] = {
    CarrierEvent.COLLECTED: (S.COLLECTED,),
    CarrierEvent.IN_TRANSIT: (S.COLLECTED,),
    CarrierEvent.OUT_FOR_DELIVERY: (S.COLLECTED, S.OUT),
    CarrierEvent.ATTEMPT_FAILED: (S.NOT_HOME,),
    CarrierEvent.DELIVERED: (),
    CarrierEvent.RETURNED: (S.RETURNED,),
}


def may_follow(before: DeliveryState, after: DeliveryState) -> bool:
    """True where the table lists the transition."""
    return after in TRANSITIONS[before]


def states_before(after: DeliveryState) -> frozenset[DeliveryState]:
    """Every state from which `after` may be reached; for conditional updates."""
    return frozenset(state for state, following in TRANSITIONS.items() if after in following)


def steps_after(before: DeliveryState, event: CarrierEvent) -> tuple[DeliveryState, ...]:
    """The transitions that `event` causes, in order; none where it moves nothing.

    A carrier cannot send a mismatch out again: that takes reviewers.
    """
    if event is CarrierEvent.OUT_FOR_DELIVERY and before is S.MISMATCH:
        return ()
    state, taken = before, []
    for step in STEPS_OF_EVENT[event]:
        if may_follow(state, step):
            state = step
            taken.append(step)
    return tuple(taken)
