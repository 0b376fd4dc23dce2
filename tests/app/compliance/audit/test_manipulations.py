"""A thousand random manipulations of single bytes and rows, by an owner without guards: each is found."""
# ruff: noqa: S608 - the statements are an attacker's

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from activation.adapters.sql.audit_tables import (
    AuditCheckpointHeadRow,
    AuditCheckpointRow,
    AuditEntryRow,
    AuditHeadRow,
)
from activation.adapters.sql.tables import DecisionRow, FactRow
from app.compliance.audit.chains import Fault
from app.compliance.audit.verifying import verify_within
from tests.app.compliance.audit.trail import KEYS, Sessions, furnish, without_guards

ENTRIES, HEADS, POINTS, SEEN, FACTS, DECISIONS = (
    row.__table__
    for row in (AuditEntryRow, AuditHeadRow, AuditCheckpointRow, AuditCheckpointHeadRow, FactRow, DecisionRow)
)
TABLES: tuple[Any, ...] = (ENTRIES, HEADS, POINTS, SEEN, FACTS, DECISIONS)
_PRINTABLE = [chr(code) for code in range(33, 127)]


class Refused(Exception):
    """The database took the manipulation for none, or did not take it."""


@dataclass
class Attacker:
    """Changes one thing in a transaction. places: where it may be found; one of them must be named."""

    session: AsyncSession
    dice: random.Random
    places: list[tuple[str, int | None, str]]
    what: str = ""

    async def manipulate(self) -> None:
        acts: Sequence[Callable[[], Awaitable[None]]] = (
            *(self.change_a_byte,) * 6,
            self.remove,
            self.duplicate,
            self.swap,
            self.reorder,
        )
        act = self.dice.choice(acts)
        self.what = act.__name__
        await act()

    async def change_a_byte(self) -> None:
        table = self.dice.choice(TABLES)
        column = self.dice.choice(list(table.c))
        row = await self._row(table)
        self.what += f" {table.name}.{column.name}"
        self._expect(table, row)
        old = row[column.name]
        new = old ^ 1 << self.dice.randrange(3) if isinstance(old, int) else self._other(str(old))
        await self._update(table, row, {column.name: new})
        changed = {**row, column.name: new}
        stands = f"SELECT CAST({column.name} AS TEXT) FROM {table.name} WHERE {_where(table)}"
        if await self.session.scalar(sa.text(stands), _keys(table, changed)) == str(old):
            raise Refused  # another way of writing the same time
        self._expect(table, changed)

    async def remove(self) -> None:
        table = self.dice.choice(TABLES)
        row = await self._row(table)
        self.what += f" {table.name}"
        self._expect(table, row)
        await self._do(f"DELETE FROM {table.name} WHERE {_where(table)}", _keys(table, row))

    async def duplicate(self) -> None:
        table = self.dice.choice(TABLES)
        row = await self._row(table)
        key = self.dice.choice(list(table.primary_key.columns)).name
        new = row[key] + self.dice.randint(1, 3) if isinstance(row[key], int) else self._other(str(row[key]))
        self.what += f" {table.name}, {key}"
        names = [column.name for column in table.c]
        statement = f"INSERT INTO {table.name} ({', '.join(names)}) SELECT " + ", ".join(
            f":new_{key}" if name == key else name for name in names
        )
        values = {**_keys(table, row), f"new_{key}": new}
        await self._do(f"{statement} FROM {table.name} WHERE {_where(table)}", values)
        self._expect(table, {**row, key: new})

    async def swap(self) -> None:
        """Everything but the keys of two rows changes places."""
        table = self.dice.choice(TABLES)
        one, other = await self._row(table), await self._row(table)
        self.what += f" {table.name}"
        names = [column.name for column in table.c if not column.primary_key]
        if all(one[name] == other[name] for name in names):
            raise Refused
        unique = {"hash": "0" * 64} if table is ENTRIES else {}
        await self._update(table, one, {**{name: other[name] for name in names}, **unique})
        await self._update(table, other, {name: one[name] for name in names})
        await self._update(table, one, {name: other[name] for name in names})
        self._expect(table, one)
        self._expect(table, other)

    async def reorder(self) -> None:
        """Two entries of one chain get each other's number."""
        row = await self._row(ENTRIES)
        later = {**row, "seq": row["seq"] + 1}
        for before, after in ((row, 10_000), (later, row["seq"]), ({**row, "seq": 10_000}, later["seq"])):
            await self._update(ENTRIES, before, {"seq": after})
        self._expect(ENTRIES, row)
        self._expect(ENTRIES, later)

    def _other(self, old: str) -> str:
        at = self.dice.randrange(len(old))
        byte = self.dice.choice([each for each in _PRINTABLE if each != old[at]])
        return old[:at] + byte + old[at + 1 :]

    def _expect(self, table: Any, row: dict[str, Any]) -> None:
        if table is ENTRIES or table is HEADS or table is SEEN:
            self.places.append((str(row["chain"]), row["seq"], ""))
            if table is ENTRIES and row["chain"] == "checkpoints":
                self.places.append(("checkpoints", None, "it is not the one that the trail notes"))
        if table is SEEN or table is POINTS:
            self.places.append(("checkpoints", None, f"checkpoint {row['number']}"))
        if table is HEADS:
            self.places.append((str(row["chain"]), None, "head"))
        if table is FACTS:
            self.places.append((str(row["order_id"]), None, f"fact {row['seq']}"))
        if table is DECISIONS:
            self.places.append((str(row["order_id"]), None, f"decision {row['id']}"))

    async def _row(self, table: Any) -> dict[str, Any]:
        """A random row as text and numbers, as it is stored."""
        sqlite = self.session.get_bind().dialect.name == "sqlite"
        columns = [
            column
            if isinstance(column.type, sa.Integer) or (sqlite and isinstance(column.type, sa.String))
            else sa.cast(column, sa.Text).label(column.name)
            for column in table.c
        ]
        count = await self.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        query = sa.select(*columns).order_by(*table.primary_key.columns)
        found = await self.session.execute(query.offset(self.dice.randrange(count)).limit(1))
        return dict(found.mappings().one())

    async def _update(self, table: Any, row: dict[str, Any], values: dict[str, Any]) -> None:
        sets = ", ".join(f"{name} = {self._cast(table.c[name], f':new_{name}')}" for name in values)
        new = {f"new_{name}": value for name, value in values.items()}
        await self._do(f"UPDATE {table.name} SET {sets} WHERE {_where(table)}", {**_keys(table, row), **new})

    def _cast(self, column: Any, value: str) -> str:
        if self.session.get_bind().dialect.name == "sqlite":
            return value
        return f"CAST({value} AS {column.type.compile(self.session.get_bind().dialect)})"

    async def _do(self, statement: str, values: dict[str, Any]) -> None:
        changed = await self.session.execute(sa.text(statement), values)
        if changed.rowcount != 1:  # type: ignore[attr-defined]
            raise Refused

    def named(self, faults: Iterable[Fault]) -> bool:
        return any(
            fault.chain == chain and seq in (None, fault.seq) and text in fault.what
            for fault in faults
            for chain, seq, text in self.places
        )


def _where(table: Any) -> str:
    return " AND ".join(f"{column.name} = :key_{column.name}" for column in table.primary_key.columns)


def _keys(table: Any, row: dict[str, Any]) -> dict[str, Any]:
    return {f"key_{column.name}": row[column.name] for column in table.primary_key.columns}


async def _manipulate(sessions: Sessions, readers: Sessions, wanted: int, seed: int) -> None:
    await furnish(sessions, readers)
    await without_guards(sessions)
    dice, made, missed, misnamed = random.Random(seed), 0, [], []
    while made < wanted:
        async with sessions() as session:
            attacker = Attacker(session, dice, [])
            try:
                await attacker.manipulate()
            except (DBAPIError, Refused):
                continue  # a key that is there already, a time or JSON that is none
            faults = (await verify_within(session, KEYS)).faults
            await session.rollback()
        made += 1
        if not faults:
            missed.append(attacker.what)
        elif not attacker.named(faults):
            misnamed.append((attacker.what, attacker.places, [str(fault) for fault in faults]))
    assert missed == []
    assert misnamed == []


async def test_all_of_a_thousand(engine: AsyncEngine, sessions: Sessions, readers: Sessions) -> None:
    sqlite = engine.dialect.name == "sqlite"
    await _manipulate(sessions, readers, 800 if sqlite else 200, seed=1 if sqlite else 2)
