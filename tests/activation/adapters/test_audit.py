"""The trail is written with the change or not at all, and the database refuses whatever does not follow."""

from __future__ import annotations

import asyncio
import random

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.acting import acting_as
from activation.adapters.sql.audit import START, AuditEntryRow, link, note
from activation.adapters.sql.audit_tables import AuditHeadRow

Sessions = async_sessionmaker[AsyncSession]
WRITERS, ROUNDS, CHAINS = 20, 12, 5


async def _entries(readers: Sessions) -> dict[str, list[AuditEntryRow]]:
    async with readers() as session:
        rows = await session.scalars(
            sa.select(AuditEntryRow).order_by(AuditEntryRow.chain, AuditEntryRow.seq)
        )
        found: dict[str, list[AuditEntryRow]] = {}
        for row in rows:
            found.setdefault(row.chain, []).append(row)
    return found


async def _is_whole(readers: Sessions) -> None:
    """Every chain is linked from its start, and its head is its last entry."""
    chains = await _entries(readers)
    async with readers() as session:
        heads = {row.chain: (row.seq, row.hash) for row in await session.scalars(sa.select(AuditHeadRow))}
    for chain, rows in chains.items():
        previous = START
        for number, row in enumerate(rows, start=1):
            previous = link(previous, chain, number, row.content)
            assert (row.seq, row.hash) == (number, previous)
    assert heads == {chain: (rows[-1].seq, rows[-1].hash) for chain, rows in chains.items()}


async def test_notes_of_a_transaction_are_appended_in_their_order(
    sessions: Sessions, readers: Sessions
) -> None:
    with acting_as("mission:test"):
        async with sessions.begin() as session:
            await note(session, "ord_b", "first", "R1.1", "because", some="detail", odd="\x00中")
            await note(session, "ord_a", "other", "R1.1")
            await note(session, "ord_b", "second", "R1.1")
    async with sessions.begin() as session:
        await note(session, "ord_b", "third", "R1.1")
    chains = await _entries(readers)
    assert {chain: [row.event for row in rows] for chain, rows in chains.items()} == {
        "ord_a": ["other"],
        "ord_b": ["first", "second", "third"],
    }
    assert [row.actor for row in chains["ord_b"]] == ["mission:test", "mission:test", "system"]
    await _is_whole(readers)


async def test_a_change_that_is_rolled_back_leaves_no_entry(sessions: Sessions, readers: Sessions) -> None:
    async def fail() -> None:
        async with sessions.begin() as session:
            await note(session, "ord_a", "happened", "R1.1")
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with sessions() as session:
        await note(session, "ord_a", "happened", "R1.1")
        await session.rollback()
        await note(session, "ord_a", "happened after all", "R1.1")
        await session.commit()
        await session.commit()
    assert [row.event for row in (await _entries(readers))["ord_a"]] == ["happened after all"]


async def test_a_change_whose_entry_cannot_be_appended_is_not_committed(
    sessions: Sessions, readers: Sessions
) -> None:
    async def change() -> None:
        async with sessions.begin() as session:
            await session.execute(sa.text("INSERT INTO executors VALUES ('x', '2026-01-01')"))
            await note(session, "ord_a", "happened", "R1.1")
            await session.execute(sa.text("DROP TABLE audit_entries"))

    with pytest.raises(DBAPIError):
        await change()
    async with readers() as session:
        assert await session.scalar(sa.text("SELECT count(*) FROM executors")) == 0


async def test_notes_need_a_transaction_that_writes(sessions: Sessions, readers: Sessions) -> None:
    async with readers() as session:
        with pytest.raises(RuntimeError):
            await note(session, "ord_a", "happened", "R1.1")
    async with sessions.begin() as session, session.begin_nested():
        with pytest.raises(RuntimeError):
            await note(session, "ord_a", "happened", "R1.1")


_COPY = (
    "INSERT INTO audit_entries (chain, seq, at, actor, event, content, hash) "
    "SELECT {chain}, {seq}, at, actor, event, content, {hash} FROM audit_entries WHERE seq = 1"
)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET actor = 'nobody'",
        "DELETE FROM audit_entries",
        _COPY.format(chain="chain", seq=3, hash="hash"),
        _COPY.format(chain="chain", seq=4, hash="hash"),
        _COPY.format(chain="chain", seq=1, hash="hash"),
        _COPY.format(chain="'ord_new'", seq=1, hash=f"'{'0' * 64}'"),
        _COPY.format(chain="'ord_new'", seq=2, hash="hash"),
        "UPDATE audit_heads SET seq = seq + 1",
        "UPDATE audit_heads SET hash = 'x'",
        "DELETE FROM audit_heads",
        "INSERT INTO audit_heads VALUES ('ord_new', 1, 'x')",
        "DELETE FROM audit_checkpoints",
        "UPDATE audit_checkpoint_heads SET seq = 1",
    ],
)
async def test_the_database_refuses(sessions: Sessions, readers: Sessions, statement: str) -> None:
    async with sessions.begin() as session:
        await note(session, "ord_a", "first", "R1.1")
        await note(session, "ord_a", "second", "R1.1")
        await session.execute(sa.text("INSERT INTO audit_checkpoints VALUES (1, '2026-01-01', '', '', '')"))
        await session.execute(sa.text("INSERT INTO audit_checkpoint_heads VALUES (1, 'ord_a', 2, '')"))
    with pytest.raises(DBAPIError):
        async with sessions.begin() as session:
            await session.execute(sa.text(statement))
    await _is_whole(readers)


async def test_twenty_writers_keep_every_chain_whole(sessions: Sessions, readers: Sessions) -> None:
    """They write several chains in every order, and none of them waits for another for ever."""
    noted: list[int] = []

    async def write(writer: int) -> None:
        dice = random.Random(writer)
        for turn in range(ROUNDS):
            async with sessions.begin() as session:
                count = dice.randint(1, 4)
                for _ in range(count):
                    chain = f"ord_{dice.randrange(CHAINS)}"
                    await note(session, chain, "happened", "R1.1", writer=writer, turn=turn)
            noted.append(count)

    await asyncio.gather(*(write(writer) for writer in range(WRITERS)))
    await _is_whole(readers)
    chains = await _entries(readers)
    assert len(chains) == CHAINS
    assert sum(len(rows) for rows in chains.values()) == sum(noted)
