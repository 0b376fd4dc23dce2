"""A process that takes one order on its way, to be killed: `python -m tests.activation.mission_process`.

It goes on from whatever it finds in the database, as a server does after a crash, and ends when the
order has come to the end of its scenario.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import sqlalchemy as sa

from activation.adapters.durable import DurableWork
from activation.adapters.hlr_osmocom import OsmocomHlr
from activation.adapters.sql.engine import open_engine, open_sessions
from activation.adapters.sql.fields import use_field_keys
from activation.adapters.sql.tables import FactRow, MessageRow, OrderRow
from activation.ids import OrderId
from activation.order import OrderState as S
from activation.order_keys import use_order_keys
from tests.activation.stand_ins import Bench, make_bench, until
from tests.conftest import TEST_KEYS
from tests.order_keys import DerivedOrderKeys

#: Messages of an order that goes the whole way.
TOLD = {"order_accepted", "shipped", "handover_code", "activation_link", "activated"}


class KillAt:
    """Kills this process with SIGKILL when the work comes to a point such as `decide.2 before`."""

    def __init__(self, point: str | None) -> None:
        self._point = point

    def reach(self, point: str) -> None:
        if point == self._point:
            os.kill(os.getpid(), signal.SIGKILL)


async def main(arguments: argparse.Namespace) -> None:
    use_field_keys(TEST_KEYS)
    use_order_keys(DerivedOrderKeys())
    engine = open_engine(arguments.url)
    sessions = open_sessions(engine)
    work = DurableWork(arguments.url, engine, arguments.executor, KillAt(arguments.kill_at))
    hlr = OsmocomHlr(*arguments.hlr.split(":")) if arguments.hlr else None
    bench = make_bench(sessions, work, hlr)
    await work.start(bench.flow)
    await SCENARIOS[arguments.scenario](bench)
    await work.stop()
    if hlr is not None:
        await hlr.close()
    await engine.dispose()


async def _activate(bench: Bench) -> None:
    order_id = await _begun(bench)
    if "handover" not in await _facts(bench):
        await _comes_to(bench, order_id, {S.SHIPPED})
        await bench.handed_over(order_id)
    if "video_check" not in await _facts(bench):
        await _comes_to(bench, order_id, {S.DELIVERED})
        await bench.checked(order_id)
    await _comes_to(bench, order_id, {S.ACTIVE})

    async def told_everything() -> bool:
        return await _told(bench) >= TOLD

    await until(told_everything)


async def _cancel(bench: Bench) -> None:
    order_id = await _begun(bench)
    await _comes_to(bench, order_id, {S.SHIPPED, S.CANCELLED})
    async with bench.sessions.begin() as session:
        await bench.flow.end(session, order_id, S.CANCELLED)

    async def released() -> bool:
        return (await bench.order(order_id)).due_at is None

    await until(released)


async def _serve(_bench: Bench) -> None:
    """Run missions that others enqueue, until killed."""
    await asyncio.Event().wait()


SCENARIOS: dict[str, Callable[[Bench], Awaitable[None]]] = {
    "activate": _activate,
    "cancel": _cancel,
    "serve": _serve,
}


async def _begun(bench: Bench) -> OrderId:
    async with bench.sessions.begin() as session:
        known = await session.scalar(sa.select(OrderRow.id))
    if known is None:
        await bench.furnish()
        known = await bench.draft()
    if (await bench.order(OrderId(known))).state is S.DRAFT:
        await bench.submit(OrderId(known))
    return OrderId(known)


async def _comes_to(bench: Bench, order_id: OrderId, states: set[S]) -> None:
    async def there() -> bool:
        return (await bench.order(order_id)).state in states

    await until(there)


async def _facts(bench: Bench) -> set[str]:
    async with bench.sessions.begin() as session:
        return set(await session.scalars(sa.select(FactRow.kind)))


async def _told(bench: Bench) -> set[str]:
    async with bench.sessions.begin() as session:
        return set(await session.scalars(sa.select(MessageRow.kind)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--scenario", choices=list(SCENARIOS), required=True)
    parser.add_argument("--executor", default="kaika-1")
    parser.add_argument("--hlr", help="host:port of an osmo-hlr; default: the sandbox HLR")
    parser.add_argument("--kill-at", help="a step and `before` or `after`, e.g. `decide.2 before`")
    asyncio.run(main(parser.parse_args()))
