"""What the `hold` commands have in common: how a hold is shown, and the wait until all processes obey."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

    from activation.adapters.sql.holds import HoldView
    from activation.ids import HoldId
    from app.compliance.holds.shown import HoldShown, ProcessSeen

POLL_S = 0.1


def add_wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wait", type=float, default=30.0, metavar="SECONDS", help="for the living processes to obey"
    )


def line(hold: HoldView) -> str:
    ordered = f"{hold.authority} {hold.document}".strip() or "operator"
    return f"{hold.id} {hold.state:<7} {hold.scope} by {ordered}, {hold.placed_at:%Y-%m-%d %H:%M:%S} UTC"


async def until_obeyed(
    readers: async_sessionmaker[AsyncSession],
    hold: HoldId,
    seconds: float,
    say: Callable[[str], None] = print,
) -> int:
    """Says each process that obeys; exit status 0 once all that live do, 1 where some do not in time."""
    from app.compliance.holds.shown import show_hold

    said: set[str] = set()
    until = time.monotonic() + seconds
    while True:
        async with readers() as session:
            shown = await show_hold(session, hold, datetime.now(UTC))
        if shown is None:
            return 1
        for process in shown.processes:
            if process.alive and process.obeys and process.executor not in said:
                said.add(process.executor)
                say(f"  {process.executor} obeys{_after(shown, process)}")
        if shown.obeyed:
            say(_summary(shown))
            return 0
        if time.monotonic() > until:
            late = [each.executor for each in shown.processes if each.alive and not each.obeys]
            if late:
                say(f"  not seen in {seconds:.0f} s by: {', '.join(late)}")
            if shown.pending:
                say(f"  not switched off in {seconds:.0f} s: {shown.pending} orders")
            return 1
        await asyncio.sleep(POLL_S)


def _after(shown: HoldShown, process: ProcessSeen) -> str:
    if shown.hold.lifted_at is not None or process.delay_s is None:
        return ""
    return f", saw it after {process.delay_s:.2f} s"


def _summary(shown: HoldShown) -> str:
    alive = sum(process.alive for process in shown.processes)
    stopped = ", ".join(f"{number} {what}" for what, number in sorted(shown.stopped.items())) or "nothing yet"
    return f"obeyed by {alive} living processes; stopped: {stopped}"
