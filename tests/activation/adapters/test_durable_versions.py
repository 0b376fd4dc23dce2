"""An update of the software: what the version before it had begun, or was to begin, still happens (R4.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from dbos import DBOS
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from activation.adapters import durable
from activation.adapters.durable import DurableWork
from activation.adapters.durable_versions import FormerMissions
from activation.adapters.sql.tables import ExecutorRow, MessageRow
from activation.flow import DECIDE
from activation.ids import OrderId
from activation.order import OrderState
from activation.ports import MessageKind
from activation.steps import TELL
from tests.activation.stand_ins import Bench, make_bench, now, until

FORMER = "1"


@pytest.fixture
async def bench(
    database_url: str, engine: AsyncEngine, sessions: async_sessionmaker[AsyncSession]
) -> AsyncIterator[Bench]:
    work = DurableWork(database_url, engine, "kaika-test")
    made = make_bench(sessions, work)
    await made.furnish()
    await work.start(made.flow)
    yield made
    await stopped(made)


async def of_the_version_before(
    bench: Bench, mission: str, order_id: OrderId, *why: str, executor: str = "", later: bool = False
) -> str:
    """A mission as version 1 left it: waiting, or running in `executor`."""
    before = pytest.MonkeyPatch()
    before.setattr(durable, "MISSIONS_VERSION", FORMER)
    async with bench.sessions.begin() as session:
        after = timedelta(seconds=1 if later else 0)
        await bench.flow.work.enqueue(session, mission, order_id, *why, after=after)
        if executor:
            schema = "dbos" if session.get_bind().dialect.name == "postgresql" else None
            names = ("workflow_uuid", "status", "executor_id")
            of_dbos = sa.table("workflow_status", *map(sa.column, names), schema=schema)
            this = of_dbos.c.workflow_uuid == "-".join((mission, order_id, *why))
            left = sa.update(of_dbos).where(this).values(status="PENDING", executor_id=executor)
            await session.execute(left)
    before.undo()
    return "-".join((mission, order_id, *why))


def former(bench: Bench) -> FormerMissions:
    work = bench.flow.work
    assert isinstance(work, DurableWork)
    return work._former


async def stopped(bench: Bench) -> None:
    work = bench.flow.work
    assert isinstance(work, DurableWork)
    await work.stop()


async def sent(bench: Bench, order_id: OrderId, kind: MessageKind) -> list[str]:
    async with bench.sessions.begin() as session:
        of_order = MessageRow.key.startswith(f"{order_id}-{kind}")
        return list(await session.scalars(sa.select(MessageRow.key).where(of_order)))


async def shipped(bench: Bench) -> OrderId:
    order_id = await bench.draft()
    assert await bench.submit(order_id)
    await bench.reaches(order_id, OrderState.SHIPPED)
    return order_id


async def test_a_mission_that_died_under_the_former_version_blocks_no_order(
    bench: Bench, database_url: str, engine: AsyncEngine
) -> None:
    """Version 1 was killed within `decide`; version 2 starts under its name, and tells what 1 had not."""
    order_id = await shipped(bench)
    await stopped(bench)
    left = await of_the_version_before(bench, DECIDE, order_id, "fact-9", executor="kaika-test")
    await of_the_version_before(bench, TELL, order_id, MessageKind.NEW_CHECK_WANTED, "fact-8")
    work = DurableWork(database_url, engine, "kaika-test")
    bench.flow = make_bench(bench.sessions, work).flow
    await work.start(bench.flow)
    await bench.handed_over(order_id)
    await bench.checked(order_id)
    await bench.reaches(order_id, OrderState.ACTIVE)
    await bench.told(order_id, MessageKind.NEW_CHECK_WANTED)
    status = await DBOS.get_workflow_status_async(left)
    assert status is not None
    assert status.status == "CANCELLED"
    assert await former(bench).take_over() == 0


@pytest.mark.parametrize("later", [False, True], ids=["waiting", "waiting for its time"])
async def test_what_the_applicant_was_to_be_told_is_told_once(bench: Bench, later: bool) -> None:
    order_id = await bench.draft()
    kind = MessageKind.NEW_CAPTURE_WANTED
    await of_the_version_before(bench, TELL, order_id, kind, "facts-3", later=later)
    await former(bench).take_over()
    await bench.told(order_id, kind)
    # Dying before the former one was given up: the same again, and the gateway knows its key.
    await of_the_version_before(bench, TELL, order_id, kind, "facts-3", "1")
    await former(bench).take_over()

    async def nothing_waits() -> bool:
        return not await DBOS.list_workflows_async(name=TELL, status=["ENQUEUED", "DELAYED", "PENDING"])

    await until(nothing_waits)
    assert await sent(bench, order_id, kind) == [f"{order_id}-{kind}-facts-3"]


async def test_what_a_living_process_of_the_former_version_runs_is_left_to_it(bench: Bench) -> None:
    order_id = await shipped(bench)
    async with bench.sessions.begin() as session:
        await session.execute(sa.insert(ExecutorRow).values(id="older", seen_at=now()))
    await of_the_version_before(bench, DECIDE, order_id, "fact-9", executor="older")
    assert await former(bench).take_over() == 0
    async with bench.sessions.begin() as session:
        gone = sa.update(ExecutorRow).where(ExecutorRow.id == "older")
        await session.execute(gone.values(seen_at=now() - timedelta(minutes=1)))
    assert await former(bench).take_over() == 1
