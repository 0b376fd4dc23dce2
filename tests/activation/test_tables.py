"""The tables of states: nothing leads out of an end, and every state can be reached."""

from __future__ import annotations

from enum import StrEnum
from types import ModuleType
from typing import Any

import pytest

from activation import check, order, sim
from activation.order import FINAL, HOLDS_A_PLACE, OrderState
from activation.sim import COUNTS, SimState

LIVES: list[tuple[ModuleType, StrEnum]] = [
    (order, OrderState.DRAFT),
    (sim, SimState.IN_STOCK),
    (check, check.CheckState.CREATED),
]


@pytest.mark.parametrize(("life", "first"), LIVES, ids=["order", "sim", "check"])
def test_every_state_is_listed_and_reached_from_the_first(life: ModuleType, first: StrEnum) -> None:
    table: dict[Any, frozenset[Any]] = life.TRANSITIONS
    assert set(table) == set(type(first))
    reached, frontier = {first}, {first}
    while frontier:
        frontier = {after for before in frontier for after in table[before]} - reached
        reached |= frontier
    assert reached == set(type(first))


@pytest.mark.parametrize(("life", "first"), LIVES, ids=["order", "sim", "check"])
def test_states_before_is_the_table_read_backwards(life: ModuleType, first: StrEnum) -> None:
    for before in type(first):
        for after in type(first):
            assert life.may_follow(before, after) == (before in life.states_before(after))
        assert not life.may_follow(before, before)


def test_only_the_gates_way_leads_to_an_active_subscriber() -> None:
    """R4.2, R4.3"""
    assert order.states_before(OrderState.ACTIVE) == {OrderState.ACTIVATING}
    assert order.states_before(OrderState.ACTIVATING) == {OrderState.DELIVERED, OrderState.VERIFIED}
    assert sim.states_before(SimState.ACTIVE) == {SimState.ACTIVATING, SimState.SUSPENDED}
    assert sim.states_before(SimState.ACTIVATING) == {SimState.INACTIVE}


def test_nothing_final_holds_a_place() -> None:
    """R2.1"""
    assert not FINAL & HOLDS_A_PLACE
    assert SimState.BLOCKED not in COUNTS
