"""What operators do with an incident (R9.2). Each call is one transaction with its entries in the trail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.audit import note
from activation.ids import IncidentId, StaffId
from app.compliance.incidents import incidents
from app.compliance.incidents.affected import Affected, count, work_out
from app.compliance.incidents.duties import (
    Criteria,
    Duty,
    IncidentKind,
    IncidentState,
    Severity,
    deadlines,
    stored_searches,
)
from app.compliance.incidents.incidents import Deadline, Incident, Measure


class IncidentRefusal(StrEnum):
    """DUTIES_OPEN: what must be told has not been. OWN_ACCOUNT: another operator ends it."""

    NOT_FOUND = "not_found"
    CLOSED = "closed"
    DUTIES_OPEN = "duties_open"
    NO_SUCH_DUTY = "no_such_duty"
    NO_ACCOUNTS = "no_accounts"
    OWN_ACCOUNT = "own_account"


@dataclass(frozen=True)
class NewIncident:
    kind: IncidentKind
    severity: Severity
    what: str
    discovered_at: datetime
    criteria: Criteria


class IncidentDesk:
    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        clock: Callable[[], datetime],
    ) -> None:
        self.sessions, self._clock = sessions, clock

    async def open(self, by: StaffId, new: NewIncident) -> IncidentId:
        """With its deadlines, and the affected as far as the trail tells."""
        now, incident_id = self._clock(), IncidentId.new()
        due = deadlines(new.severity, new.discovered_at)
        incident = Incident(
            id=incident_id,
            kind=new.kind,
            severity=new.severity,
            state=IncidentState.OPEN,
            what=new.what,
            searches=(new.criteria,),
            discovered_at=new.discovered_at,
            opened_at=now,
            opened_by=by,
            searched_at=None,
            closed_at=None,
            closed_by=None,
            conclusion=None,
            deadlines=tuple(Deadline(duty, at, None, None, None) for duty, at in due.items()),
        )
        async with self.sessions.begin() as session:
            await incidents.create(session, incident)
            affected = await self._search(session, incident_id, new.criteria, now)
            about: dict[str, Any] = {"kind": new.kind, "severity": new.severity, "orders": affected.orders}
            await note(session, "incidents", "incident.opened", "R9.2", incident=incident_id, **about)
        return incident_id

    async def search(
        self, by: StaffId, incident_id: IncidentId, criteria: Criteria
    ) -> Affected | IncidentRefusal:
        """Work out the affected by these criteria too; whoever was found before stays."""
        async with self.sessions.begin() as session:
            incident = await self.opened(session, incident_id)
            if isinstance(incident, IncidentRefusal):
                return incident
            affected = await self._search(session, incident_id, criteria, self._clock())
            searches = tuple(dict.fromkeys((*incident.searches, criteria)))
            await incidents.change(session, incident_id, criteria=stored_searches(searches))
            found = affected.orders
            await note(session, "incidents", "incident.searched", "R9.2", incident=incident_id, orders=found)
            return affected

    async def measure(self, by: StaffId, incident_id: IncidentId, what: str) -> IncidentRefusal | None:
        """What was done about it, in words. None: written down."""
        async with self.sessions.begin() as session:
            incident = await self.opened(session, incident_id)
            if isinstance(incident, IncidentRefusal):
                return incident
            await self.written(session, incident_id, by, "note", what)
        return None

    async def fulfil(
        self, by: StaffId, incident_id: IncidentId, duty: Duty, reference: str
    ) -> IncidentRefusal | None:
        """Somebody was told, or it was remedied. reference: number of the report, or how it was told.

        The final report says what came of it, so a closed incident may still owe it.
        """
        async with self.sessions.begin() as session:
            incident = await incidents.lock(session, incident_id)
            if incident is None:
                return IncidentRefusal.NOT_FOUND
            if incident.state is not IncidentState.OPEN and duty is not Duty.FINAL_REPORT:
                return IncidentRefusal.CLOSED
            if not await incidents.fulfil(session, incident_id, duty, by, reference, self._clock()):
                return IncidentRefusal.NO_SUCH_DUTY
            await self.written(session, incident_id, by, "duty", f"{duty}: {reference}")
        return None

    async def close(self, by: StaffId, incident_id: IncidentId, conclusion: str) -> IncidentRefusal | None:
        """None: closed. Not before every duty but the final report is done."""
        async with self.sessions.begin() as session:
            incident = await self.opened(session, incident_id)
            if isinstance(incident, IncidentRefusal):
                return incident
            due = [each for each in incident.deadlines if each.duty is not Duty.FINAL_REPORT]
            if any(each.done_at is None for each in due):
                return IncidentRefusal.DUTIES_OPEN
            now = self._clock()
            await incidents.change(
                session,
                incident_id,
                state=IncidentState.CLOSED,
                closed_at=now,
                closed_by=by,
                conclusion=conclusion,
            )
            await note(session, "incidents", "incident.closed", "R9.2", conclusion, incident=incident_id)
        return None

    async def opened(self, session: AsyncSession, incident_id: IncidentId) -> Incident | IncidentRefusal:
        """The incident, held until the transaction ends, while something can still be done about it."""
        incident = await incidents.lock(session, incident_id)
        if incident is None:
            return IncidentRefusal.NOT_FOUND
        return incident if incident.state is IncidentState.OPEN else IncidentRefusal.CLOSED

    async def _search(
        self, session: AsyncSession, incident_id: IncidentId, criteria: Criteria, now: datetime
    ) -> Affected:
        await work_out(session, incident_id, criteria, now)
        await incidents.change(session, incident_id, searched_at=now)
        return await count(session, incident_id)

    async def written(
        self, session: AsyncSession, incident_id: IncidentId, by: StaffId, kind: str, what: str
    ) -> None:
        """One more measure; the incident is held by the caller."""
        await incidents.add_measure(session, incident_id, Measure(kind, what[:1000], by, self._clock()))
        await note(session, "incidents", "incident.measure", "R9.2", what, incident=incident_id, kind=kind)
