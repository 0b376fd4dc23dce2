"""R2.1, R2.2: the five places of a document. A primary key, not Python, keeps the sixth card out."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit import note
from activation.adapters.sql.engine import insert_if_absent
from activation.adapters.sql.tables import CardPlaceRow as P
from activation.ids import Digest, OrderId


class Quota:
    async def take(
        self, session: AsyncSession, number: Digest, order_id: OrderId, limit: int, at: datetime
    ) -> int | None:
        """The order's place among the document's, 1 to `limit`: its own, else the lowest free; None: full.

        number: keyed hash of the document number.
        """
        rows = await session.execute(sa.select(P.place, P.order_id).where(P.number_digest == number))
        places: dict[str, int] = {row.order_id: row.place for row in rows}
        if order_id in places:
            return places[order_id]
        for place in range(1, limit + 1):
            if place not in places.values() and await insert_if_absent(
                session, P, number_digest=number, place=place, order_id=order_id, taken_at=at
            ):
                return place
        return None

    async def release(self, session: AsyncSession, order_id: OrderId) -> None:
        """Give the order's place back."""
        freed = await session.scalar(sa.delete(P).where(P.order_id == order_id).returning(P.place))
        if freed is not None:
            await note(session, order_id, "quota.released", "R2.1", place=freed)

    async def taken(self, session: AsyncSession, number: Digest) -> int:
        """How many places of the document are taken."""
        counted = await session.scalar(
            sa.select(sa.func.count()).select_from(P).where(P.number_digest == number)
        )
        return counted or 0
