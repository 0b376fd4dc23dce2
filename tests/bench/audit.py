"""What the audit trail costs: changes with and without their entries, and going over 100,000 of them."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

import activation.adapters.sql.decisions
import activation.adapters.sql.facts
import activation.adapters.sql.orders
import logistics.tables  # noqa: F401  (their tables belong to the same metadata)
from activation.adapters.sql.audit import START, canonical, link
from activation.adapters.sql.audit_tables import AuditEntryRow, AuditHeadRow
from activation.adapters.sql.decisions import Question
from activation.adapters.sql.engine import open_engine, open_readers, open_sessions
from activation.adapters.sql.fields import FieldKeys, use_field_keys
from activation.adapters.sql.orders import NewOrder, Orders
from activation.adapters.sql.store import Store
from activation.adapters.sql.tables import OrderRow, Row
from activation.evidence import QuotaPlace
from activation.ids import Msisdn, OrderId
from activation.order import OrderState, states_before
from activation.order_keys import use_order_keys
from activation.policy import FaceBand, Policy
from app.compliance.audit.checkpoints import Checkpoints
from app.compliance.audit.signed import key_id
from app.compliance.audit.verifying import verify
from tests.bench import table
from tests.order_keys import DerivedOrderKeys
from tests.servers import postgres as postgres_server

WRITERS, TURNS, CHANGES = 20, 24, 5
STORE = Store()
POLICY = Policy("bench", {"bench": FaceBand(0.5, 0.3)})
KEY = Ed25519PrivateKey.generate()
_NOTING: tuple[Any, ...] = (
    activation.adapters.sql.orders,
    activation.adapters.sql.facts,
    activation.adapters.sql.decisions,
)


async def run(quick: bool, recogniser: str, models: Path) -> None:
    table.heading(
        "Audit trail", f"{WRITERS} writers at once, each on orders of its own; commits reach the disk"
    )
    use_field_keys(FieldKeys(b"f" * 32, b"i" * 32))
    use_order_keys(DerivedOrderKeys())
    with tempfile.TemporaryDirectory() as folder:
        await _measure([f"sqlite:///{folder}/{number}.sqlite" for number in range(2)], "SQLite", quick)
    if postgres_server.binaries() is None:
        print(f"  {postgres_server.MISSING}")
        return
    cluster = postgres_server.PostgresCluster()
    cluster.start(durable=True)
    try:
        urls = [cluster.url(cluster.create_database()) for _ in range(2)]
        await _measure(urls, "PostgreSQL", quick)
    finally:
        cluster.stop()


async def _measure(urls: Sequence[str], name: str, quick: bool) -> None:
    async with _opened(urls[0]) as engine:
        for what, change in (("a fact is recorded", _fact), ("a decision moves the order", _decision)):
            measured = _Measured(engine, change)
            for turn in range(2 if quick else TURNS):
                await measured.turn(2 if quick else CHANGES, entries_first=turn % 2 == 0)
            table.line(f"{what}, {name}", *measured.quiet(), "ms", "target 1.25")
    async with _opened(urls[1]) as engine:
        await _verify(engine, name, 2_000 if quick else 100_000)


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(Row.metadata.create_all)
    yield engine
    await engine.dispose()


Change = Callable[[AsyncSession, OrderId], Awaitable[None]]


async def _fact(session: AsyncSession, order: OrderId) -> None:
    """What `Flow.record` does, without the mission."""
    await STORE.orders.lock(session, order)
    await STORE.facts.append(session, order, QuotaPlace(datetime.now(UTC), 1, 5))
    await STORE.orders.put_off(session, order, datetime.now(UTC))


async def _decision(session: AsyncSession, order: OrderId) -> None:
    """What `accept.3` does where the gate asks for new captures, and what submits them again."""
    now, view = datetime.now(UTC), await STORE.orders.lock(session, order)
    await STORE.facts.append(session, order, QuotaPlace(now, 1, 5))
    facts = await STORE.facts.load(session, order)
    answer = Question.MAY_SHIP.ask(facts, POLICY)
    await STORE.decisions.record(session, Question.MAY_SHIP, facts, POLICY, answer, now)
    back = view.state is OrderState.SUBMITTED
    await STORE.orders.move(session, order, OrderState.DRAFT if back else OrderState.SUBMITTED, now)


@dataclass
class _Measured:
    """The same change with and without its entries, in turns, so that both meet the same machine."""

    engine: AsyncEngine
    change: Change
    with_entries: list[float] = field(default_factory=list)
    without: list[float] = field(default_factory=list)

    async def turn(self, changes: int, entries_first: bool) -> None:
        for entries in (entries_first, not entries_first):
            if entries:
                self.with_entries.append(await self._seconds(changes))
            else:
                with _no_entries():
                    self.without.append(await self._seconds(changes))

    def quiet(self) -> tuple[float, float]:
        """Milliseconds of one change: the lower quartile of the turns, as what disturbs only ever adds."""
        return table.percentile(self.with_entries, 25) * 1e3, table.percentile(self.without, 25) * 1e3

    async def _seconds(self, changes: int) -> float:
        """For one change, of all that were made in a time; on new orders, as facts add up."""
        sessions, orders = open_sessions(self.engine), [OrderId.new() for _ in range(WRITERS)]
        async with sessions.begin() as session:
            for order in orders:
                new = NewOrder(order, Msisdn("13800000001"), Msisdn("13900000001"), "")
                await STORE.orders.create(session, new, datetime.now(UTC), datetime.now(UTC))

        async def write(order: OrderId) -> None:
            for _ in range(changes):
                async with sessions.begin() as session:
                    await self.change(session, order)

        begun = time.perf_counter()
        await asyncio.gather(*(write(order) for order in orders))
        return (time.perf_counter() - begun) / changes / WRITERS


async def _bare_move(
    _orders: Orders,
    session: AsyncSession,
    order_id: OrderId,
    to: OrderState,
    at: datetime,
    *,
    due_at: datetime | None = None,
) -> bool:
    """`Orders.move` as it would be if nobody wanted to know the state before."""
    moved = await session.execute(
        sa.update(OrderRow)
        .where(OrderRow.id == order_id, OrderRow.state.in_(states_before(to)))
        .values(state=to, changed_at=at, due_at=due_at)
        .returning(OrderRow.id)
    )
    return moved.first() is not None


@contextmanager
def _no_entries() -> Iterator[None]:
    async def nothing(*_arguments: Any, **_details: Any) -> None:
        return None

    with ExitStack() as stack:
        for module in _NOTING:
            stack.enter_context(patch.object(module, "note", nothing))
        stack.enter_context(patch.object(Orders, "move", _bare_move))
        yield


async def _verify(engine: AsyncEngine, name: str, count: int) -> None:
    await _furnish(engine, count)
    readers, keys = open_readers(engine), {key_id(KEY.public_key()): KEY.public_key()}
    begun = time.perf_counter()
    await Checkpoints(open_sessions(engine), readers, KEY).take()
    table.alone(f"checkpoint, {name}", time.perf_counter() - begun, "s", f"{count // 10} chains and more")
    begun = time.perf_counter()
    verified = await verify(readers, keys)
    seconds = time.perf_counter() - begun
    note = f"{verified.entries} entries, {len(verified.faults)} faults; target 5"
    table.alone(f"verified, {name}", seconds, "s", note)


async def _furnish(engine: AsyncEngine, count: int) -> None:
    """Chains of ten entries each, written past the guards."""
    at, rows, heads = datetime.now(UTC), list[dict[str, Any]](), list[dict[str, Any]]()
    for _ in range(count // 10):
        chain, previous = OrderId.new(), START
        for seq in range(1, 11):
            told = {
                "at": at.isoformat(timespec="microseconds"),
                "actor": "mission:bench",
                "event": "order.bench",
            }
            content = canonical({**told, "rule": "R4.2", "reason": "", "details": {"before": "draft"}})
            previous = link(previous, chain, seq, content)
            entry = {"chain": chain, "seq": seq, "at": at, "content": content, "hash": previous}
            rows.append({**entry, "actor": told["actor"], "event": told["event"]})
        heads.append({"chain": chain, "seq": 10, "hash": previous})
    async with engine.begin() as connection:
        sqlite = engine.dialect.name == "sqlite"
        if not sqlite:
            for name in ("audit_entries", "audit_heads"):
                await connection.exec_driver_sql(f"ALTER TABLE {name} DISABLE TRIGGER ALL")
        await connection.execute(sa.insert(AuditEntryRow), rows)
        if not sqlite:
            await connection.execute(sa.insert(AuditHeadRow), heads)
            for name in ("audit_entries", "audit_heads"):
                await connection.exec_driver_sql(f"ALTER TABLE {name} ENABLE TRIGGER ALL")
