"""Making checkpoints: each day, and whenever somebody asks, all chains' heads go under one signature.

    1 write down the heads that are new since the checkpoint before        one short transaction
    2 read all heads in order, hash them into a tree, sign its root        no transaction waits
    3 write the checkpoint and its note                                    one short transaction

A process that dies after the first step leaves heads whose checkpoint the next run makes, with the time
of the newest of them, before it makes one of its own. Heads lie beside
the checkpoint that saw them first, so a day costs as many rows as chains grew, not as there are chains.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import InstrumentedAttribute

from activation.acting import acting_as
from activation.adapters.sql.audit import note
from activation.adapters.sql.audit_tables import AuditCheckpointHeadRow, AuditHeadRow
from activation.adapters.sql.audit_tables import AuditCheckpointRow as C
from activation.adapters.sql.audit_tables import AuditEntryRow as E
from activation.adapters.sql.engine import insert_if_absent
from activation.ports import Routine
from app.compliance.audit.merkle import Tree, head_leaf
from app.compliance.audit.signed import FIRST, Changes, Signed, sign

#: The daily checkpoint, as a scheduled workflow: five minutes past midnight UTC.
DAILY, DAILY_CRON = "audit_checkpoint", "0 5 0 * * *"
#: Heads that are read, and hashed in a thread, at a time.
CHUNK = 5_000
# Nothing else locks by this number: of two processes that make a checkpoint one writes the heads down.
_LOCK = 0x6B61_6175

#: number of the checkpoint that saw it first, chain, seq, hash
Head = tuple[int, str, int, str]


@dataclass(frozen=True)
class Checkpoints:
    """readers: sessions that only read. key: signs."""

    sessions: async_sessionmaker[AsyncSession]
    readers: async_sessionmaker[AsyncSession]
    key: Ed25519PrivateKey
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def routine(self) -> Routine:
        """The daily checkpoint. It has no steps: begun again, it goes on where it was."""

        async def daily() -> None:
            with acting_as("mission:audit"):
                await self.take()

        return Routine(DAILY, DAILY_CRON, daily)

    async def take(self) -> Signed:
        """A new checkpoint over every entry that is committed now."""
        made, began_before = await self._make()
        if began_before:
            # Heads of the next number stand only once this one is made: they are younger than this call.
            made, _ = await self._make()
        return made

    async def _make(self) -> tuple[Signed, bool]:
        """The next one, and whether its heads stood already: then it says the time of the newest of them."""
        async with self.sessions.begin() as session:
            await _one_at_a_time(session)
            before = await latest(session)
            number = 1 if before is None else int(before.told["number"]) + 1
            stood = not await self._write_heads_down(session, number)
            at = await _newest(session, number) if stood else self.clock()
        async with self.readers.begin() as session:
            tree, changes, entries = await self._read(session, number)
        content = {
            "number": number,
            "at": at.isoformat(timespec="microseconds"),
            "previous": FIRST if before is None else before.hash,
            "root": tree.root().hex(),
            "chains": tree.size,
            "entries": entries,
            "changed": changes.count,
            "changes": changes.digest(),
        }
        return await self._write(sign(self.key, content)), stood

    async def _write_heads_down(self, session: AsyncSession, number: int) -> bool:
        """False: they stand already, by a run that has not come to its end."""
        seen = AuditCheckpointHeadRow
        if await session.scalar(sa.select(seen.number).where(seen.number == number).limit(1)):
            return False
        known = sa.select(seen.chain, sa.func.max(seen.seq).label("seq")).group_by(seen.chain).subquery()
        H = AuditHeadRow
        new = (
            sa.select(sa.literal(number), H.chain, H.seq, H.hash)
            .outerjoin(known, known.c.chain == H.chain)
            .where(H.seq > sa.func.coalesce(known.c.seq, 0))
        )
        await session.execute(sa.insert(seen).from_select(["number", "chain", "seq", "hash"], new))
        return True

    async def _read(self, session: AsyncSession, number: int) -> tuple[Tree, Changes, int]:
        tree, changes, entries = Tree(), Changes(), 0

        def take(heads: Sequence[Head]) -> int:
            for first_seen, chain, seq, entry_hash in heads:
                tree.add(head_leaf(chain, seq, entry_hash))
                if first_seen == number:
                    changes.add(chain, seq, entry_hash)
            return sum(seq for _, _, seq, _ in heads)

        async for heads in heads_at(session, number):
            entries += await asyncio.to_thread(take, heads)
        return tree, changes, entries

    async def _write(self, made: Signed) -> Signed:
        """The checkpoint; the other one of the same number where another process was faster."""
        number = int(made.told["number"])
        async with self.sessions.begin() as session:
            at = datetime.fromisoformat(made.told["at"])
            values = {"at": at, "content": made.content, "hash": made.hash, "signature": made.signature}
            if await insert_if_absent(session, C, number=number, **values):
                await note(
                    session, "checkpoints", "checkpoint.made", "R10.3", number=number, sha256=made.hash
                )
                return made
            return await latest(session, number) or made


async def _one_at_a_time(session: AsyncSession) -> None:
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


async def _newest(session: AsyncSession, number: int) -> datetime:
    """When the newest of the heads that a checkpoint has seen first was written."""
    seen = AuditCheckpointHeadRow
    mine = sa.and_(seen.chain == E.chain, seen.seq == E.seq, seen.number == number)
    found: datetime = (await session.execute(sa.select(sa.func.max(E.at)).join(seen, mine))).scalar_one()
    return found


async def latest(session: AsyncSession, to: int | None = None) -> Signed | None:
    """The newest checkpoint, or the newest of those up to a number."""
    columns = (C.content, C.hash, C.signature)
    upto = sa.true() if to is None else C.number <= to
    row = (await session.execute(sa.select(*columns).where(upto).order_by(C.number.desc()).limit(1))).first()
    return None if row is None else Signed(row.content, row.hash, row.signature)


async def heads_at(session: AsyncSession, number: int) -> AsyncIterator[Sequence[Head]]:
    """The heads of all chains at a checkpoint, CHUNK at a time, by the bytes of their names."""
    seen = AuditCheckpointHeadRow
    last = (
        sa.select(seen.chain, sa.func.max(seen.seq).label("seq"))
        .where(seen.number <= number)
        .group_by(seen.chain)
        .subquery()
    )
    query = (
        sa.select(seen.number, seen.chain, seen.seq, seen.hash)
        .join(last, sa.and_(last.c.chain == seen.chain, last.c.seq == seen.seq))
        .where(seen.number <= number)
        .order_by(by_bytes(session, seen.chain))
    )
    found = await session.stream(query, execution_options={"yield_per": CHUNK})
    async for rows in found.partitions():
        yield [(row[0], row[1], row[2], row[3]) for row in rows]


def by_bytes(session: AsyncSession, column: InstrumentedAttribute[str]) -> sa.ColumnElement[str]:
    """The column, compared byte by byte on every database; SQLite does nothing else."""
    if session.get_bind().dialect.name == "postgresql":
        return sa.collate(column, "C")
    return sa.type_coerce(column, sa.String())
