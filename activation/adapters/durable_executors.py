"""Which processes run durable work, and what to do with the missions of one that died."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from dbos import DBOS
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from activation.adapters.sql.engine import insert_if_absent, open_readers, open_sessions
from activation.adapters.sql.tables import ExecutorRow

BEAT = timedelta(seconds=5)
#: A process that has not been seen for so long is taken for dead. One that only was slow is fenced off
#: by DBOS, but its step in flight happens twice: every step outside the database is idempotent.
DEAD_AFTER = timedelta(seconds=30)
RESUME_BATCH = 500


class Heartbeat:
    """Says every few seconds that this executor lives."""

    def __init__(self, engine: AsyncEngine, executor_id: str) -> None:
        self._sessions, self._readers = open_sessions(engine), open_readers(engine)
        self._executor_id = executor_id
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._beat()
        self._task = asyncio.create_task(self._run(), name="heartbeat")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def alive(self) -> frozenset[str]:
        """Executors that were seen lately."""
        since = datetime.now(UTC) - DEAD_AFTER
        async with self._readers.begin() as session:
            return frozenset(
                await session.scalars(sa.select(ExecutorRow.id).where(ExecutorRow.seen_at > since))
            )

    async def resume_of_the_dead(self) -> int:
        """Put missions whose executor died back into their queue; how many."""
        alive = await self.alive()
        pending = await DBOS.list_workflows_async(
            status="PENDING", limit=RESUME_BATCH, load_input=False, load_output=False
        )
        orphans = [workflow for workflow in pending if workflow.executor_id not in alive]
        for workflow in orphans:
            await DBOS.resume_workflow_async(workflow.workflow_id, queue_name=workflow.queue_name)
        return len(orphans)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(BEAT.total_seconds())
            with suppress(SQLAlchemyError):  # the database is away; so are the missions
                await self._beat()

    async def _beat(self) -> None:
        now = datetime.now(UTC)
        async with self._sessions.begin() as session:
            if not await insert_if_absent(session, ExecutorRow, id=self._executor_id, seen_at=now):
                await session.execute(
                    sa.update(ExecutorRow).where(ExecutorRow.id == self._executor_id).values(seen_at=now)
                )
