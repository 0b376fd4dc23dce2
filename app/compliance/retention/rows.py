"""Which rows go with an order and which stay. A table with an `order_id` that is not listed here goes."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.tables import MessageRow, OrderRow, Row
from activation.ids import OrderId
from app.access.token_tables import RefreshTokenRow, TokenFamilyRow
from logistics.tables import DeliveryEventRow, DeliveryRow

#: Tables that name an order and stay, each with the reason. None holds anything personal.
KEPT: dict[str, str] = {
    "sims": "a card that leaked is traced back to its order (R5.4); names nobody",
    "service_ends": "when service was over, and who ended it (R8.1)",
    "legal_holds": "who stopped destruction, and why (R8.1)",
    "tombstones": "that the order was there, and why it is gone (R8.2)",
    "incident_orders": "that a leak touched the order, and its applicant was to be told (R9.2)",
    "subject_requests": "that the applicant's wish was met, and when",
}


def order_tables() -> Iterator[tuple[sa.Table, sa.ColumnElement[str]]]:
    """Tables whose rows of an order are destroyed, with the column that names it."""
    for table in Row.metadata.sorted_tables:
        if "order_id" in table.c and table.name not in KEPT:
            yield table, table.c.order_id


async def delete_rows(session: AsyncSession, order_id: OrderId) -> int:
    """Everything in the database that was about the order; how many rows."""
    parcels = sa.select(DeliveryRow.id).where(DeliveryRow.order_id == order_id)
    families = sa.select(TokenFamilyRow.id).where(TokenFamilyRow.subject == order_id)
    statements = [
        sa.delete(DeliveryEventRow).where(DeliveryEventRow.delivery_id.in_(parcels)),
        sa.delete(RefreshTokenRow).where(RefreshTokenRow.family_id.in_(families)),
        sa.delete(TokenFamilyRow).where(TokenFamilyRow.subject == order_id),
        *(sa.delete(table).where(column == order_id) for table, column in order_tables()),
        sa.delete(MessageRow).where(MessageRow.key.startswith(f"{order_id}-")),
        sa.delete(OrderRow).where(OrderRow.id == order_id),
    ]
    gone = 0
    for statement in statements:
        result = await session.execute(statement)
        gone += int(getattr(result, "rowcount", 0))
    return gone
