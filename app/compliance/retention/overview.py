"""Retention at a glance, and what stays of one destroyed order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.ids import OrderId
from app.compliance.retention.due import PlanLine, plan
from app.compliance.retention.rules import PERIODS, Kept
from app.compliance.retention.tables import LegalHoldRow, SubjectRequestRow
from app.compliance.retention.tables import TombstoneRow as T
from app.compliance.subjects.requests import RequestState


@dataclass(frozen=True)
class TombstoneView:
    """What stays (R8.2). why: the reason of the rule, in English."""

    order_id: OrderId
    state: str
    kept_as: Kept
    rule: str
    why: str
    opened_at: datetime
    over_at: datetime
    begun_at: datetime
    begun_by: str
    destroyed_at: datetime | None


@dataclass(frozen=True)
class Overview:
    """now, ahead: what must be destroyed at the moment, and by a later one."""

    now: list[PlanLine]
    ahead: list[PlanLine]
    destroyed: int
    being_destroyed: int
    legal_holds: int
    open_requests: int


async def overview(session: AsyncSession, now: datetime, ahead: timedelta) -> Overview:
    """Counts through indexes; nothing of anybody is read."""
    return Overview(
        now=await plan(session, now),
        ahead=await plan(session, now + ahead),
        destroyed=await _count(session, T, T.destroyed_at.is_not(None)),
        being_destroyed=await _count(session, T, T.destroyed_at.is_(None)),
        legal_holds=await _count(session, LegalHoldRow, LegalHoldRow.lifted_at.is_(None)),
        open_requests=await _count(session, SubjectRequestRow, SubjectRequestRow.state == RequestState.OPEN),
    )


async def read_tombstone(session: AsyncSession, order_id: OrderId) -> TombstoneView | None:
    """None: the order's data were not destroyed, nor are they being."""
    row = await session.get(T, order_id)
    if row is None:
        return None
    kept = Kept(row.kept_as)
    return TombstoneView(
        order_id=OrderId(row.order_id),
        state=row.state,
        kept_as=kept,
        rule=row.rule,
        why=PERIODS[kept].why.en,
        opened_at=row.opened_at,
        over_at=row.over_at,
        begun_at=row.begun_at,
        begun_by=row.begun_by,
        destroyed_at=row.destroyed_at,
    )


async def _count(
    session: AsyncSession, table: type[T | LegalHoldRow | SubjectRequestRow], where: sa.ColumnElement[bool]
) -> int:
    return await session.scalar(sa.select(sa.func.count()).select_from(table).where(where)) or 0
