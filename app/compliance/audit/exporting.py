"""The trail in a file: JSON lines that prove themselves with nothing but the operator's public key.

    {"kaika": "audit-export-1", "after": A, "to": B, "public_key": PEM}
    {"checkpoint": {"content", "hash", "signature"}}                          checkpoints A + 1 to B
    {"chain": NAME, "after": SEQ, "previous": HASH, "heads": [[number, seq, hash], …]}
    {"heads": [[number, seq, hash], …]}                                       further ones of that chain
    {"entry": [seq, content, hash]}                                           those of the chain before it
    {"end": {"chains": N, "entries": M}}

An export goes from one checkpoint to another, so that every entry in it is under a signature: a checkpoint
signs the list of heads that are new in it, and a head is the hash of all entries before it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit_chain import START
from activation.adapters.sql.audit_tables import AuditCheckpointHeadRow as Seen
from activation.adapters.sql.audit_tables import AuditCheckpointRow as C
from activation.adapters.sql.audit_tables import AuditEntryRow as E
from app.compliance.audit.checkpoints import CHUNK, by_bytes

FORMAT = "audit-export-1"
#: Heads in one line; some 80 characters each.
HEADS_IN_LINE = 1_000


async def span(session: AsyncSession, since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """Numbers of the last checkpoint before `since` (0: none) and of the last before `until`."""
    newest = sa.select(sa.func.coalesce(sa.func.max(C.number), 0))
    after = 0 if since is None else await session.scalar(newest.where(C.at < since))
    to = await session.scalar(newest if until is None else newest.where(C.at < until))
    return after or 0, to or 0


async def export(session: AsyncSession, after: int, to: int, public_key: str) -> AsyncIterator[str]:
    """The lines, without their ends. after, to: numbers of checkpoints; session: sees one snapshot."""
    yield _line({"kaika": FORMAT, "after": after, "to": to, "public_key": public_key})
    columns = (C.content, C.hash, C.signature)
    signed = sa.select(*columns).where(C.number > after, C.number <= to).order_by(C.number)
    for row in await session.execute(signed):
        yield _line({"checkpoint": {"content": row.content, "hash": row.hash, "signature": row.signature}})
    chain, chains, entries = "", 0, 0
    found = await session.stream(_entries(session, after, to), execution_options={"yield_per": CHUNK})
    async for part in found.partitions():
        heads = await _heads(session, after, to, sorted({row.chain for row in part}))
        for row in part:
            if row.chain != chain:
                chain, chains = row.chain, chains + 1
                begins = {"after": row.after or 0, "previous": row.previous or START}
                mine = heads.get(chain, [])
                yield _line({"chain": chain, **begins, "heads": mine[:HEADS_IN_LINE]})
                for start in range(HEADS_IN_LINE, len(mine), HEADS_IN_LINE):
                    yield _line({"heads": mine[start : start + HEADS_IN_LINE]})
            yield _line({"entry": [row.seq, row.content, row.hash]})
            entries += 1
    yield _line({"end": {"chains": chains, "entries": entries}})


def _entries(session: AsyncSession, after: int, to: int) -> sa.Select[Any]:
    """Entries between the checkpoints, with seq and hash of the head at the first one."""

    def last(*where: sa.ColumnElement[bool]) -> sa.Subquery:
        grouped = sa.select(Seen.chain, sa.func.max(Seen.seq).label("seq")).where(*where)
        return grouped.group_by(Seen.chain).subquery()

    ends, begins = last(Seen.number > after, Seen.number <= to), last(Seen.number <= after)
    former = sa.orm.aliased(Seen)
    return (
        sa.select(
            E.chain, E.seq, E.content, E.hash, begins.c.seq.label("after"), former.hash.label("previous")
        )
        .join(ends, ends.c.chain == E.chain)
        .outerjoin(begins, begins.c.chain == E.chain)
        .outerjoin(former, sa.and_(former.chain == begins.c.chain, former.seq == begins.c.seq))
        .where(E.seq > sa.func.coalesce(begins.c.seq, 0), E.seq <= ends.c.seq)
        .order_by(by_bytes(session, E.chain), E.seq)
    )


async def _heads(
    session: AsyncSession, after: int, to: int, chains: Sequence[str]
) -> dict[str, list[tuple[int, int, str]]]:
    """Of each chain number, seq and hash of its heads, by number."""
    query = sa.select(Seen.chain, Seen.number, Seen.seq, Seen.hash).where(
        Seen.number > after, Seen.number <= to, Seen.chain.in_(chains)
    )
    heads: dict[str, list[tuple[int, int, str]]] = {}
    for row in await session.execute(query.order_by(Seen.number)):
        heads.setdefault(row.chain, []).append((row.number, row.seq, row.hash))
    return heads


def _line(told: dict[str, Any]) -> str:
    return json.dumps(told, separators=(",", ":"))
