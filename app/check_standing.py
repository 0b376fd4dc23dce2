"""What the applicant is told after a check: never a score, never which of the data did not agree."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.checks import CheckView
from activation.adapters.sql.decisions import read_answer
from activation.adapters.sql.tables import DecisionRow, FactRow, OrderRow
from activation.check import OPEN, CheckState
from activation.findings import Reason
from activation.gate import Decision, Pass, Refuse, Review, Wait
from activation.order import OrderState


class Standing(StrEnum):
    RUNNING = "running"
    DECIDING = "deciding"
    ACTIVE = "active"
    LOOKED_AT = "looked_at"
    TRY_AGAIN = "try_again"
    AWAITING_DELIVERY = "awaiting_delivery"
    CLOSED = "closed"


_BY_ORDER = {
    OrderState.ACTIVE: Standing.ACTIVE,
    OrderState.ACTIVATING: Standing.DECIDING,
    OrderState.VERIFIED: Standing.AWAITING_DELIVERY,
    OrderState.SHIPPED: None,
    OrderState.DELIVERED: None,
}


async def standing(session: AsyncSession, check: CheckView) -> Standing:
    """Where this attempt has led to until now."""
    if check.state in OPEN:
        return Standing.RUNNING
    state = await session.scalar(sa.select(OrderRow.state).where(OrderRow.id == check.order_id))
    by_order = _BY_ORDER.get(OrderState(state), Standing.CLOSED) if state is not None else Standing.CLOSED
    if by_order is not None:
        return by_order
    decision = await _decision(session, check)
    if decision is None:
        return Standing.DECIDING
    return _told(decision, finished=check.state is CheckState.CLOSED)


async def _decision(session: AsyncSession, check: CheckView) -> Decision | None:
    """The newest decision about the order; None while it has not seen every fact."""
    facts = sa.select(sa.func.count()).select_from(FactRow).where(FactRow.order_id == check.order_id)
    newest = (
        await session.execute(
            sa.select(DecisionRow.facts_seen, DecisionRow.answer)
            .where(DecisionRow.order_id == check.order_id)
            .order_by(DecisionRow.id.desc())
            .limit(1)
        )
    ).first()
    if newest is None or newest.facts_seen < (await session.scalar(facts) or 0):
        return None
    return read_answer(newest.answer)


def _told(decision: Decision, *, finished: bool) -> Standing:
    match decision:
        case Pass():
            return Standing.DECIDING
        case Review():
            return Standing.LOOKED_AT
        case Refuse():
            return Standing.CLOSED
        case Wait(missing) if Reason.VIDEO_CHECK_MISSING in missing or not finished:
            return Standing.TRY_AGAIN
        case Wait():
            return Standing.AWAITING_DELIVERY
