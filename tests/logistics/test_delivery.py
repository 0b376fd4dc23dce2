"""The delivery's table, and what a carrier's events do to it in any order."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activation.evidence import HandoverOutcome
from logistics.delivery import (
    FINAL,
    STATE_OF_OUTCOME,
    TRANSITIONS,
    CarrierEvent,
    DeliveryState,
    may_follow,
    states_before,
    steps_after,
)

S = DeliveryState


def test_every_state_has_its_transitions() -> None:
    assert set(TRANSITIONS) == set(DeliveryState)
    assert FINAL == {S.HANDED_OVER, S.RETURNED}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(DeliveryState, DeliveryState)))
def test_states_before_is_the_table_turned_round(before: S, after: S) -> None:
    assert may_follow(before, after) == (before in states_before(after))


def test_every_outcome_is_recorded_at_the_door_only() -> None:
    assert set(STATE_OF_OUTCOME) == set(HandoverOutcome)
    for state in STATE_OF_OUTCOME.values():
        assert states_before(state) == {S.OUT}


@pytest.mark.parametrize(
    ("before", "event", "steps"),
    [
        (S.CREATED, CarrierEvent.COLLECTED, (S.COLLECTED,)),
        (S.CREATED, CarrierEvent.OUT_FOR_DELIVERY, (S.COLLECTED, S.OUT)),
        (S.COLLECTED, CarrierEvent.OUT_FOR_DELIVERY, (S.OUT,)),
        (S.NOT_HOME, CarrierEvent.OUT_FOR_DELIVERY, (S.OUT,)),
        (S.MISMATCH, CarrierEvent.OUT_FOR_DELIVERY, ()),
        (S.OUT, CarrierEvent.COLLECTED, ()),
        (S.OUT, CarrierEvent.ATTEMPT_FAILED, (S.NOT_HOME,)),
        (S.OUT, CarrierEvent.DELIVERED, ()),
        (S.OUT, CarrierEvent.RETURNED, (S.RETURNED,)),
        (S.HANDED_OVER, CarrierEvent.RETURNED, ()),
        (S.RETURNED, CarrierEvent.OUT_FOR_DELIVERY, ()),
    ],
)
def test_what_an_event_does(before: S, event: CarrierEvent, steps: tuple[S, ...]) -> None:
    assert steps_after(before, event) == steps


@given(st.lists(st.sampled_from(CarrierEvent), max_size=20))
def test_no_series_of_carrier_events_hands_over(events: list[CarrierEvent]) -> None:
    state = S.CREATED
    for event in events:
        for step in steps_after(state, event):
            assert may_follow(state, step)
            state = step
        assert state is not S.HANDED_OVER
