"""The missions on the real engine: a service ends, its order is destroyed, the engine forgets it too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from activation.adapters.durable import DurableWork
from activation.adapters.sql.service_ends import ServiceEnd
from activation.ending import EndDesk
from activation.ids import OrderId
from activation.order import OrderState as S
from activation.order_keys import OrderKeyGone, order_keys, use_order_keys
from app.compliance.retention.destroying import DESTROY
from app.compliance.retention.opening import open_retention
from app.compliance.retention.routine import Retention
from app.compliance.retention.tables import TombstoneRow
from media.envelope import ObjectKeys
from media.vault_local import LocalVault
from tests.activation.stand_ins import Bench, make_bench, now, until
from tests.app.compliance.retention.town import open_keys
from tests.app.ground import StandingClock


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
async def rooms(
    database_url: str,
    engine: AsyncEngine,
    sessions: async_sessionmaker[AsyncSession],
    clock: StandingClock,
    tmp_path: Path,
) -> AsyncIterator[tuple[Bench, Retention]]:
    keys = open_keys(tmp_path)
    use_order_keys(keys)
    work = DurableWork(database_url, engine, "kaika-test")
    bench, vault = make_bench(sessions, work), LocalVault(tmp_path / "vault", ObjectKeys(keys))
    retention = open_retention(
        engine=engine,
        work=work,
        clock=clock,
        vault=vault,
        faces_limit=9,
        release=bench.flow.release,
        forget=work.forget,
    )
    await bench.furnish()
    await work.start(bench.flow, retention.missions(), retention.routines())
    yield bench, retention
    await work.stop()
    vault.close()


async def test_from_the_end_of_service_to_the_tombstone(
    rooms: tuple[Bench, Retention], clock: StandingClock, engine: AsyncEngine
) -> None:
    bench, retention = rooms
    order_id = await bench.draft()
    assert await bench.submit(order_id)
    await bench.reaches(order_id, S.SHIPPED)
    await bench.handed_over(order_id)
    await bench.checked(order_id)
    await bench.reaches(order_id, S.ACTIVE)
    async with bench.sessions.begin() as session:
        asked = await EndDesk(retention.work, now).ask(session, order_id, False, "moved away")
    assert isinstance(asked, ServiceEnd)
    await bench.reaches(order_id, S.ENDED)
    await until(lambda: _settled(engine, order_id))

    clock.forward(timedelta(days=740))
    async with bench.sessions.begin() as session:
        assert await retention.begin(session) == 1

    async def destroyed() -> bool:
        async with bench.sessions() as session:
            stone = await session.get(TombstoneRow, order_id)
        return stone is not None and stone.destroyed_at is not None

    await until(destroyed)
    await until(lambda: _settled(engine, order_id))
    with pytest.raises(OrderKeyGone):
        await order_keys().of(order_id)
    # Results of earlier missions hold keyed hashes; only the one that ran last is left, and holds none.
    assert [each.partition("-")[0] for each in await _remembered(engine, order_id)] == [DESTROY]


async def _settled(engine: AsyncEngine, order_id: OrderId) -> bool:
    """No mission of the order waits or runs."""
    return not await _remembered(engine, order_id, "AND status IN ('PENDING', 'ENQUEUED', 'DELAYED')")


async def _remembered(engine: AsyncEngine, order_id: OrderId, which: str = "") -> list[str]:
    table = "workflow_status" if engine.dialect.name == "sqlite" else "dbos.workflow_status"
    async with engine.connect() as connection:
        found = await connection.execute(
            sa.text(f"SELECT workflow_uuid FROM {table} WHERE workflow_uuid LIKE :order {which}"),  # noqa: S608
            {"order": f"%{order_id}%"},
        )
        return list(found.scalars())
