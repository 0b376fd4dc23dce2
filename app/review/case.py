"""The life of a reviewer's case, as a table, and when one reviewer is enough."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from activation.evidence import ReviewOutcome, ReviewStage

#: How long a claim holds; then somebody else may claim the case.
CLAIM = timedelta(minutes=15)


class CaseState(StrEnum):
    OPEN = "open"
    CLAIMED = "claimed"
    PROPOSED = "proposed"
    DECIDED = "decided"


S = CaseState

TRANSITIONS: dict[CaseState, frozenset[CaseState]] = {
    S.OPEN: frozenset({S.CLAIMED}),
    # Back to open: new evidence came, which the reviewer has not seen.
    S.CLAIMED: frozenset({S.OPEN, S.PROPOSED, S.DECIDED}),
    # Back to open: new evidence came, or the second reviewer does not agree.
    S.PROPOSED: frozenset({S.OPEN, S.DECIDED}),
    S.DECIDED: frozenset(),
}


def may_follow(before: CaseState, after: CaseState) -> bool:
    """True where the table lists the transition."""
    return after in TRANSITIONS[before]


def states_before(after: CaseState) -> frozenset[CaseState]:
    """Every state from which `after` may be reached; for conditional updates."""
    return frozenset(state for state, following in TRANSITIONS.items() if after in following)


def takes_second_person(two_people: bool, stage: ReviewStage, outcome: ReviewOutcome) -> bool:
    """A failed check is overridden, or forgotten for a new one, by two; refusing takes one."""
    overrides = outcome is ReviewOutcome.APPROVE
    forgets = outcome is ReviewOutcome.NEW_CAPTURE and stage is ReviewStage.ACTIVATE
    return two_people and (overrides or forgets)
