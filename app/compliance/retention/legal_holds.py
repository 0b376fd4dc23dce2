"""Legal holds: an operator stops the destruction of one order's data, and lifts that again (R8.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from activation.acting import acting
from activation.adapters.sql.audit import note
from activation.adapters.sql.store import Store
from activation.ids import OrderId
from app.compliance.retention.tables import LegalHoldRow as H
from app.compliance.retention.tables import TombstoneRow

#: Holds in one answer.
LIST_LIMIT = 500


class HoldRefusal(StrEnum):
    """GONE: the order's data are destroyed, or being destroyed; nothing can stop that any more."""

    NOT_FOUND = "not_found"
    GONE = "gone"


@dataclass(frozen=True)
class LegalHold:
    id: int
    order: OrderId
    placed_at: datetime
    placed_by: str
    reason: str
    lifted_at: datetime | None
    lifted_by: str | None
    lift_reason: str | None


class LegalHolds:
    """Holds nothing; each call gets the session, and with it the transaction, it works in."""

    async def place(
        self, session: AsyncSession, order_id: OrderId, reason: str, at: datetime
    ) -> LegalHold | HoldRefusal:
        """One more hold; destruction waits until every one is lifted."""
        if await Store().orders.read(session, order_id) is None:
            return HoldRefusal.NOT_FOUND
        # Destruction begins with the order's row held, so one of the two comes first.
        await Store().orders.lock(session, order_id)
        if await session.get(TombstoneRow, order_id) is not None:
            return HoldRefusal.GONE
        row = H(order_id=order_id, placed_at=at, placed_by=acting(), reason=reason)
        session.add(row)
        await session.flush()
        await note(session, order_id, "legal_hold.placed", "R8.1", reason, hold=row.id)
        return _hold(row)

    async def lift(
        self, session: AsyncSession, hold_id: int, reason: str, at: datetime
    ) -> LegalHold | HoldRefusal:
        """Lifting twice changes nothing."""
        row = await session.get(H, hold_id)
        if row is None:
            return HoldRefusal.NOT_FOUND
        lifted = await session.execute(
            sa.update(H)
            .where(H.id == hold_id, H.lifted_at.is_(None))
            .values(lifted_at=at, lifted_by=acting(), lift_reason=reason)
            .returning(H.id)
        )
        if lifted.first() is not None:
            await note(session, row.order_id, "legal_hold.lifted", "R8.1", reason, hold=hold_id)
        await session.refresh(row)
        return _hold(row)

    async def stands(self, session: AsyncSession, order_id: OrderId) -> bool:
        """True while at least one hold of the order is not lifted."""
        return await session.scalar(sa.select(standing_hold(sa.literal(order_id)))) is True

    async def list(self, session: AsyncSession, limit: int = LIST_LIMIT) -> list[LegalHold]:
        """Those that stand, oldest first."""
        rows = await session.scalars(
            sa.select(H).where(H.lifted_at.is_(None)).order_by(H.placed_at, H.id).limit(limit)
        )
        return [_hold(row) for row in rows]


def standing_hold(order_id: sa.ColumnElement[str] | InstrumentedAttribute[str]) -> sa.Exists:
    """SQL: a hold of this order is not lifted."""
    return sa.exists().where(H.order_id == order_id, H.lifted_at.is_(None))


def _hold(row: H) -> LegalHold:
    return LegalHold(
        row.id,
        OrderId(row.order_id),
        row.placed_at,
        row.placed_by,
        row.reason,
        row.lifted_at,
        row.lifted_by,
        row.lift_reason,
    )
