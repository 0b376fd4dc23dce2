"""Which orders' data must be destroyed, found through an index and never by reading every order (R8.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.orders import OrderView
from activation.adapters.sql.service_ends import ServiceEnds
from activation.adapters.sql.tables import OrderRow as O
from activation.ids import OrderId
from activation.order import OrderState as S
from app.compliance.retention.disputes import on_record
from app.compliance.retention.legal_holds import LegalHolds, standing_hold
from app.compliance.retention.rules import DISPUTABLE, PERIODS, Kept, Standing
from app.compliance.retention.tables import SubjectRequestRow, TombstoneRow
from app.compliance.subjects.requests import RequestKind, RequestState

_STATES: dict[Kept, S] = {
    Kept.SERVICE_ENDED: S.ENDED,
    Kept.REFUSED: S.REFUSED,
    Kept.CANCELLED: S.CANCELLED,
    Kept.RETURNED: S.RETURNED,
    Kept.EXPIRED: S.EXPIRED,
    Kept.NEVER_CONFIRMED: S.EXPIRED,
}


@dataclass(frozen=True)
class PlanLine:
    """due: to be destroyed at that moment. held: would be, but for a legal hold."""

    kept: Kept
    due: int
    held: int


async def standing_of(session: AsyncSession, order: OrderView) -> Standing:
    """What the rules look at, of one order."""
    ended = await ServiceEnds().read(session, order.id) if order.state is S.ENDED else None
    return Standing(
        state=order.state,
        over_at=ended.ended_at if ended and ended.ended_at else order.changed_at,
        confirmed=order.identity.number is not None,
        held=await LegalHolds().stands(session, order.id),
        wished=await session.scalar(sa.select(_wished(sa.literal(order.id)))) is True,
        disputed=await session.scalar(sa.select(sa.literal(1)).where(on_record(sa.literal(order.id))))
        is not None,
    )


async def due_orders(session: AsyncSession, now: datetime, limit: int) -> list[OrderId]:
    """At most `limit`: first what was begun and not ended, then wishes, then by age."""
    begun = sa.select(TombstoneRow.order_id).where(TombstoneRow.destroyed_at.is_(None))
    found = list(await session.scalars(begun.order_by(TombstoneRow.begun_at).limit(limit)))
    wishes = (
        sa.select(SubjectRequestRow.order_id)
        .join(O, O.id == SubjectRequestRow.order_id)
        .where(
            SubjectRequestRow.kind == RequestKind.DELETION,
            SubjectRequestRow.state == RequestState.OPEN,
            O.state.in_(DISPUTABLE),
            sa.not_(standing_hold(O.id)),
            sa.not_(on_record(O.id)),
        )
    )
    found += await session.scalars(wishes.order_by(SubjectRequestRow.due_at).limit(limit))
    for kept in _STATES:
        if len(found) >= limit:
            break
        overdue = sa.select(O.id).where(*_over(kept, now), sa.not_(standing_hold(O.id)))
        found += await session.scalars(overdue.order_by(O.changed_at).limit(limit - len(found)))
    return [OrderId(each) for each in dict.fromkeys(found)][:limit]


async def plan(session: AsyncSession, at: datetime) -> list[PlanLine]:
    """What must be destroyed at a moment, now or in the future, counted by rule."""
    lines = []
    for kept in _STATES:
        counted = sa.select(
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(sa.case((standing_hold(O.id), 1), else_=0)), 0),
        ).where(*_over(kept, at))
        every, held = (await session.execute(counted)).one()
        lines.append(PlanLine(kept, every - held, held))
    return lines


def _over(kept: Kept, now: datetime) -> list[sa.ColumnElement[bool]]:
    """Disputed ones count among the refused."""
    where = [O.changed_at < PERIODS[kept].bound(now)]
    if kept is Kept.REFUSED:
        disputed = sa.and_(O.state.in_(DISPUTABLE), on_record(O.id))
        return [*where, O.state.in_({S.REFUSED, *DISPUTABLE}), sa.or_(O.state == S.REFUSED, disputed)]
    where.append(O.state == _STATES[kept])
    if _STATES[kept] in DISPUTABLE:
        where.append(sa.not_(on_record(O.id)))
    if _STATES[kept] is S.EXPIRED:
        never = kept is Kept.NEVER_CONFIRMED
        where.append(O.number_digest.is_(None) if never else O.number_digest.is_not(None))
    return where


def _wished(order_id: sa.ColumnElement[str]) -> sa.Exists:
    return sa.exists().where(
        SubjectRequestRow.order_id == order_id,
        SubjectRequestRow.kind == RequestKind.DELETION,
        SubjectRequestRow.state == RequestState.OPEN,
    )
