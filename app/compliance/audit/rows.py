"""Rows as they are stored, down to the last byte: nothing is parsed, so nothing can hide in a parser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit_tables import AuditCheckpointHeadRow as Seen
from activation.adapters.sql.audit_tables import AuditCheckpointRow as C
from activation.adapters.sql.audit_tables import AuditEntryRow as E
from activation.adapters.sql.audit_tables import AuditHeadRow as H
from activation.adapters.sql.tables import DecisionRow, FactRow, OrderRow
from app.compliance.audit.chains import Entry
from app.compliance.audit.checkpoints import CHUNK, by_bytes
from app.compliance.retention.tables import TombstoneRow

Row = tuple[Any, ...]


def as_text(session: AsyncSession, column: Any, instant: bool = False) -> sa.ColumnElement[Any]:
    """The column's stored text; instants as SQLite keeps them: `2026-01-31 12:00:00.000000` in UTC.

    On SQLite bytes, since anybody may have put anything there.
    """
    if session.get_bind().dialect.name == "sqlite":
        return sa.cast(column, sa.LargeBinary)
    if instant:
        return sa.func.to_char(sa.func.timezone("UTC", column), "YYYY-MM-DD HH24:MI:SS.US")
    return sa.cast(column, sa.Text)


async def stream(session: AsyncSession, query: sa.Select[Any]) -> AsyncIterator[list[Row]]:
    """The query's rows, CHUNK at a time; bytes become text, whatever they are."""
    found = await session.stream(query, execution_options={"yield_per": CHUNK})
    async for rows in found.partitions():
        yield [tuple(_text(value) for value in row) for row in rows]


def _text(value: Any) -> Any:
    return str(value, "utf-8", "backslashreplace") if isinstance(value, bytes) else value


async def entries(session: AsyncSession) -> AsyncIterator[Sequence[Entry]]:
    """Every entry, chain by chain, by seq."""

    def text(column: Any, instant: bool = False) -> sa.ColumnElement[Any]:
        return as_text(session, column, instant)

    query = sa.select(
        text(E.chain), E.seq, text(E.at, True), text(E.actor), text(E.event), text(E.content), text(E.hash)
    ).order_by(E.chain, E.seq)
    async for rows in stream(session, query):
        yield [(row[0], row[1], row[2], row[3], row[4], row[5], row[6]) for row in rows]


def heads_that_are_no_entries(session: AsyncSession) -> sa.Select[Any]:
    """chain, seq of heads that are not exactly an entry."""
    entry = sa.and_(E.chain == H.chain, E.seq == H.seq)
    return (
        sa.select(as_text(session, H.chain), H.seq)
        .outerjoin(E, entry)
        .where(sa.or_(E.hash.is_(None), E.hash != H.hash))
    )


def entries_beyond_heads(session: AsyncSession) -> sa.Select[Any]:
    """chain, last seq, the head's seq (None: there is no head) of chains that are longer than their head."""
    last = sa.select(E.chain, sa.func.max(E.seq).label("seq")).group_by(E.chain).subquery()
    return (
        sa.select(as_text(session, last.c.chain), last.c.seq, H.seq)
        .outerjoin(H, H.chain == last.c.chain)
        .where(sa.or_(H.seq.is_(None), H.seq < last.c.seq))
    )


def checkpoints(session: AsyncSession) -> sa.Select[Any]:
    """number, at, content, hash, signature, in order."""
    texts = (as_text(session, column) for column in (C.content, C.hash, C.signature))
    return sa.select(C.number, as_text(session, C.at, True), *texts).order_by(C.number)


def heads_of_checkpoints(session: AsyncSession) -> sa.Select[Any]:
    """number, chain, seq, hash, the entry's hash (None: no such entry), by number and chain."""
    return (
        sa.select(
            Seen.number,
            as_text(session, Seen.chain),
            Seen.seq,
            as_text(session, Seen.hash),
            as_text(session, E.hash).label("stands"),
        )
        .outerjoin(E, sa.and_(E.chain == Seen.chain, E.seq == Seen.seq))
        .order_by(Seen.number, by_bytes(session, Seen.chain))
    )


def heads_that_are_not_new(session: AsyncSession) -> sa.Select[Any]:
    """number, chain, seq of checkpoints' heads that an earlier checkpoint had seen, or had seen beyond."""
    earlier = sa.orm.aliased(Seen)
    before = (earlier.chain == Seen.chain, earlier.number < Seen.number, earlier.seq >= Seen.seq)
    return sa.select(Seen.number, as_text(session, Seen.chain), Seen.seq).where(
        sa.select(earlier.number).where(*before).exists()
    )


def facts(session: AsyncSession, orders: Sequence[str]) -> sa.Select[Any]:
    """order, seq, kind, at, body of these orders' facts."""
    F = FactRow
    texts = (as_text(session, F.kind), as_text(session, F.at, True), as_text(session, F.body))
    return sa.select(as_text(session, F.order_id), F.seq, *texts).where(F.order_id.in_(orders))


def decisions(session: AsyncSession, orders: Sequence[str]) -> sa.Select[Any]:
    """order, id, question, facts_seen, at, input, answer of these orders' decisions."""
    D = DecisionRow
    texts = (as_text(session, D.at, True), as_text(session, D.input), as_text(session, D.answer))
    question = as_text(session, D.question)
    return sa.select(as_text(session, D.order_id), D.id, question, D.facts_seen, *texts).where(
        D.order_id.in_(orders)
    )


def standing(orders: Sequence[str]) -> sa.Select[str]:
    """Those of these orders whose row is there."""
    return sa.select(OrderRow.id).where(OrderRow.id.in_(orders))


def buried(orders: Sequence[str]) -> sa.Select[str]:
    """Those of these orders whose destruction came to its end."""
    T = TombstoneRow
    return sa.select(T.order_id).where(T.order_id.in_(orders), T.destroyed_at.is_not(None))


def without_trail(session: AsyncSession, table: type[FactRow] | type[DecisionRow]) -> sa.Select[Any]:
    """order and number of rows about orders that have no chain."""
    chain = sa.select(E.seq).where(E.chain == table.order_id).exists()
    number = table.seq if table is FactRow else table.id  # type: ignore[union-attr]
    return sa.select(as_text(session, table.order_id), number).where(~chain)
