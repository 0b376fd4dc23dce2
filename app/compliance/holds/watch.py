"""Each process looks out for holds and writes down when it first saw one (R9.3: to show that it obeyed).

Decisions do not wait for this: they read the holds in their own transaction. What the watcher adds is the
proof that this process is alive and sees the same database, and the work that lifted holds had stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import sqlalchemy as sa
import structlog
from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.engine import insert_if_absent
from activation.adapters.sql.hold_tables import HoldRow as H
from activation.adapters.sql.hold_tables import HoldSightingRow as W
from activation.holds import HoldState
from app.compliance.holds.desk import HoldDesk
from app.logs import exception_shape

POLL_S = 0.25
#: Longest wait for one look at the database.
LOOK_S = 5.0

ACTIVE = Gauge("kaika_holds_active", "Holds in force, as this process sees them")

_log = structlog.get_logger("kaika.holds")


class HoldWatch:
    """executor: the name of this process, as in `executors`."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        readers: async_sessionmaker[AsyncSession],
        clock: Callable[[], datetime],
        desk: HoldDesk,
        executor: str,
    ) -> None:
        self._sessions, self._readers, self._clock = sessions, readers, clock
        self._desk, self._executor = desk, executor
        self._since = clock()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._since = self._clock()
        self._task = asyncio.create_task(self._run(), name="hold watch")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def look(self) -> int:
        """One look: write down what is new, bring back a part of what was stopped. How many were new."""
        async with self._readers() as session:
            ACTIVE.set(await self._active(session))
            placed, lifted = await self._unseen(session)
            lifting = await session.scalar(sa.select(H.id).where(H.state == HoldState.LIFTING).limit(1))
        if placed or lifted:
            await self._write(placed, lifted)
        if lifting is not None:
            await self._desk.bring_back()
        return len(placed) + len(lifted)

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_S):
                    await self.look()
            except Exception as error:  # the database is away: nothing can be decided either
                _log.warning("holds not looked at", error=exception_shape(error))
            await asyncio.sleep(POLL_S)

    async def _active(self, session: AsyncSession) -> int:
        counted = sa.select(sa.func.count()).select_from(H).where(H.state == HoldState.ACTIVE)
        return await session.scalar(counted) or 0

    async def _unseen(self, session: AsyncSession) -> tuple[list[str], list[str]]:
        mine = sa.and_(W.hold_id == H.id, W.executor == self._executor)
        placed = sa.select(H.id).outerjoin(W, mine)
        lifted = sa.select(H.id).join(W, mine)
        new = await session.scalars(placed.where(H.state == HoldState.ACTIVE, W.hold_id.is_(None)))
        gone = await session.scalars(lifted.where(H.state != HoldState.ACTIVE, W.lifted_at.is_(None)))
        return [*new], [*gone]

    async def _write(self, placed: list[str], lifted: list[str]) -> None:
        now = self._clock()
        async with self._sessions.begin() as session:
            for hold in placed:
                await insert_if_absent(
                    session, W, hold_id=hold, executor=self._executor, at=now, watching_since=self._since
                )
            mine = (W.hold_id.in_(lifted), W.executor == self._executor, W.lifted_at.is_(None))
            await session.execute(sa.update(W).where(*mine).values(lifted_at=now))
        for hold in placed:
            _log.warning("hold seen", hold=hold)
        for hold in lifted:
            _log.warning("hold lifted", hold=hold)
