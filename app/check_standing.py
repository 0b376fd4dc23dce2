"""What the applicant is told after a check: never a score, never which of the data did not agree."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.checks import CheckView
from activation.adapters.sql.decisions import read_answer
from activation.adapters.sql.orders import OrderView
from activation.adapters.sql.tables import DecisionRow, FactRow, OrderRow
from activation.check import OPEN, CheckState
from activation.findings import Reason
from activation.gate import Decision, Pass, Refuse, Review, Wait
from activation.ids import OrderId
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
    **dict.fromkeys((OrderState.SHIPPED, OrderState.DELIVERED, OrderState.VERIFIED)),
}


async def standing(session: AsyncSession, check: CheckView) -> Standing:
    """Where this attempt has led to until now."""
    if check.state in OPEN:
        return Standing.RUNNING
    state = await session.scalar(sa.select(OrderRow.state).where(OrderRow.id == check.order_id))
    by_order = _BY_ORDER.get(OrderState(state), Standing.CLOSED) if state is not None else Standing.CLOSED
    if by_order is not None:
        return by_order
    decision = await _decision(session, check.order_id)
    if decision is None:
        return Standing.DECIDING
    passed = state == OrderState.VERIFIED  # by an earlier attempt, whatever became of this one
    return _told(decision, finished=passed or check.state is CheckState.CLOSED)


async def new_check_wanted(session: AsyncSession, order: OrderView) -> bool:
    """Whether a check had been passed, and then reviewers asked for another one.

    Not where the captures are gone that it would be compared with (R9.4).
    """
    if order.state is not OrderState.VERIFIED:
        return False
    answer, _ = await _newest(session, order.id)
    if not isinstance(answer, Wait) or Reason.CAPTURES_MISSING in answer.missing:
        return False
    return Reason.VIDEO_CHECK_MISSING in answer.missing


async def _decision(session: AsyncSession, order_id: OrderId) -> Decision | None:
    """The newest decision about the order; None while it has not seen every fact."""
    answer, facts_seen = await _newest(session, order_id)
    facts = sa.select(sa.func.count()).select_from(FactRow).where(FactRow.order_id == order_id)
    return answer if facts_seen >= (await session.scalar(facts) or 0) else None


async def _newest(session: AsyncSession, order_id: OrderId) -> tuple[Decision | None, int]:
    """The newest decision about the order, and how many facts it saw."""
    newest = (
        await session.execute(
            sa.select(DecisionRow.facts_seen, DecisionRow.answer)
            .where(DecisionRow.order_id == order_id)
            .order_by(DecisionRow.id.desc())
            .limit(1)
        )
    ).first()
    return (None, 0) if newest is None else (read_answer(newest.answer), newest.facts_seen)


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
