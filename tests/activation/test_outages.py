"""Registry, HLR and message gateway away, slow and back again, while real missions run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from aiohttp.test_utils import TestServer
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation import flow, steps
from activation.adapters import durable
from activation.adapters.durable import DurableWork
from activation.adapters.hlr_osmocom import OsmocomHlr
from activation.adapters.registry_http import HttpRegistry
from activation.adapters.registry_sandbox import EVERYBODY, Mode, SandboxRegistry
from activation.adapters.sql.engine import open_engine, open_sessions
from activation.adapters.sql.tables import DecisionRow, FactRow, MessageRow, OrderRow
from activation.ids import Msisdn, OrderId
from activation.normal import normal_name
from activation.order import OrderState
from activation.ports import MessageKind, MessagesFault
from activation.upkeep import Upkeep
from tests.activation.stand_ins import DOCUMENT, Bench, make_bench, now, until
from tests.servers.osmo_hlr import OsmoHlrServer

Sessions = async_sessionmaker[AsyncSession]


@pytest.fixture
async def sessions(sqlite_url: str) -> AsyncIterator[Sessions]:
    engine = open_engine(sqlite_url)
    yield open_sessions(engine)
    await engine.dispose()


@pytest.fixture
async def work(
    sqlite_url: str, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[DurableWork]:
    monkeypatch.setattr(durable, "STEP_RETRY_SECONDS", 0.05)
    durable_work = DurableWork(sqlite_url, sessions.kw["bind"], "kaika-test")
    yield durable_work
    await durable_work.stop()


async def due_now(bench: Bench, order_id: OrderId) -> None:
    """The order's due date comes, and the sweep."""
    async with bench.sessions.begin() as session:
        await session.execute(sa.update(OrderRow).where(OrderRow.id == order_id).values(due_at=now()))
    async with bench.sessions.begin() as session:
        await Upkeep(bench.flow).start_again(session)  # unless the scheduled sweep was there first


async def count(bench: Bench, query: sa.Select[int]) -> int:
    async with bench.sessions.begin() as session:
        return (await session.scalar(query)) or 0


@pytest.mark.parametrize("mode", [Mode.FAILING, Mode.NONSENSE, Mode.SLOW])
async def test_an_order_waits_for_the_registry_and_goes_on(
    sessions: Sessions, work: DurableWork, mode: Mode
) -> None:
    """R1.5, R3.2"""
    sandbox = SandboxRegistry(slow_seconds=30.0, modes={EVERYBODY: mode})
    sandbox.citizens[DOCUMENT.number] = normal_name(DOCUMENT.name)
    async with (
        TestServer(sandbox.application()) as server,
        HttpRegistry(str(server.make_url("/")), timeout=0.2, open_seconds=0.1) as registry,
    ):
        bench = make_bench(sessions, work, registry=registry)
        await bench.furnish()
        await work.start(bench.flow)
        order_id = await bench.draft()
        await bench.submit(order_id)
        decided = sa.select(sa.func.count()).select_from(DecisionRow)

        async def has_decided() -> bool:
            return await count(bench, decided) == 1

        await until(has_decided)
        waiting = await bench.order(order_id)
        assert waiting.state is OrderState.SUBMITTED
        assert waiting.due_at is not None
        assert waiting.due_at > now()
        sandbox.modes[EVERYBODY] = Mode.HONEST
        await due_now(bench, order_id)
        await bench.reaches(order_id, OrderState.SHIPPED)
        await work.stop()


@pytest.mark.osmohlr
async def test_the_last_step_waits_for_the_hlr_and_goes_on(
    sessions: Sessions, work: DurableWork, start_osmo_hlr: Callable[[], OsmoHlrServer]
) -> None:
    server = start_osmo_hlr()
    hlr = OsmocomHlr(*server.address, timeout=0.3)
    bench = make_bench(sessions, work, hlr)
    await bench.furnish()
    await work.start(bench.flow)
    order_id = await bench.draft()
    await bench.submit(order_id)
    await bench.reaches(order_id, OrderState.SHIPPED)
    await bench.handed_over(order_id)
    await bench.reaches(order_id, OrderState.DELIVERED)
    server.stop()
    await bench.checked(order_id)
    waiting = await bench.reaches(order_id, OrderState.ACTIVATING)
    assert waiting.due_at is not None
    server.start()
    await due_now(bench, order_id)
    await bench.reaches(order_id, OrderState.ACTIVE)
    async with bench.sessions.begin() as session:
        card = await bench.store.sims.of_order(session, order_id)
        assert card is not None
    subscriber = await hlr.read(card.imsi)
    assert subscriber is not None
    assert subscriber.is_on
    await work.stop()
    await hlr.close()


async def test_a_gateway_that_is_away_delays_messages_and_nothing_else(
    sessions: Sessions, work: DurableWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench(sessions, work)
    sandbox, asked = bench.flow.steps.messages, []

    class Away:
        async def send(
            self, to: Msisdn, kind: MessageKind, values: dict[str, str], locale: str, idempotency_key: str
        ) -> None:
            asked.append(kind)
            if asked.count(kind) < durable.STEP_ATTEMPTS:
                raise MessagesFault("the gateway is away")
            await sandbox.send(to, kind, values, locale, idempotency_key)

    object.__setattr__(bench.flow.steps, "messages", Away())
    await bench.furnish()
    await work.start(bench.flow)
    order_id = await bench.draft()
    await bench.submit(order_id)
    await bench.reaches(order_id, OrderState.SHIPPED)
    assert "kaika.example" in await bench.told(order_id, MessageKind.ACTIVATION_LINK)
    assert asked.count(MessageKind.ACTIVATION_LINK) == durable.STEP_ATTEMPTS


async def gateway_away() -> None:
    raise MessagesFault("the gateway is away")


async def database_away() -> None:
    raise OperationalError("SELECT 1", {}, ConnectionError("the database is away"))


async def too_slow() -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize("fails", [gateway_away, database_away, too_slow])
async def test_messages_outlast_what_stays_away(
    sessions: Sessions,
    work: DurableWork,
    monkeypatch: pytest.MonkeyPatch,
    fails: Callable[[], Awaitable[None]],
) -> None:
    """Away for longer than a step tries: told later, once, in the same words."""
    if fails is too_slow:
        monkeypatch.setattr(durable, "STEP_SECONDS", 0.5)
    monkeypatch.setattr(steps, "TELL_AGAIN", (timedelta(seconds=1), timedelta(seconds=1)))
    monkeypatch.setattr(flow, "TELL_AGAIN", steps.TELL_AGAIN)
    bench = make_bench(sessions, work)
    sandbox, keys = bench.flow.steps.messages, []

    class Away:
        async def send(
            self, to: Msisdn, kind: MessageKind, values: dict[str, str], locale: str, idempotency_key: str
        ) -> None:
            if kind is MessageKind.HANDOVER_CODE:
                keys.append(idempotency_key)
                if len(keys) <= 2 * durable.STEP_ATTEMPTS:
                    await fails()
            await sandbox.send(to, kind, values, locale, idempotency_key)

    object.__setattr__(bench.flow.steps, "messages", Away())
    await bench.furnish()
    await work.start(bench.flow)
    order_id = await bench.draft()
    await bench.submit(order_id)
    await bench.reaches(order_id, OrderState.SHIPPED)
    await bench.told(order_id, MessageKind.HANDOVER_CODE)
    assert len(keys) == 2 * durable.STEP_ATTEMPTS + 1
    assert len(set(keys)) == 1


async def test_the_same_and_late_facts_change_nothing(sessions: Sessions, work: DurableWork) -> None:
    bench = make_bench(sessions, work)
    await bench.furnish()
    await work.start(bench.flow)
    order_id = await bench.draft()
    assert await bench.submit(order_id)
    assert not await bench.submit(order_id)
    await bench.reaches(order_id, OrderState.SHIPPED)
    for _ in range(5):
        await bench.handed_over(order_id)
        await bench.checked(order_id)
    await bench.reaches(order_id, OrderState.ACTIVE)
    await bench.checked(order_id, similarity=0.1)
    await bench.told(order_id, MessageKind.ACTIVATED)
    async with bench.sessions.begin() as session:
        card = await bench.store.sims.of_order(session, order_id)
        assert card is not None
    assert await bench.hlr.switched_on(card.imsi) == 1
    told = sa.select(sa.func.count()).select_from(MessageRow).where(MessageRow.kind == "activated")
    assert await count(bench, told) == 1
    assert await count(bench, sa.select(sa.func.count()).select_from(FactRow)) == 4 + 10 + 1
