"""Incidents in the database: opened, added to, closed; read as frozen views."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.ids import IncidentId, StaffId
from app.compliance.incidents.affected import Affected, count
from app.compliance.incidents.duties import (
    Criteria,
    Duty,
    IncidentKind,
    IncidentState,
    Severity,
    read_searches,
    stored_searches,
)
from app.compliance.incidents.tables import IncidentDeadlineRow as D
from app.compliance.incidents.tables import IncidentMeasureRow as M
from app.compliance.incidents.tables import IncidentRow as I

LIST_LIMIT = 200
MEASURES_LIMIT = 1_000


@dataclass(frozen=True)
class Deadline:
    duty: Duty
    due_at: datetime
    done_at: datetime | None
    done_by: StaffId | None
    reference: str | None

    def overdue(self, now: datetime) -> bool:
        return self.done_at is None and self.due_at <= now


@dataclass(frozen=True)
class Measure:
    """kind: `note`, `accounts_disabled`, `hold`, `duty`."""

    kind: str
    what: str
    by: StaffId
    at: datetime


@dataclass(frozen=True)
class Incident:
    """What is known of one incident; nothing personal. searches: what the affected were worked out from."""

    id: IncidentId
    kind: IncidentKind
    severity: Severity
    state: IncidentState
    what: str
    searches: tuple[Criteria, ...]
    discovered_at: datetime
    opened_at: datetime
    opened_by: StaffId
    searched_at: datetime | None
    closed_at: datetime | None
    closed_by: StaffId | None
    conclusion: str | None
    deadlines: tuple[Deadline, ...]

    @property
    def accounts(self) -> tuple[StaffId, ...]:
        """Those of all searches."""
        return tuple(dict.fromkeys(each for search in self.searches for each in search.accounts))


@dataclass(frozen=True)
class IncidentFile:
    """An incident with everything about it."""

    incident: Incident
    measures: tuple[Measure, ...]
    affected: Affected


async def create(session: AsyncSession, new: Incident) -> None:
    await session.execute(
        sa.insert(I).values(
            id=new.id,
            kind=new.kind,
            severity=new.severity,
            state=new.state,
            what=new.what,
            criteria=stored_searches(new.searches),
            discovered_at=new.discovered_at,
            opened_at=new.opened_at,
            opened_by=new.opened_by,
        )
    )
    for each in new.deadlines:
        await session.execute(sa.insert(D).values(incident_id=new.id, duty=each.duty, due_at=each.due_at))


async def lock(session: AsyncSession, incident_id: IncidentId) -> Incident | None:
    """The incident, held until the transaction ends."""
    found = await _list(session, sa.select(I).where(I.id == incident_id).with_for_update())
    return found[0] if found else None


async def newest(session: AsyncSession, open_only: bool) -> list[Incident]:
    """Newest first, at most LIST_LIMIT."""
    where = (I.state == IncidentState.OPEN,) if open_only else ()
    return await _list(
        session, sa.select(I).where(*where).order_by(I.opened_at.desc(), I.id).limit(LIST_LIMIT)
    )


async def read_file(session: AsyncSession, incident_id: IncidentId) -> IncidentFile | None:
    found = await _list(session, sa.select(I).where(I.id == incident_id))
    if not found:
        return None
    query = sa.select(M).where(M.incident_id == incident_id).order_by(M.seq).limit(MEASURES_LIMIT)
    measures = tuple(
        Measure(row.kind, row.what, StaffId(row.by), row.at) for row in await session.scalars(query)
    )
    return IncidentFile(found[0], measures, await count(session, incident_id))


async def add_measure(session: AsyncSession, incident_id: IncidentId, measure: Measure) -> None:
    """The incident is held by the caller, so numbers follow each other."""
    last = await session.scalar(sa.select(sa.func.max(M.seq)).where(M.incident_id == incident_id))
    await session.execute(
        sa.insert(M).values(
            incident_id=incident_id,
            seq=(last or 0) + 1,
            kind=measure.kind,
            what=measure.what,
            by=measure.by,
            at=measure.at,
        )
    )


async def change(session: AsyncSession, incident_id: IncidentId, **values: Any) -> None:
    await session.execute(sa.update(I).where(I.id == incident_id).values(**values))


async def fulfil(
    session: AsyncSession, incident_id: IncidentId, duty: Duty, by: StaffId, reference: str, at: datetime
) -> bool:
    """False: not a duty of this incident, or done before."""
    done = await session.execute(
        sa.update(D)
        .where(D.incident_id == incident_id, D.duty == duty, D.done_at.is_(None))
        .values(done_at=at, done_by=by, reference=reference)
        .returning(D.duty)
    )
    return done.first() is not None


async def _list(session: AsyncSession, query: sa.Select[I]) -> list[Incident]:
    rows = [*await session.scalars(query.execution_options(populate_existing=True))]
    due = sa.select(D).where(D.incident_id.in_([row.id for row in rows])).order_by(D.due_at, D.duty)
    deadlines: dict[str, list[Deadline]] = {}
    for row in await session.scalars(due.execution_options(populate_existing=True)):
        deadlines.setdefault(row.incident_id, []).append(_deadline(row))
    return [_incident(row, tuple(deadlines.get(row.id, ()))) for row in rows]


def _deadline(row: D) -> Deadline:
    by = StaffId(row.done_by) if row.done_by else None
    return Deadline(Duty(row.duty), row.due_at, row.done_at, by, row.reference)


def _incident(row: I, due: tuple[Deadline, ...]) -> Incident:
    return Incident(
        id=IncidentId(row.id),
        kind=IncidentKind(row.kind),
        severity=Severity(row.severity),
        state=IncidentState(row.state),
        what=row.what,
        searches=read_searches(row.criteria),
        discovered_at=row.discovered_at,
        opened_at=row.opened_at,
        opened_by=StaffId(row.opened_by),
        searched_at=row.searched_at,
        closed_at=row.closed_at,
        closed_by=StaffId(row.closed_by) if row.closed_by else None,
        conclusion=row.conclusion,
        deadlines=due,
    )
