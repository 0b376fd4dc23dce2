"""What each process keeps looking at for compliance: holds, and the deadlines of incidents."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.ports import Work
from app.compliance.holds.desk import HoldDesk
from app.compliance.holds.watch import HoldWatch
from app.compliance.incidents.alarms import Alarms


def start_watching(
    stack: AsyncExitStack,
    sessions: async_sessionmaker[AsyncSession],
    readers: async_sessionmaker[AsyncSession],
    clock: Callable[[], datetime],
    work: Work,
    alarms: Alarms,
    executor: str,
) -> HoldDesk:
    """The desk of holds, watched from now until the stack closes. The missions run already."""
    holds = HoldDesk(sessions, clock, work)
    watch = HoldWatch(sessions, readers, clock, holds, executor)
    for each in (watch, alarms):
        each.start()
        stack.push_async_callback(each.stop)
    return holds
