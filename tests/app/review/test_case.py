"""The case's table."""

from __future__ import annotations

import itertools

import pytest

from activation.evidence import ReviewOutcome
from activation.findings import Reason
from app.review.case import TRANSITIONS, CaseState, may_follow, states_before, takes_second_person
from app.texts.reasons import REASONS


def test_every_state_has_its_transitions() -> None:
    assert set(TRANSITIONS) == set(CaseState)
    assert TRANSITIONS[CaseState.DECIDED] == frozenset()


@pytest.mark.parametrize(("before", "after"), list(itertools.product(CaseState, CaseState)))
def test_states_before_is_the_table_turned_round(before: CaseState, after: CaseState) -> None:
    assert may_follow(before, after) == (before in states_before(after))


@pytest.mark.parametrize(("two_people", "outcome"), list(itertools.product((True, False), ReviewOutcome)))
def test_only_overriding_a_failed_check_takes_two(two_people: bool, outcome: ReviewOutcome) -> None:
    wanted = two_people and outcome is ReviewOutcome.APPROVE
    assert takes_second_person(two_people, outcome) is wanted


def test_every_reason_has_words() -> None:
    assert set(REASONS) == set(Reason)
