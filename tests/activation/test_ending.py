"""The end of service: the subscriber is gone before the order is ended, and what it held is free (R8.1)."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.hlr_sandbox import SandboxHlr
from activation.adapters.sql.audit import AuditEntryRow
from activation.adapters.sql.service_ends import ServiceEnd, ServiceEnds
from activation.adapters.sql.tables import CardPlaceRow, NumberRow
from activation.ending import END_SERVICE, QUARANTINE, EndDesk, Ending, EndRefusal
from activation.ids import Imsi, OrderId
from activation.order import OrderState as S
from activation.ports import HlrFault
from activation.sim import SimState
from activation.upkeep import Upkeep
from tests.activation.stand_ins import Bench, PromptWork, make_bench, now


class StubbornHlr(SandboxHlr):
    """Refuses to remove anybody while `away`."""

    away = False

    async def remove(self, imsi: Imsi) -> None:
        if self.away:
            raise HlrFault("away")
        await super().remove(imsi)


class Scene:
    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self.work, self.hlr = PromptWork(sessions), StubbornHlr(sessions)
        self.bench: Bench = make_bench(sessions, self.work, hlr=self.hlr)
        self.ending = Ending(self.bench.flow)
        self.desk = EndDesk(self.work, now)

    async def active(self) -> OrderId:
        await self.bench.furnish()
        order_id = await self.bench.draft()
        assert await self.bench.submit(order_id)
        await self.work.run(self.bench.flow)
        await self.bench.handed_over(order_id)
        await self.bench.checked(order_id)
        await self.work.run(self.bench.flow)
        assert (await self.bench.order(order_id)).state is S.ACTIVE
        return order_id

    async def ask(self, order_id: OrderId, keep_number: bool = False) -> ServiceEnd | EndRefusal:
        async with self.bench.sessions.begin() as session:
            return await self.desk.ask(session, order_id, keep_number, "moved away")

    async def run(self) -> None:
        """The mission, as often as it was enqueued."""
        while self.work.enqueued:
            mission, order_id, _why = self.work.enqueued.pop(next(iter(self.work.enqueued)))
            if mission == END_SERVICE:
                await self.ending.end_service(order_id)

    async def number(self, order_id: OrderId) -> tuple[str | None, object]:
        msisdn = (await self.bench.order(order_id)).msisdn
        async with self.bench.sessions() as session:
            row = await session.get(NumberRow, msisdn, populate_existing=True)
        assert row is not None
        return row.held_by, row.held_until


@pytest.fixture
def scene(sessions: async_sessionmaker[AsyncSession]) -> Scene:
    return Scene(sessions)


async def test_service_ends(scene: Scene) -> None:
    order_id = await scene.active()
    asked = await scene.ask(order_id)
    assert isinstance(asked, ServiceEnd)
    assert asked.ended_at is None
    assert (await scene.bench.order(order_id)).state is S.ACTIVE
    await scene.run()

    order = await scene.bench.order(order_id)
    async with scene.bench.sessions() as session:
        card = await scene.bench.store.sims.of_order(session, order_id)
        ended = await ServiceEnds().read(session, order_id)
        places = await session.scalar(sa.select(sa.func.count()).select_from(CardPlaceRow))
        entries = sa.select(AuditEntryRow.event).where(AuditEntryRow.chain == order_id)
        events = list(await session.scalars(entries.order_by(AuditEntryRow.seq)))
    assert (order.state, order.due_at) == (S.ENDED, None)
    assert card is not None
    assert card.state is SimState.TERMINATED
    assert await scene.hlr.read(card.imsi) is None
    assert ended is not None
    assert ended.ended_at == order.changed_at
    assert places == 0
    assert {"service.end_asked", "service.ended"} <= set(events)


async def test_the_number_rests_before_somebody_else_gets_it(scene: Scene) -> None:
    order_id = await scene.active()
    await scene.ask(order_id)
    await scene.run()
    numbers = scene.bench.store.numbers
    held_by, until = await scene.number(order_id)
    assert held_by == order_id
    assert until is not None
    msisdn = (await scene.bench.order(order_id)).msisdn
    async with scene.bench.sessions.begin() as session:
        assert not await numbers.hold(session, msisdn, OrderId.new(), now())
        assert await numbers.free_lapsed(session, now() + QUARANTINE - timedelta(minutes=1), 100) == 0
        assert await numbers.free_lapsed(session, now() + QUARANTINE + timedelta(minutes=1), 100) == 1
        assert msisdn in {free.msisdn for free in await numbers.search(session, msisdn)}
    async with scene.bench.sessions.begin() as session:
        noted = sa.select(AuditEntryRow.event).where(AuditEntryRow.chain == order_id)
        events = (await session.scalars(noted.order_by(AuditEntryRow.seq))).all()
    assert [each for each in events if each.startswith("number.")][-2:] == [
        "number.quarantined",
        "number.released",
    ]


async def test_a_number_that_left_with_its_subscriber_never_comes_back(scene: Scene) -> None:
    order_id = await scene.active()
    await scene.ask(order_id, keep_number=True)
    await scene.run()
    assert await scene.number(order_id) == (order_id, None)
    async with scene.bench.sessions.begin() as session:
        assert await scene.bench.store.numbers.free_lapsed(session, now() + 10 * QUARANTINE, 100) == 0


async def test_asking_twice_is_asking_once(scene: Scene) -> None:
    order_id = await scene.active()
    first = await scene.ask(order_id)
    assert await scene.ask(order_id, keep_number=True) == first
    await scene.run()
    again = await scene.ask(order_id)
    assert isinstance(again, ServiceEnd)
    assert again.ended_at is not None
    assert [mission for mission, *_ in scene.work.missions].count(END_SERVICE) == 1


async def test_only_an_active_service_can_end(scene: Scene) -> None:
    await scene.bench.furnish()
    assert await scene.ask(await scene.bench.draft()) is EndRefusal.NOT_ACTIVE
    assert await scene.ask(OrderId.new()) is EndRefusal.NOT_FOUND


async def test_a_silent_hlr_delays_the_end_and_the_due_date_brings_it_back(scene: Scene) -> None:
    order_id = await scene.active()
    await scene.ask(order_id)
    scene.hlr.away = True
    with pytest.raises(HlrFault):
        await scene.run()
    async with scene.bench.sessions() as session:
        ended = await ServiceEnds().read(session, order_id)
    assert ended is not None
    assert ended.ended_at is None
    order = await scene.bench.order(order_id)
    assert order.state is S.ACTIVE
    assert order.due_at is not None
    scene.hlr.away = False
    async with scene.bench.sessions.begin() as session:
        await scene.bench.store.orders.put_off(session, order_id, now() - timedelta(minutes=1))
    await Upkeep(scene.bench.flow).sweep()
    await scene.run()
    assert (await scene.bench.order(order_id)).state is S.ENDED
