"""Whom an incident concerns, worked out from the audit trail: whose data were shown to whom, and when (R9.2).

One statement in the database, whatever the number; found orders are only ever added.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit_tables import AuditEntryRow as A
from activation.adapters.sql.tables import OrderRow as O
from activation.ids import IncidentId, OrderId
from app.compliance.incidents.duties import Criteria
from app.compliance.incidents.tables import IncidentOrderRow as R
from app.compliance.retention.tables import TombstoneRow

#: Events of an order's chain by which somebody has come to know personal data.
EXPOSING = (
    "case.read",
    "case.shown",
    "delivery.photo_kept",
    "delivery.read",
    "document.compared",
    "evidence.looked",
    "evidence.shown",
    "export.given",
    "export.made",
    "identity.revealed",
    "identity.shown",
)
NAMED, HELD = "named", "held"
#: Orders in one answer.
PAGE = 1_000
UNKNOWN = ""


@dataclass(frozen=True)
class Affected:
    """people: different documents among the orders, as far as one was given. by_province: orders."""

    orders: int
    people: int
    by_province: dict[str, int]
    by_event: dict[str, int]


async def work_out(session: AsyncSession, incident: IncidentId, criteria: Criteria, now: datetime) -> None:
    """Adds every order that the criteria name, that their accounts saw, or that was held, in the time."""
    known = sa.select(R.order_id).where(R.incident_id == incident)
    if criteria.orders:
        named = sa.select(O.id).where(O.id.in_(criteria.orders), O.id.not_in(known))
        await _add(session, incident, named.with_only_columns(O.id, sa.literal(NAMED)), now)
    if criteria.held:
        await _add(session, incident, _held(criteria, known), now)
    if criteria.accounts or (criteria.since is not None and not criteria.orders and not criteria.held):
        await _add(session, incident, _seen(criteria, known), now)


def _seen(criteria: Criteria, known: sa.Select[str]) -> sa.Select[str, str]:
    """Without accounts: everybody's looks in the time."""
    where = [A.event.in_(EXPOSING), A.chain.startswith(f"{OrderId.prefix}_"), A.chain.not_in(known)]
    if criteria.accounts:
        where.append(A.actor.in_(criteria.accounts))
    if criteria.since is not None:
        where.append(A.at >= criteria.since)
    if criteria.until is not None:
        where.append(A.at <= criteria.until)
    return sa.select(A.chain, sa.func.min(A.event)).where(*where).group_by(A.chain)


def _held(criteria: Criteria, known: sa.Select[str]) -> sa.Select[str, str]:
    """Orders that were there before the end of the time, and those destroyed after its beginning."""
    T = TombstoneRow
    until = sa.true() if criteria.until is None else O.created_at <= criteria.until
    opened = sa.true() if criteria.until is None else T.opened_at <= criteria.until
    later = sa.true() if criteria.since is None else T.destroyed_at >= criteria.since
    there = sa.select(O.id.label("id")).where(until)
    gone = sa.select(T.order_id.label("id")).where(T.destroyed_at.is_not(None), opened, later)
    every = sa.union(there, gone).subquery()
    return sa.select(every.c.id, sa.literal(HELD)).where(every.c.id.not_in(known))


async def _add(
    session: AsyncSession, incident: IncidentId, found: sa.Select[str, str], now: datetime
) -> None:
    inner = found.subquery()
    order, because = inner.c
    rows = sa.select(sa.literal(str(incident)), order, because, sa.bindparam("now", now, R.found_at.type))
    await session.execute(sa.insert(R).from_select(["incident_id", "order_id", "because", "found_at"], rows))


async def count(session: AsyncSession, incident: IncidentId) -> Affected:
    """How many, where, and why."""
    mine = sa.select(R.order_id, R.because, O.number_digest, O.province).outerjoin(O, O.id == R.order_id)
    found = mine.where(R.incident_id == incident).subquery()
    orders, people = (
        await session.execute(
            sa.select(sa.func.count(), sa.func.count(sa.distinct(found.c.number_digest))).select_from(found)
        )
    ).one()
    return Affected(
        orders,
        people,
        await _by(session, found, sa.func.coalesce(found.c.province, UNKNOWN)),
        await _by(session, found, found.c.because),
    )


async def _by(session: AsyncSession, found: sa.Subquery, what: sa.ColumnElement[str]) -> dict[str, int]:
    rows = await session.execute(sa.select(what, sa.func.count()).select_from(found).group_by(what))
    return {row[0]: row[1] for row in sorted(rows.all())}


async def order_ids(session: AsyncSession, incident: IncidentId, after: str = "") -> list[OrderId]:
    """A page of affected orders in a stable order, beginning after one; at most PAGE."""
    query = (
        sa.select(R.order_id)
        .where(R.incident_id == incident, R.order_id > after)
        .order_by(R.order_id)
        .limit(PAGE)
    )
    return [OrderId(each) for each in await session.scalars(query)]
