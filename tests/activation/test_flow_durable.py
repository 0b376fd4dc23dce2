"""The missions on DBOS: from a draft to a subscriber who is on, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from activation.adapters.durable import DurableWork
from activation.adapters.sql.engine import open_engine, open_sessions
from activation.adapters.sql.tables import Row
from activation.ids import OrderId
from activation.order import OrderState
from activation.ports import MessageKind
from activation.sim import SimState
from tests.activation.stand_ins import Bench, card, make_bench, now


@pytest.fixture
async def bench(
    database_url: str, engine: AsyncEngine, sessions: async_sessionmaker[AsyncSession]
) -> AsyncIterator[Bench]:
    work = DurableWork(database_url, engine, "kaika-test")
    made = make_bench(sessions, work)
    await made.furnish()
    await work.start(made.flow)
    yield made
    await work.stop()


async def shipped(bench: Bench) -> OrderId:
    order_id = await bench.draft()
    assert await bench.submit(order_id)
    await bench.reaches(order_id, OrderState.SHIPPED)
    return order_id


async def test_from_draft_to_active(bench: Bench) -> None:
    order_id = await shipped(bench)
    await bench.handed_over(order_id)
    await bench.reaches(order_id, OrderState.DELIVERED)
    await bench.checked(order_id)
    await bench.reaches(order_id, OrderState.ACTIVE)
    async with bench.sessions.begin() as session:
        card = await bench.store.sims.of_order(session, order_id)
        assert card is not None
        assert card.state is SimState.ACTIVE
    subscriber = await bench.hlr.read(card.imsi)
    assert subscriber is not None
    assert subscriber.is_on
    assert await bench.hlr.switched_on(card.imsi) == 1


async def test_the_applicant_is_told_what_happens(bench: Bench) -> None:
    order_id = await shipped(bench)
    link = await bench.told(order_id, MessageKind.ACTIVATION_LINK)
    code = re.search(r"https://kaika.example/activate#([A-Z2-7]{32})", link)
    assert code is not None
    async with bench.sessions.begin() as session:
        found = await bench.store.orders.by_activation_code(session, code[1])
        assert found is not None
        assert found.id == order_id
        assert await bench.store.orders.by_activation_code(session, "A" * 32) is None
        _, handover_code = await bench.flow.steps.shipping.create_delivery(
            session, order_id, found.iccid or card(0)[0], now()
        )
    assert handover_code in await bench.told(order_id, MessageKind.HANDOVER_CODE)


async def test_threads_are_there_after_the_work_has_stopped(
    sqlite_url: str,
) -> None:
    engine = open_engine(sqlite_url)
    work = DurableWork(sqlite_url, engine, "kaika-test")
    bench = make_bench(open_sessions(engine), work)
    await bench.furnish()
    await work.start(bench.flow)
    await shipped(bench)
    for _ in range(2):
        await work.stop()
    assert await asyncio.to_thread(lambda: "still here") == "still here"
    await engine.dispose()


async def test_durable_work_stores_nothing_personal(bench: Bench, engine: AsyncEngine) -> None:
    """R9.1"""
    order_id = await shipped(bench)
    await bench.told(order_id, MessageKind.ACTIVATION_LINK)
    async with engine.connect() as connection:
        stored = await connection.run_sync(_everything_of_dbos)
    assert order_id in stored
    for personal in ("样本", "11010519491231002X", "13800009000", "深圳", "activate#"):
        assert personal not in stored


def _everything_of_dbos(connection: sa.Connection) -> str:
    metadata = sa.MetaData()
    if connection.dialect.name == "postgresql":
        metadata.reflect(connection, schema="dbos")
    else:
        ours = set(Row.metadata.tables)
        metadata.reflect(connection, only=lambda name, _: name not in ours)
    return "".join(str(connection.execute(sa.select(table)).all()) for table in metadata.sorted_tables)
