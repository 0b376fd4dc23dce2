"""What is overdue of an incident says so: a log line once, a count for Prometheus as long as it lasts."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import sqlalchemy as sa
import structlog
from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.audit import note
from activation.ports import Clock, Routine, Work
from app.compliance.incidents.duties import Duty
from app.compliance.incidents.tables import IncidentDeadlineRow as D
from app.logs import exception_shape

CRON = "*/30 * * * * *"
COUNT_S = 15.0
#: Alarms of one pass; the next one takes the rest.
BATCH = 200

OVERDUE = Gauge("kaika_incident_deadlines_overdue", "Duties of incidents that are overdue", ("duty",))
_log = structlog.get_logger("kaika.incidents")


class Alarms:
    """`routine` for the mission engine; `start` counts in every process, so that each one's metrics agree."""

    def __init__(self, work: Work, readers: async_sessionmaker[AsyncSession], clock: Clock) -> None:
        self._work, self._readers, self._clock = work, readers, clock
        self._task: asyncio.Task[None] | None = None

    def routine(self) -> Routine:
        return Routine("incident-alarms", CRON, self.ring)

    async def ring(self) -> None:
        """Says each overdue duty once, whichever process finds it."""
        for incident, duty in await self._work.write("incidents.1 overdue", self._mark):
            _log.error("incident deadline missed", incident=incident, duty=duty)

    def start(self) -> None:
        self._task = asyncio.create_task(self._count_for_ever(), name="incident deadlines")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def count(self) -> dict[Duty, int]:
        """How many are overdue now, of each duty; sets the gauge."""
        query = sa.select(D.duty, sa.func.count()).where(*self._overdue()).group_by(D.duty)
        async with self._readers() as session:
            found = {Duty(duty): number for duty, number in await session.execute(query)}
        for duty in Duty:
            OVERDUE.labels(duty.value).set(found.get(duty, 0))
        return found

    async def _mark(self, session: AsyncSession) -> list[tuple[str, str]]:
        query = sa.select(D.incident_id, D.duty).where(*self._overdue(), D.alarmed_at.is_(None))
        rows = [(row.incident_id, row.duty) for row in await session.execute(query.limit(BATCH))]
        for incident, duty in rows:
            row = (D.incident_id == incident, D.duty == duty)
            await session.execute(sa.update(D).where(*row).values(alarmed_at=self._clock()))
            await note(session, "incidents", "incident.overdue", "R9.2", incident=incident, duty=duty)
        return rows

    def _overdue(self) -> tuple[sa.ColumnElement[bool], ...]:
        return D.done_at.is_(None), D.due_at <= self._clock()

    async def _count_for_ever(self) -> None:
        while True:
            try:
                await self.count()
            except Exception as error:  # the database is away
                _log.warning("incident deadlines not counted", error=exception_shape(error))
            await asyncio.sleep(COUNT_S)
