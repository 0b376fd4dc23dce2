"""Ends of service: who asked for one, and when the service was really over (R8.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from activation.adapters.sql.engine import insert_if_absent
from activation.adapters.sql.tables import Row
from activation.ids import OrderId


class ServiceEndRow(Row):
    """One per order, kept after the order's data are destroyed; nothing personal."""

    __tablename__ = "service_ends"

    order_id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    asked_at: Mapped[datetime]
    asked_by: Mapped[str] = mapped_column(sa.String(64))
    keep_number: Mapped[bool]  # True: the number left with its subscriber and never comes back to the pool
    ended_at: Mapped[datetime | None]  # the HLR knew the subscriber no longer; None: being done


@dataclass(frozen=True)
class ServiceEnd:
    order: OrderId
    asked_at: datetime
    asked_by: str
    keep_number: bool
    ended_at: datetime | None


class ServiceEnds:
    """Holds nothing; each call gets the session, and with it the transaction, it works in."""

    async def ask(
        self, session: AsyncSession, order_id: OrderId, by: str, keep_number: bool, at: datetime
    ) -> bool:
        """False: it was asked for before."""
        return await insert_if_absent(
            session, ServiceEndRow, order_id=order_id, asked_at=at, asked_by=by, keep_number=keep_number
        )

    async def read(self, session: AsyncSession, order_id: OrderId) -> ServiceEnd | None:
        row = await session.get(ServiceEndRow, order_id, populate_existing=True)
        if row is None:
            return None
        return ServiceEnd(OrderId(row.order_id), row.asked_at, row.asked_by, row.keep_number, row.ended_at)

    async def ended(self, session: AsyncSession, order_id: OrderId, at: datetime) -> None:
        """The clock of R8.1 starts."""
        await session.execute(
            sa.update(ServiceEndRow).where(ServiceEndRow.order_id == order_id).values(ended_at=at)
        )
