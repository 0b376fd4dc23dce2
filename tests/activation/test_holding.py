"""Holds by scope on the real flow and database, without durability, so that it is quick (R9.3)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.audit import AuditEntryRow
from activation.adapters.sql.engine import open_engine, open_sessions
from activation.adapters.sql.hold_tables import HoldStopRow
from activation.adapters.sql.holds import HoldView
from activation.adapters.sql.tables import OrderRow
from activation.evidence import Hold
from activation.findings import Reason
from activation.gate import Wait
from activation.holding import Suspending
from activation.holds import HoldState, Reach, Scope, Stopped
from activation.ids import Imsi, OrderId, StaffId
from activation.order import OrderState as S
from activation.ports import HlrFault, MessageKind, Subscriber
from activation.sim import SimState
from app.compliance.holds.desk import HoldDesk, HoldRefusal, NewHold
from app.compliance.holds.shown import show_hold
from tests.activation.stand_ins import PromptWork, make_bench, now
from tests.activation.test_flow import Scene

MAKER, CHECKER = StaffId.new(), StaffId.new()


class Held(Scene):
    """A scene whose orders go to Guangdong, and the desk where holds are placed."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        work = PromptWork(sessions)
        super().__init__(make_bench(sessions, work), work)
        self.desk = HoldDesk(sessions, now, work)
        self.suspending = Suspending(self.bench.flow)

    async def place(self, scope: str, authority: str = "") -> HoldView:
        placed = await self.desk.place(MAKER, NewHold(Scope.parse(scope), "as ordered", authority, "no. 7"))
        assert isinstance(placed, HoldView)
        await self.run()
        return placed

    async def lift(self, hold: HoldView, by: StaffId = MAKER) -> HoldView | HoldRefusal:
        lifted = await self.desk.lift(by, hold.id, "it is over")
        while await self.desk.bring_back():
            pass
        await self.run()
        return lifted

    async def delivered_and_checked(self, order_id: OrderId) -> S:
        await self.bench.handed_over(order_id)
        await self.bench.checked(order_id)
        await self.run()
        return await self.state(order_id)

    async def active(self) -> OrderId:
        order_id = await self.submitted()
        assert await self.delivered_and_checked(order_id) is S.ACTIVE
        return order_id

    async def is_on(self, order_id: OrderId) -> bool:
        subscriber = await self.subscriber(order_id)
        return subscriber is not None and subscriber.is_on

    async def card(self, order_id: OrderId) -> SimState:
        async with self.bench.sessions.begin() as session:
            card = await self.bench.store.sims.of_order(session, order_id)
        assert card is not None
        return card.state

    async def only_hold(self) -> HoldView:
        async with self.bench.sessions.begin() as session:
            [hold] = await self.bench.store.holds.newest(session, active=True, limit=5)
        return hold

    async def shown(self, hold: HoldView) -> tuple[bool, int, dict[Stopped, int]]:
        """Obeyed, pending, stopped; as no process lives, only the HLR counts."""
        async with self.bench.sessions.begin() as session:
            shown = await show_hold(session, hold.id, now())
        assert shown is not None
        return shown.obeyed, shown.pending, shown.stopped

    async def noted_as_stopped(self, order_id: OrderId) -> list[str]:
        entries = sa.select(AuditEntryRow.content).where(AuditEntryRow.chain == order_id)
        async with self.bench.sessions.begin() as session:
            found = await session.scalars(entries.where(AuditEntryRow.event == "hold.stopped"))
            return [json.loads(each)["details"]["what"] for each in found]

    async def stopped(self, hold: HoldView) -> dict[Stopped, int]:
        async with self.bench.sessions.begin() as session:
            return await self.bench.store.holds.counts(session, hold.id)


@pytest.fixture
async def held(sessions: async_sessionmaker[AsyncSession]) -> Held:
    scene = Held(sessions)
    await scene.bench.furnish()
    return scene


@pytest.mark.parametrize("scope", ["all", "province:广东", "channel:web"])
async def test_what_a_scope_covers_neither_ships_nor_is_switched_on(held: Held, scope: str) -> None:
    waiting = await held.submitted()
    hold = await held.place(scope)
    assert await held.delivered_and_checked(waiting) is S.VERIFIED
    assert not await held.is_on(waiting)
    unshipped = await held.submitted()
    assert await held.state(unshipped) is S.SUBMITTED
    assert await held.stopped(hold) == {Stopped.ACTIVATION: 1, Stopped.SHIPMENT: 1}
    await held.lift(hold)
    assert (await held.state(waiting), await held.state(unshipped)) == (S.ACTIVE, S.SHIPPED)
    async with held.bench.sessions.begin() as session:
        seen = await held.bench.store.holds.read(session, hold.id)
        assert not (await session.scalars(sa.select(HoldStopRow.subject).where(HoldStopRow.waits))).all()
    assert seen is not None
    assert seen.state is HoldState.LIFTED


@pytest.mark.parametrize("scope", ["province:北京", "channel:kiosk", "dealer:d-1"])
async def test_what_a_scope_does_not_cover_goes_on(held: Held, scope: str) -> None:
    hold = await held.place(scope)
    await held.active()
    assert await held.stopped(hold) == {}


async def test_an_order_whose_province_nobody_knows_may_be_in_any(held: Held) -> None:
    async with held.bench.sessions.begin() as session:
        assert await held.bench.store.holds.covering(session, Reach("")) == []
    hold = await held.place("province:北京")
    async with held.bench.sessions.begin() as session:
        covering = held.bench.store.holds.covering
        assert [each.id for each in await covering(session, Reach(""))] == [hold.id]
        assert await covering(session, Reach("广东", dealer="d-1")) == []


async def test_two_holds_of_one_scope_are_lifted_one_by_one(held: Held) -> None:
    order_id = await held.submitted()
    first, second = await held.place("all"), await held.place("all")
    assert await held.delivered_and_checked(order_id) is S.VERIFIED
    await held.lift(first)
    assert await held.state(order_id) is S.VERIFIED
    await held.lift(second)
    assert await held.state(order_id) is S.ACTIVE
    async with held.bench.sessions.begin() as session:
        facts = await held.bench.store.facts.load(session, order_id)
        decisions = await held.bench.store.decisions.of_order(session, order_id)
    told = [(fact.hold, fact.placed) for fact in facts.evidence if isinstance(fact, Hold)]
    assert told == [(first.id, True), (second.id, True), (first.id, False), (second.id, False)]
    assert [one.answer for one in decisions].count(Wait((Reason.HELD,))) >= 2
    assert all(one.replay() == one.answer for one in decisions)


async def test_a_hold_that_lands_while_the_card_is_prepared_keeps_it_back(held: Held) -> None:
    """Between `reserve` and `bind`: the card stays reserved, nothing is handed to logistics."""
    order_id = await held.bench.draft()
    await held.bench.submit(order_id)
    await held.bench.flow.accept(order_id)
    create_off = held.bench.hlr.create_off

    async def slow(imsi: Imsi, msisdn: object) -> Subscriber:
        created = await create_off(imsi, msisdn)  # type: ignore[arg-type]
        await held.desk.place(MAKER, NewHold(Scope.parse("all"), "as ordered"))
        return created

    object.__setattr__(held.bench.flow.steps.hlr, "create_off", slow)
    await held.bench.flow.ship(order_id)
    object.__setattr__(held.bench.flow.steps.hlr, "create_off", create_off)
    await held.run()
    assert await held.state(order_id) is S.ACCEPTED
    assert await held.card(order_id) is SimState.RESERVED
    async with held.bench.sessions.begin() as session:
        [hold] = await held.bench.store.holds.newest(session, active=True, limit=5)
    assert (await held.bench.order(order_id)).due_at is None
    await held.lift(hold)
    assert await held.state(order_id) is S.SHIPPED


async def while_switching(held: Held, do: Callable[[], Awaitable[object]]) -> None:
    """`do` happens after the HLR has switched on and before the mission hears of it."""
    switch_on = held.bench.hlr.switch_on

    async def slow(imsi: Imsi) -> Subscriber:
        switched = await switch_on(imsi)
        held.bench.hlr.switch_on = switch_on  # type: ignore[method-assign]
        await do()
        return switched

    held.bench.hlr.switch_on = slow  # type: ignore[method-assign]


@pytest.mark.parametrize("wide", [True, False])
async def test_a_hold_that_lands_while_the_hlr_is_asked_does_not_end_active(held: Held, wide: bool) -> None:
    order_id = await held.submitted()
    scope = Scope.parse("province:广东" if wide else f"order:{order_id}")
    await while_switching(held, lambda: held.desk.place(MAKER, NewHold(scope, "as ordered")))
    assert await held.delivered_and_checked(order_id) is S.VERIFIED
    assert not await held.is_on(order_id)
    assert await held.card(order_id) is SimState.INACTIVE
    assert (await held.bench.order(order_id)).due_at is None
    told = ("tell", order_id, (MessageKind.ACTIVATED, ""))
    assert told not in held.work.missions
    async with held.bench.sessions.begin() as session:
        [hold] = await held.bench.store.holds.newest(session, active=True, limit=5)
    await held.lift(hold)
    assert await held.state(order_id) is S.ACTIVE
    assert await held.is_on(order_id)
    assert told in held.work.missions


async def test_a_held_order_that_is_off_can_be_cancelled(held: Held) -> None:
    """It is no longer being activated: number, place and card are given back."""
    order_id = await held.submitted()
    await while_switching(held, lambda: held.desk.place(MAKER, NewHold(Scope.parse("all"), "as ordered")))
    assert await held.delivered_and_checked(order_id) is S.VERIFIED
    async with held.bench.sessions.begin() as session:
        assert await held.bench.flow.end(session, order_id, S.CANCELLED)
    await held.run()
    assert await held.subscriber(order_id) is None
    assert await held.card(order_id) is SimState.BLOCKED
    async with held.bench.sessions.begin() as session:
        [hold] = await held.bench.store.holds.newest(session, active=True, limit=5)
    await held.lift(hold)
    assert await held.state(order_id) is S.CANCELLED


async def test_an_order_that_cannot_reach_the_hlr_is_off_once_it_can(held: Held) -> None:
    """The HLR is away while it is switched on and while it is to be switched off; then it comes back."""
    order_id = await held.submitted()

    async def away(imsi: Imsi) -> Subscriber:
        raise HlrFault("the HLR is away")

    hlr, switch_on, switch_off = held.bench.hlr, held.bench.hlr.switch_on, held.bench.hlr.switch_off
    hlr.switch_on = away  # type: ignore[method-assign]
    with pytest.raises(HlrFault):
        await held.delivered_and_checked(order_id)
    while held.work.enqueued:
        with pytest.raises(HlrFault):
            await held.run()
    assert await held.state(order_id) is S.ACTIVATING
    hlr.switch_off = away  # type: ignore[method-assign]
    with pytest.raises(HlrFault):
        await held.place("all")
    assert await held.state(order_id) is S.ACTIVATING
    hold = await held.only_hold()
    assert await held.shown(hold) == (False, 1, {})
    assert await held.noted_as_stopped(order_id) == []
    hlr.switch_on, hlr.switch_off = switch_on, switch_off  # type: ignore[method-assign]
    await held.time_passes(order_id)
    assert await held.shown(hold) == (True, 0, {Stopped.ACTIVATION: 1})
    assert await held.noted_as_stopped(order_id) == [Stopped.ACTIVATION]
    assert await held.state(order_id) is S.VERIFIED
    assert await held.card(order_id) is SimState.INACTIVE


async def test_an_active_subscriber_of_a_held_order_is_suspended_and_comes_back(held: Held) -> None:
    order_id, other = await held.active(), await held.submitted()
    hold = await held.place(f"order:{order_id}")
    assert await held.state(order_id) is S.ACTIVE
    assert await held.card(order_id) is SimState.SUSPENDED
    assert not await held.is_on(order_id)
    assert await held.stopped(hold) == {Stopped.SUBSCRIBER: 1}
    assert await held.delivered_and_checked(other) is S.ACTIVE
    await held.lift(hold)
    assert await held.card(order_id) is SimState.ACTIVE
    assert await held.is_on(order_id)


async def test_a_hold_is_not_obeyed_while_the_hlr_is_silent(held: Held) -> None:
    order_id = await held.active()
    switch_off = held.bench.hlr.switch_off

    async def away(imsi: Imsi) -> Subscriber:
        raise HlrFault("the HLR is away")

    held.bench.hlr.switch_off = away  # type: ignore[method-assign]
    with pytest.raises(HlrFault):
        await held.place(f"order:{order_id}")
    hold = await held.only_hold()
    assert await held.is_on(order_id)
    assert await held.shown(hold) == (False, 1, {})
    assert await held.noted_as_stopped(order_id) == []
    held.bench.hlr.switch_off = switch_off  # type: ignore[method-assign]
    await held.suspending.suspend(order_id)
    assert await held.shown(hold) == (True, 0, {Stopped.SUBSCRIBER: 1})
    assert await held.noted_as_stopped(order_id) == [Stopped.SUBSCRIBER]
    await held.lift(hold)
    assert await held.is_on(order_id)
    assert (await held.shown(hold))[1] == 0


async def test_a_wide_hold_leaves_subscribers_on_but_switches_nobody_on_again(held: Held) -> None:
    order_id, other = await held.active(), await held.active()
    own = await held.place(f"order:{order_id}")
    wide = await held.place("all")
    assert await held.is_on(other)
    await held.lift(own)
    assert await held.card(order_id) is SimState.SUSPENDED
    await held.lift(wide)
    assert await held.card(order_id) is SimState.ACTIVE
    assert await held.is_on(order_id)


async def test_a_hold_lifted_while_the_subscriber_is_switched_off_is_undone(held: Held) -> None:
    order_id = await held.active()
    switch_off = held.bench.hlr.switch_off
    hold = await held.desk.place(MAKER, NewHold(Scope.parse(f"order:{order_id}"), "as ordered"))
    assert isinstance(hold, HoldView)

    async def slow(imsi: Imsi) -> Subscriber:
        switched = await switch_off(imsi)
        held.bench.hlr.switch_off = switch_off  # type: ignore[method-assign]
        await held.desk.lift(MAKER, hold.id, "a mistake")
        return switched

    held.bench.hlr.switch_off = slow  # type: ignore[method-assign]
    await held.run()
    assert await held.card(order_id) is SimState.ACTIVE
    assert await held.is_on(order_id)


async def test_what_the_authority_ordered_takes_two_to_lift(held: Held) -> None:
    hold = await held.place("all", authority="通信管理局")
    asked = await held.lift(hold)
    assert isinstance(asked, HoldView)
    assert (asked.state, asked.lift_asked_by) == (HoldState.ACTIVE, MAKER)
    assert await held.lift(hold) is HoldRefusal.SECOND_PERSON
    lifted = await held.lift(hold, CHECKER)
    assert isinstance(lifted, HoldView)
    assert (lifted.state, lifted.lifted_by) == (HoldState.LIFTING, CHECKER)
    assert await held.lift(hold, CHECKER) is HoldRefusal.LIFTED_ALREADY


async def test_more_than_one_transaction_brings_back_what_was_stopped(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.compliance.holds.desk.BRING_BACK_AT_ONCE", 1)
    hold = await held.place("all")
    orders = [await held.submitted() for _ in range(3)]
    await held.desk.lift(MAKER, hold.id, "it is over")
    await held.run()
    assert [await held.state(one) for one in orders].count(S.SHIPPED) == 1
    assert [await held.desk.bring_back() for _ in range(3)] == [1, 1, 0]
    await held.run()
    assert [await held.state(one) for one in orders] == [S.SHIPPED] * 3


async def test_an_order_that_is_over_or_unknown_cannot_be_held(held: Held) -> None:
    order_id = await held.bench.draft()
    async with held.bench.sessions.begin() as session:
        await held.bench.flow.end(session, order_id, S.CANCELLED)
    scope = Scope.parse(f"order:{order_id}")
    assert await held.desk.place(MAKER, NewHold(scope, "late")) is HoldRefusal.ORDER_OVER
    nobody = Scope.parse(f"order:{OrderId.new()}")
    assert await held.desk.place(MAKER, NewHold(nobody, "lost")) is HoldRefusal.NOT_FOUND


async def test_an_order_knows_its_province(held: Held) -> None:
    await held.bench.draft()
    async with held.bench.sessions.begin() as session:
        assert (await session.scalars(sa.select(OrderRow.province))).all() == ["广东"]


@pytest.mark.parametrize("text", ["", "everything", "province:", "province:Utopia", "order:ord_1", "all:x"])
def test_a_scope_is_one_of_five_kinds(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a"):
        Scope.parse(text)


async def test_placing_waits_for_decisions_that_are_being_written(held: Held) -> None:
    """Once a hold is answered for, nobody who has not seen it can still commit."""
    order_id = await held.submitted()
    view = await held.bench.order(order_id)
    async with held.bench.sessions.begin() as session:
        assert await held.bench.store.holds.covering(session, view.reach) == []
        placing = asyncio.create_task(held.desk.place(MAKER, NewHold(Scope.parse("all"), "as ordered")))
        done, _ = await asyncio.wait({placing}, timeout=0.3)
        assert not done
    placed = await placing
    async with held.bench.sessions.begin() as session:
        assert await held.bench.store.holds.covering(session, view.reach) == [placed]


@pytest.mark.postgres
async def test_placing_does_not_wait_for_ever_for_a_frozen_process(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others queue behind whoever places: it gives up soon, and what was frozen loses its locks."""
    monkeypatch.setattr("activation.adapters.sql.holds.PLACE_WITHIN_MS", 100)
    engine = open_engine(postgres_url)
    held = Held(open_sessions(engine))
    new = NewHold(Scope.parse("all"), "as ordered")
    monkeypatch.setattr("activation.adapters.sql.engine.IDLE_IN_TRANSACTION_MS", 1_000)
    short = open_engine(postgres_url)
    try:
        async with open_sessions(engine).begin() as frozen:
            timeout = await frozen.scalar(sa.text("SHOW idle_in_transaction_session_timeout"))
            assert timeout == "15s"
            await held.bench.store.holds.covering(frozen, Reach("广东"))
            with pytest.raises(OperationalError):
                await held.desk.place(MAKER, new)
        hold = await held.desk.place(MAKER, new)
        assert isinstance(hold, HoldView)
        frozen = open_sessions(short)()
        assert await held.bench.store.holds.covering(frozen, Reach("广东")) == [hold]
        with pytest.raises(OperationalError):
            await held.desk.lift(MAKER, hold.id, "it is over")
        monkeypatch.setattr("activation.adapters.sql.holds.PLACE_WITHIN_MS", 20_000)
        assert isinstance(await held.desk.lift(MAKER, hold.id, "it is over"), HoldView)
        with pytest.raises(DBAPIError, match="idle-in-transaction"):
            await frozen.execute(sa.text("SELECT 1"))
        await frozen.close()
    finally:
        await engine.dispose()
        await short.dispose()
