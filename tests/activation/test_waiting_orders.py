"""100,000 orders that wait for their courier cost no queries, no threads and no memory."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from activation.adapters.durable import DurableWork
from activation.adapters.sql.engine import open_engine, open_sessions
from activation.adapters.sql.orders import Orders
from activation.adapters.sql.tables import OrderRow
from activation.ids import OrderId
from activation.order import OrderState
from activation.upkeep import _START_AGAIN, Upkeep
from tests.activation.stand_ins import Bench, make_bench, msisdn, now, running

WAITING = 100_000
SECONDS = 4.0
MEGABYTE = 1 << 20


@dataclass
class Cost:
    about_orders: int
    threads: int
    memory: int


def _memory() -> int:
    """Resident bytes of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def _statements() -> Iterator[list[str]]:
    """Every statement of every engine, DBOS's too."""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(sa.Engine, "before_cursor_execute", note)


async def _insert_waiting(sessions: async_sessionmaker[AsyncSession]) -> None:
    at = now()
    for start in range(0, WAITING, 10_000):
        rows = [
            {
                "id": OrderId.new(),
                "state": OrderState.SHIPPED,
                "msisdn": msisdn(number),
                "contact_phone": b"sealed",
                "contact_digest": "0" * 64,
                "address": b"",
                "created_at": at,
                "changed_at": at,
            }
            for number in range(start, start + 10_000)
        ]
        async with sessions.begin() as session:
            await session.execute(sa.insert(OrderRow), rows)


async def _cost_of_waiting(url: str, engine: AsyncEngine) -> Cost:
    """What the runtime does while nothing happens, one sweep included."""
    work = DurableWork(url, engine, "kaika-test")
    bench = make_bench(open_sessions(engine), work)
    async with running(work, bench):
        await asyncio.sleep(3.0)  # everything that happens once has happened
        before = _memory()
        with _statements() as seen:
            await asyncio.sleep(SECONDS)
            await _sweep(bench)
            about_orders = sum("FROM orders" in statement for statement in seen)
            return Cost(about_orders, threading.active_count(), _memory() - before)


async def _sweep(bench: Bench) -> None:
    upkeep = Upkeep(bench.flow)
    async with bench.sessions.begin() as session:
        assert await upkeep.expire_drafts(session) == 0
        assert await upkeep.start_again(session) == 0


@pytest.mark.slow
async def test_waiting_orders_cost_nothing(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    nobody = await _cost_of_waiting(sqlite_url, engine)
    await _insert_waiting(open_sessions(engine))
    everybody = await _cost_of_waiting(sqlite_url, engine)
    await engine.dispose()
    # The sweep above and at most one that was scheduled meanwhile; each asks once for every state.
    assert everybody.about_orders <= 2 * (len(_START_AGAIN) + 1)
    assert everybody.threads <= nobody.threads + 2
    assert everybody.memory - nobody.memory < 8 * MEGABYTE


async def test_due_orders_are_found_by_an_index(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    with _statements() as seen:
        async with open_sessions(engine).begin() as session:
            await Orders().due(session, OrderState.SUBMITTED, now(), 10)
    due = next(statement for statement in seen if "due_at <=" in statement)
    async with engine.connect() as connection:
        plan = (
            await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {due}", ("submitted", "2026", 10, 0))
        ).all()
    await engine.dispose()
    assert "ix_orders_state_due_at" in str(plan)
    assert "SCAN" not in str(plan)
