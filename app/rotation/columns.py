"""`Encrypted` columns, which belong to no order: encrypted anew under the current field key."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.fields import Encrypted, FieldKeys, FieldUnreadable, key_identifier
from app.rotation.rows import bytes_of
from app.rotation.work import Page, Place

#: A value begins with its format and the first 4 bytes of its key's digest.
FORMAT = b"\x01"
START = len(FORMAT) + 4


class ColumnPart:
    """`app.rotation.work.Part` over one column. bound: what its values are bound to."""

    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], keys: FieldKeys, column: sa.Column[str], bound: str
    ) -> None:
        self.name = f"{column.table.name}.{column.name}"
        self._sessions, self._keys, self._bound = sessions, keys, bound
        self._rows, self._column = bytes_of(column.table, column.name), column.name

    async def target(self) -> str:
        return _named(key_identifier(self._keys.current))

    async def total(self) -> int:
        async with self._sessions.begin() as session:
            return await self._rows.count(session)

    async def page(self, after: Place | None) -> Page:
        changed, current = 0, FORMAT + key_identifier(self._keys.current)
        async with self._sessions.begin() as session:
            rows = await self._rows.page(session, after)
            for row in rows:
                stored = getattr(row, self._column)
                if stored is None or not stored.startswith(FORMAT) or stored.startswith(current):
                    continue
                try:
                    clear = self._keys.decrypt(self._bound, stored)
                except FieldUnreadable:
                    continue  # `left` goes on counting it
                anew = {self._column: self._keys.encrypt(self._bound, clear)}
                changed += await self._rows.replace(session, row, anew)
        return Page(len(rows), changed, self._rows.place(rows[-1]) if rows else None)

    async def left(self) -> dict[str, int]:
        async with self._sessions.begin() as session:
            starts = await self._rows.starts(session, self._column, START)
        return {
            _named(first[len(FORMAT) :]): count for first, count in starts.items() if first.startswith(FORMAT)
        }


def column_parts(
    sessions: async_sessionmaker[AsyncSession], keys: FieldKeys, metadata: sa.MetaData
) -> Sequence[ColumnPart]:
    """One for each `Encrypted` column there is."""
    return [
        ColumnPart(sessions, keys, column, column.type.name)
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Encrypted)
    ]


def _named(key_id: bytes) -> str:
    return f"field:{key_id.hex()}"
