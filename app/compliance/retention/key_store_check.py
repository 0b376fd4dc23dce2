"""Whether the key store at hand is the one of these orders: an empty one opens nothing and proves nothing."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.tables import OrderRow
from activation.ids import OrderId
from activation.order_keys import OrderKeyGone, Unreadable, order_keys
from app.compliance.retention.tables import TombstoneRow

#: Newest living orders that are tried; one that opens is enough.
TRIED = 5


async def opens_living_orders(session: AsyncSession, but: OrderId) -> bool | None:
    """None: there is no living order beside `but` to try. Raises OrderKeysFault."""
    destroyed = sa.exists().where(TombstoneRow.order_id == OrderRow.id)
    living = sa.select(OrderRow.id).where(OrderRow.id != but, sa.not_(destroyed))
    found = list(await session.scalars(living.order_by(OrderRow.created_at.desc()).limit(TRIED)))
    for each in found:
        try:
            await order_keys().of(OrderId(each))
        except (OrderKeyGone, Unreadable):
            continue
        return True
    return False if found else None
