"""Values from before orders had keys: taken out of the field key and sealed under their order's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.fields import FieldUnreadable, field_keys
from activation.adapters.sql.outbox import order_of
from activation.adapters.sql.sealed import FORMER, seal
from activation.adapters.sql.tables import CaptureRow, MessageRow, OrderRow, Row
from activation.ids import OrderId
from activation.order_keys import OrderKeyGone, Unreadable
from app.compliance.retention.face_keys import face_key_id
from app.rotation.rows import Bytes, bytes_of
from app.rotation.work import Page, Place
from logistics.tables import DeliveryEventRow, DeliveryRow

BEFORE, UNDER_ORDER = "field key, from before orders had keys", "order"
#: Under whose key a column's values belong, where it is not the order's own.
_OTHER_KEYS = {"captures.embeddings": face_key_id}


Owners = Callable[[AsyncSession, Sequence[Any]], Awaitable[list[OrderId | None]]]


@dataclass(frozen=True)
class SealedTable:
    """owners: the orders of some rows; None: of none, and its values stay under the field key.

    only: which rows belong to an order at all.
    """

    rows: Bytes
    owners: Owners
    only: tuple[sa.ColumnElement[bool], ...] = ()


class FieldsPart:
    """`app.rotation.work.Part` over the sealed columns of one table."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], table: SealedTable) -> None:
        self.name = f"{table.rows.table.name} from before"
        self._sessions, self._table, self._rows = sessions, table, table.rows

    async def target(self) -> str:
        return UNDER_ORDER

    async def total(self) -> int:
        async with self._sessions.begin() as session:
            return await self._rows.count(session)

    async def page(self, after: Place | None) -> Page:
        async with self._sessions.begin() as session:
            rows = await self._rows.page(session, after)
            owners = await self._table.owners(session, rows)
        # Keys are fetched between the transactions: nobody waits for the key service with a lock in hand.
        sealed = [(row, await self._seal(row, owner)) for row, owner in zip(rows, owners, strict=True)]
        changed = 0
        async with self._sessions.begin() as session:
            for row, anew in sealed:
                if anew:
                    changed += await self._rows.replace(session, row, anew)
        return Page(len(rows), changed, self._rows.place(rows[-1]) if rows else None)

    async def left(self) -> dict[str, int]:
        found = {BEFORE: 0, UNDER_ORDER: 0}
        async with self._sessions.begin() as session:
            for column in self._rows.columns:
                for first, count in (await self._rows.starts(session, column, 1, *self._table.only)).items():
                    found[BEFORE if first == FORMER else UNDER_ORDER] += count
        return found

    async def _seal(self, row: Any, order: OrderId | None) -> dict[str, bytes]:
        if order is None:
            return {}
        anew = {}
        for column in self._rows.columns:
            stored, name = getattr(row, column), f"{self._rows.table.name}.{column}"
            if stored is None or not stored.startswith(FORMER):
                continue
            owner = _OTHER_KEYS.get(name, OrderId)(order)
            try:
                anew[column] = await seal(owner, name, field_keys().decrypt(name, stored).decode())
            except (FieldUnreadable, OrderKeyGone, Unreadable):
                # `left` goes on counting it; retention removes what belongs to a destroyed order.
                continue
        return anew


def field_parts(sessions: async_sessionmaker[AsyncSession]) -> Sequence[FieldsPart]:
    """One for each table that has held personal data of orders since before orders had keys."""
    orders = ("contact_phone", "recipient", "address", "name", "number", "document_address")
    messages = _bytes_of(MessageRow, "text")
    tables = (
        SealedTable(_bytes_of(OrderRow, *orders), _owner_in("id")),
        SealedTable(_bytes_of(CaptureRow, "reading", "embeddings"), _owner_in("order_id")),
        SealedTable(
            _bytes_of(DeliveryRow, "recipient", "address", more=("order_id",)), _owner_in("order_id")
        ),
        SealedTable(_bytes_of(DeliveryEventRow, "position", more=("delivery_id",)), _owners_of_events),
        SealedTable(
            messages, _owners_of_messages, (messages.table.c.key.startswith("ord_", autoescape=True),)
        ),
    )
    return [FieldsPart(sessions, table) for table in tables]


def _owner_in(column: str) -> Owners:
    async def owners(_session: AsyncSession, rows: Sequence[Any]) -> list[OrderId | None]:
        return [OrderId(getattr(row, column)) for row in rows]

    return owners


async def _owners_of_events(session: AsyncSession, rows: Sequence[Any]) -> list[OrderId | None]:
    wanted = DeliveryRow.id.in_({row.delivery_id for row in rows})
    found = await session.execute(sa.select(DeliveryRow.id, DeliveryRow.order_id).where(wanted))
    orders = {row.id: OrderId(row.order_id) for row in found}
    return [orders.get(row.delivery_id) for row in rows]


async def _owners_of_messages(_session: AsyncSession, rows: Sequence[Any]) -> list[OrderId | None]:
    return [order_of(row.key) for row in rows]


def _bytes_of(row: type[Row], *columns: str, more: tuple[str, ...] = ()) -> Bytes:
    return bytes_of(Row.metadata.tables[row.__tablename__], *columns, more=more)
