"""`kill -9` before and after every numbered step: the order goes on, everything happens once."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.durable import POLL_SECONDS, DurableWork
from activation.adapters.durable_executors import Heartbeat
from activation.adapters.hlr_osmocom import OsmocomHlr
from activation.adapters.hlr_sandbox import SandboxHlr
from activation.adapters.sql.engine import open_engine, open_sessions
from activation.adapters.sql.orders import Document
from activation.adapters.sql.tables import (
    CardPlaceRow,
    DecisionRow,
    ExecutorRow,
    FactRow,
    HlrSubscriberRow,
    MessageRow,
    NumberRow,
    OrderRow,
    SimRow,
)
from activation.ids import Imsi, OrderId
from activation.order import OrderState
from activation.ports import MessageKind
from activation.sim import SimState
from tests.activation.mission_process import TOLD
from tests.activation.stand_ins import LATER, make_bench, now, running, until
from tests.servers.osmo_hlr import OsmoHlrServer

STEPS = ("accept.1", "accept.2", "accept.3", "ship.1", "ship.2", "ship.3")
TO_ACTIVE = (*STEPS, "decide.1", "decide.2", "decide.3", "decide.4", "tell.1")
TO_CANCELLED = ("release.1", "release.2")
FACTS = ["captures", "registry", "quota", "sim", "handover", "video_check"]
ORDERS = 12
ROOT = Path(__file__).parents[2]


async def mission_process(*arguments: str) -> int:
    """Exit status of one life of the process; negative: the signal that ended it."""
    command = [sys.executable, "-m", "tests.activation.mission_process", *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode in (0, -signal.SIGKILL), errors.decode()[-3000:]
    return process.returncode or 0


async def live_and_die(steps: Sequence[str], *arguments: str) -> None:
    """One life for each side of each step, each ended by SIGKILL there; then one to the end."""
    for step in steps:
        for side in ("before", "after"):
            killed = await mission_process(*arguments, "--kill-at", f"{step} {side}")
            assert killed == -signal.SIGKILL, f"the work never came to {step} {side}"
    assert await mission_process(*arguments) == 0


async def everything_happened_once(sessions: async_sessionmaker[AsyncSession]) -> Imsi:
    async with sessions.begin() as session:
        assert (await session.scalars(sa.select(OrderRow.state))).all() == [OrderState.ACTIVE]
        facts = await session.scalars(sa.select(FactRow.kind).order_by(FactRow.seq))
        assert facts.all() == FACTS
        assert (await session.scalars(sa.select(CardPlaceRow.place))).all() == [1]
        cards = (
            await session.execute(sa.select(SimRow.state, SimRow.imsi).where(SimRow.order_id.is_not(None)))
        ).all()
        assert [card.state for card in cards] == [SimState.ACTIVE]
        told = (await session.scalars(sa.select(MessageRow.kind))).all()
        assert sorted(told) == sorted(TOLD)
        answers = (await session.scalars(sa.select(DecisionRow.answer).order_by(DecisionRow.id))).all()
        assert answers[-1] == {"decision": "pass"}
        return Imsi(cards[0].imsi)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    engine = open_engine(url)
    yield open_sessions(engine)
    await engine.dispose()


@asynccontextmanager
async def counting(server: OsmoHlrServer) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Address of a relay to osmo-hlr, and every request that went through it."""
    requests: list[bytes] = []

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: list[bytes]) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(4096):
                seen.append(data)
                writer.write(data)
                await writer.drain()
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hlr_reader, hlr_writer = await asyncio.open_connection(*server.address)
        await asyncio.gather(copy(reader, hlr_writer, requests), copy(hlr_reader, writer, []))

    listening = await asyncio.start_server(relay, "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()
    yield f"{host}:{port}", requests
    listening.close()


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_killed_at_every_step_with_sqlite_and_the_sandbox_hlr(sqlite_url: str) -> None:
    await live_and_die(TO_ACTIVE, "--url", sqlite_url, "--scenario", "activate")
    async with opened(sqlite_url) as sessions:
        imsi = await everything_happened_once(sessions)
        assert await SandboxHlr(sessions).switched_on(imsi) == 1


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.osmohlr
@pytest.mark.timeout(300)
async def test_killed_at_every_step_with_postgresql_and_osmo_hlr(
    postgres_url: str, osmo_hlr: OsmoHlrServer
) -> None:
    async with counting(osmo_hlr) as (address, requests), opened(postgres_url) as sessions:
        await live_and_die(TO_ACTIVE, "--url", postgres_url, "--scenario", "activate", "--hlr", address)
        imsi = await everything_happened_once(sessions)
    hlr = OsmocomHlr(*osmo_hlr.address)
    subscriber = await hlr.read(imsi)
    await hlr.close()
    assert subscriber is not None
    assert subscriber.is_on
    sent = b"".join(requests)
    for domain in (b"cs", b"ps"):
        assert len(re.findall(domain + rb"-enabled 1", sent)) == 1


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_killed_while_a_cancelled_order_is_undone(sqlite_url: str) -> None:
    await live_and_die(TO_CANCELLED, "--url", sqlite_url, "--scenario", "cancel")
    async with opened(sqlite_url) as sessions, sessions.begin() as session:
        assert (await session.scalars(sa.select(OrderRow.state))).all() == [OrderState.CANCELLED]
        assert (await session.scalars(sa.select(CardPlaceRow.place))).all() == []
        assert (await session.scalars(sa.select(HlrSubscriberRow.imsi))).all() == []
        assert set(await session.scalars(sa.select(NumberRow.held_by))) == {None}
        blocked = sa.select(SimRow.state).where(SimRow.order_id.is_not(None))
        assert (await session.scalars(blocked)).all() == [SimState.BLOCKED]


@pytest.mark.slow
async def test_another_process_takes_over_from_one_that_died(sqlite_url: str) -> None:
    """Several processes: no executor of that name comes back, so a living one resumes its missions."""
    arguments = ("--url", sqlite_url, "--scenario", "activate")
    killed = await mission_process(*arguments, "--executor", "gone", "--kill-at", "decide.2 after")
    assert killed == -signal.SIGKILL
    engine = open_engine(sqlite_url)
    sessions = open_sessions(engine)
    work = DurableWork(sqlite_url, engine, "here")
    bench = make_bench(sessions, work)
    async with running(work, bench):
        heartbeat = Heartbeat(engine, "here")
        assert await heartbeat.resume_of_the_dead() == 0  # seen a moment ago, so perhaps only slow
        async with sessions.begin() as session:
            await session.execute(
                sa.update(ExecutorRow).where(ExecutorRow.id == "gone").values(seen_at=now() - LATER)
            )
            order_id = OrderId((await session.scalars(sa.select(OrderRow.id))).one())
        assert await heartbeat.resume_of_the_dead() >= 1
        await bench.reaches(order_id, OrderState.ACTIVE)
        for kind in TOLD:
            await bench.told(order_id, MessageKind(kind))
        imsi = await everything_happened_once(sessions)
        assert await bench.hlr.switched_on(imsi) == 1
    await engine.dispose()


@pytest.mark.slow
@pytest.mark.postgres
async def test_several_processes_share_the_work(postgres_url: str) -> None:
    command = [sys.executable, "-m", "tests.activation.mission_process", "--scenario", "serve"]
    processes = []
    async with opened(postgres_url) as sessions:
        bench = make_bench(sessions, DurableWork(postgres_url, sessions.kw["bind"], "nobody"))
        await bench.furnish(ORDERS)
        for name in ("first", "second"):
            arguments = ("--url", postgres_url, "--executor", name)
            processes.append(await asyncio.create_subprocess_exec(*command, *arguments, cwd=ROOT))
            await until(partial(_is_serving, sessions, name))
        documents = [Document("样本", f"specimen {number}", "") for number in range(ORDERS)]
        orders = [await bench.draft() for _ in documents]
        for order_id, document in zip(orders, documents, strict=True):
            assert await bench.submit(order_id, document)
        for order_id, document in zip(orders, documents, strict=True):
            await bench.reaches(order_id, OrderState.SHIPPED)
            await bench.handed_over(order_id)
            await bench.checked(order_id, document=document)
        for order_id in orders:
            await bench.reaches(order_id, OrderState.ACTIVE)
        for process in processes:
            process.kill()
            await process.wait()
        async with sessions.begin() as session:
            worked = await session.scalars(sa.text("SELECT DISTINCT executor_id FROM dbos.workflow_status"))
            assert {"first", "second"} <= set(worked)
            switched = await session.scalars(sa.select(HlrSubscriberRow.switched_on))
            assert switched.all() == [1] * ORDERS


async def _is_serving(sessions: async_sessionmaker[AsyncSession], name: str) -> bool:
    """A process says that it lives a moment before it has made DBOS's tables and queues."""
    async with sessions.begin() as session:
        alive = await session.get(ExecutorRow, name)
        made = await session.scalar(sa.text("SELECT to_regclass('dbos.queues') IS NOT NULL"))
        if alive is None or not made:
            return False
        return (await session.scalar(sa.text("SELECT count(*) FROM dbos.queues")) or 0) >= len(POLL_SECONDS)
