"""From the commit of the last fact to the subscriber read back as on, in a real OsmoHLR."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import logistics.tables  # noqa: F401  (their tables belong to the same metadata)
from activation.adapters.durable import DurableWork
from activation.adapters.hlr_osmocom import OsmocomHlr
from activation.adapters.hlr_sandbox import SandboxHlr
from activation.adapters.sql.engine import open_engine, open_sessions
from activation.adapters.sql.fields import FieldKeys, use_field_keys
from activation.adapters.sql.sealed import seal
from activation.adapters.sql.tables import OrderRow, Row, SimRow
from activation.flow import Flow
from activation.ids import Msisdn, OrderId
from activation.order import OrderState
from activation.order_keys import use_order_keys
from activation.policy import FaceBand, Policy
from activation.ports import Hlr, MessageKind, Messages, Registry
from activation.sim import SimState
from activation.steps import Steps
from app.demo.stock import fictional_stock
from app.review.cases import Cases
from app.review.desk import FlowDesk
from logistics.opening import open_shipping
from logistics.ports import Couriers
from tests.bench import table
from tests.bench.evidence import MODEL, Proven
from tests.order_keys import DerivedOrderKeys
from tests.servers import osmo_hlr

POLL_SECONDS = 0.002
LONGEST_SECONDS = 20.0
DRAIN_SECONDS = 5


class Silent:
    """Messages that go nowhere."""

    async def send(
        self, to: Msisdn, kind: MessageKind, values: dict[str, str], locale: str, idempotency_key: str
    ) -> None:
        return None


@asynccontextmanager
async def open_flow(folder: Path, hlr: Hlr) -> AsyncIterator[Flow]:
    """The real flow over SQLite."""
    keys = FieldKeys(b"f" * 32, b"i" * 32)
    use_field_keys(keys)
    use_order_keys(DerivedOrderKeys())
    url = f"sqlite:///{folder / 'bench.sqlite'}"
    engine = open_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(Row.metadata.create_all)
    work = DurableWork(url, engine, "bench")
    steps = Steps(
        work=work,
        sessions=open_sessions(engine),
        clock=lambda: datetime.now(UTC),
        policy=Policy("bench", {MODEL.name: FaceBand(0.5, 0.3)}),
        hlr=hlr,
        registry=cast(Registry, None),  # the orders of the bench are past it
        messages=cast(Messages, Silent()),
        shipping=open_shipping(keys, cast(Couriers, None), "bench"),
        case_desk=FlowDesk(Cases()),
        base_url="https://bench.invalid",
    )
    flow = Flow(steps)
    await work.start(flow)
    try:
        yield flow
    finally:
        await work.stop(DRAIN_SECONDS)
        await engine.dispose()


async def shipped_order(flow: Flow, proven: Proven) -> None:
    """An order that lacks one fact."""
    now = flow.clock()
    async with flow.steps.sessions.begin() as session:
        order = OrderRow(
            id=proven.order,
            state=OrderState.DELIVERED,
            msisdn=proven.msisdn,
            contact_phone=await seal(proven.order, "orders.contact_phone", "13900000001"),
            contact_digest="0" * 64,
            address=await seal(proven.order, "orders.address", ""),
            iccid=proven.iccid,
            created_at=now,
            changed_at=now,
        )
        card = SimRow(
            iccid=proven.iccid,
            imsi=proven.imsi,
            batch="bench",
            state=SimState.INACTIVE,
            order_id=proven.order,
            changed_at=now,
        )
        session.add_all([order, card])
        await session.flush()
        for fact in proven.before():
            await flow.store.facts.append(session, proven.order, fact)
    await flow.steps.hlr.create_off(proven.imsi, proven.msisdn)


async def seconds_until_on(flow: Flow, proven: Proven, look: Hlr) -> float:
    """Commits the last fact; how long until another connection reads both domains as on."""
    async with flow.steps.sessions.begin() as session:
        await flow.record(session, proven.order, proven.video_check())
    committed = time.monotonic()
    async with asyncio.timeout(LONGEST_SECONDS):
        while True:
            subscriber = await look.read(proven.imsi)
            if subscriber is not None and subscriber.is_on:
                return time.monotonic() - committed
            await asyncio.sleep(POLL_SECONDS)


async def run(quick: bool, _recogniser: str, _models: Path) -> None:
    count = 10 if quick else 100
    real = osmo_hlr.installed()
    table.heading(
        "Last fact committed to subscriber on and read back",
        f"SQLite, one order after another; {'real OsmoHLR' if real else 'sandbox HLR: ' + osmo_hlr.MISSING}.",
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = osmo_hlr.OsmoHlrServer(folder) if real else None
        try:
            if server is not None:
                server.start()
                hlrs = OsmocomHlr(*server.address), OsmocomHlr(*server.address)
                await _measure(folder, count, *hlrs)
                for each in hlrs:
                    await each.close()
            else:
                engine = open_engine(f"sqlite:///{folder / 'bench.sqlite'}")
                sandbox = SandboxHlr(open_sessions(engine))
                await _measure(folder, count, sandbox, sandbox)
                await engine.dispose()
        finally:
            if server is not None:
                server.stop()


async def _measure(folder: Path, count: int, hlr: Hlr, look: Hlr) -> None:
    stock = fictional_stock(count + 1)
    template = Proven.fictional()
    took = []
    async with open_flow(folder, hlr) as flow:
        for (iccid, imsi), msisdn in zip(stock.cards.items(), stock.numbers, strict=True):
            proven = replace(template, order=OrderId.new(), iccid=iccid, imsi=imsi, msisdn=msisdn)
            await shipped_order(flow, proven)
            took.append(1000 * await seconds_until_on(flow, proven, look))
    table.alone("median", table.percentile(took[1:], 50), "ms", f"n = {count}")
    table.alone("p95", table.percentile(took[1:], 95), "ms", "target 250 ms")
