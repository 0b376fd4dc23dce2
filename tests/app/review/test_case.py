"""The case's table."""

from __future__ import annotations

import itertools

import pytest

from activation.evidence import ReviewOutcome, ReviewStage
from activation.findings import Reason
from app.review.case import TRANSITIONS, CaseState, may_follow, states_before, takes_second_person
from app.texts.reasons import REASONS


def test_every_state_has_its_transitions() -> None:
    assert set(TRANSITIONS) == set(CaseState)
    assert TRANSITIONS[CaseState.DECIDED] == frozenset()


@pytest.mark.parametrize(("before", "after"), list(itertools.product(CaseState, CaseState)))
def test_states_before_is_the_table_turned_round(before: CaseState, after: CaseState) -> None:
    assert may_follow(before, after) == (before in states_before(after))


@pytest.mark.parametrize("outcome", ReviewOutcome)
@pytest.mark.parametrize("stage", ReviewStage)
def test_only_a_failed_check_takes_two(stage: ReviewStage, outcome: ReviewOutcome) -> None:
    assert not takes_second_person(False, stage, outcome)
    overridden = outcome is ReviewOutcome.APPROVE
    forgotten = (stage, outcome) == (ReviewStage.ACTIVATE, ReviewOutcome.NEW_CAPTURE)
    assert takes_second_person(True, stage, outcome) is (overridden or forgotten)


def test_every_reason_has_words() -> None:
    assert set(REASONS) == set(Reason)
