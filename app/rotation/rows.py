"""Columns of the database that hold bytes under a key, read and written as they lie there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from app.rotation.work import PAGE, Place


@dataclass(frozen=True)
class Bytes:
    """Some columns of one table. key: its primary key, which gives the order of rows."""

    table: sa.TableClause
    key: tuple[str, ...]
    columns: tuple[str, ...]

    async def page(self, session: AsyncSession, after: Place | None) -> Sequence[Any]:
        """Up to PAGE rows, those after `after`."""
        keys = [self.table.c[name] for name in self.key]
        query = sa.select(*self.table.c).order_by(*keys).limit(PAGE)
        if after is not None:
            query = query.where(sa.tuple_(*keys) > sa.tuple_(*map(sa.literal, after)))
        return (await session.execute(query)).all()

    async def count(self, session: AsyncSession) -> int:
        return int(await session.scalar(sa.select(sa.func.count()).select_from(self.table)) or 0)

    async def starts(
        self, session: AsyncSession, column: str, length: int, *only: sa.ColumnElement[bool]
    ) -> dict[bytes, int]:
        """How many values begin with which `length` bytes."""
        start = sa.func.substr(self.table.c[column], 1, length, type_=sa.LargeBinary)
        there = self.table.c[column].is_not(None)
        query = sa.select(start, sa.func.count()).where(there, *only).group_by(start)
        return {bytes(first): count for first, count in await session.execute(query)}

    async def replace(self, session: AsyncSession, row: Any, changed: dict[str, bytes]) -> bool:
        """New bytes in place of those that `row` has. False: somebody else was there first."""
        same = [self.table.c[name] == getattr(row, name) for name in (*self.key, *changed)]
        done = await session.execute(
            sa.update(self.table).where(*same).values(changed).returning(self.table.c[self.key[0]])
        )
        return done.first() is not None

    def place(self, row: Any) -> Place:
        return [getattr(row, name) for name in self.key]


def bytes_of(table: sa.Table, *columns: str, more: tuple[str, ...] = ()) -> Bytes:
    """`columns` of `table`, whatever type they have there."""
    key = tuple(column.name for column in table.primary_key)
    named = [sa.column(name, table.c[name].type) for name in (*key, *(set(more) - set(key)))]
    raw = [sa.column(name, sa.LargeBinary()) for name in columns]
    return Bytes(sa.table(table.name, *named, *raw), key, columns)
