"""Checkpoints on both databases: what is signed, what hangs together, what can be proved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from activation.adapters.sql.audit import note
from activation.adapters.sql.audit_tables import AuditCheckpointHeadRow, AuditEntryRow
from activation.adapters.sql.engine import open_engine, open_readers, open_sessions
from app.compliance.audit import checkpoints as module
from app.compliance.audit.checkpoints import Checkpoints, latest
from app.compliance.audit.merkle import Tree, head_leaf
from app.compliance.audit.proofs import check_proof, prove
from app.compliance.audit.signed import FIRST, Signed, key_id, sign

KEY = Ed25519PrivateKey.generate()
KEYS = {key_id(KEY.public_key()): KEY.public_key()}
Sessions = async_sessionmaker[AsyncSession]


@pytest.fixture
def checkpoints(sessions: Sessions, readers: Sessions) -> Checkpoints:
    return Checkpoints(sessions, readers, KEY)


async def _note(sessions: Sessions, *chains: str) -> None:
    async with sessions.begin() as session:
        for chain in chains:
            await note(session, chain, "test.happened", "R9.1")


async def test_the_root_is_over_all_heads_in_order(
    checkpoints: Checkpoints, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 3)
    await _note(sessions, *(f"ord_{number}" for number in range(7)), "policy", "ord_3")
    signed = await checkpoints.take()
    assert signed.faults(KEYS) == []
    async with sessions() as session:
        rows = (
            await session.execute(sa.select(AuditEntryRow.chain, AuditEntryRow.seq, AuditEntryRow.hash))
        ).all()
    heads = {
        chain: (seq, entry_hash)
        for chain, seq, entry_hash in sorted(rows, key=lambda row: (row.chain, row.seq))
    }
    del heads["checkpoints"]
    tree = Tree()
    for chain in sorted(heads):
        tree.add(head_leaf(chain, *heads[chain]))
    told = signed.told
    assert told["root"] == tree.root().hex()
    assert (told["number"], told["previous"], told["chains"], told["entries"]) == (1, FIRST, 8, 9)


async def test_each_holds_the_hash_of_the_one_before_and_only_what_is_new(
    checkpoints: Checkpoints, sessions: Sessions
) -> None:
    await _note(sessions, "ord_a", "ord_b")
    first = await checkpoints.take()
    await _note(sessions, "ord_b", "ord_c")
    second, third = await checkpoints.take(), await checkpoints.take()
    assert [second.told["previous"], third.told["previous"]] == [first.hash, second.hash]
    seen = AuditCheckpointHeadRow
    async with sessions() as session:
        rows = await session.execute(sa.select(seen.number, seen.chain).order_by(seen.number, seen.chain))
        written = [tuple(row) for row in rows]
    assert written == [
        *((1, "ord_a"), (1, "ord_b")),
        *((2, "checkpoints"), (2, "ord_b"), (2, "ord_c")),
        (3, "checkpoints"),
    ]
    assert (third.told["chains"], third.told["changed"]) == (4, 1)


async def test_a_checkpoint_that_was_begun_and_not_ended_is_made_by_the_next_run(
    checkpoints: Checkpoints, sessions: Sessions
) -> None:
    await _note(sessions, "ord_a")
    async with sessions.begin() as session:
        await checkpoints._write_heads_down(session, 1)
    between = datetime.now(UTC)
    await _note(sessions, "ord_b")  # too late for the first
    signed = await checkpoints.take()
    assert (signed.told["number"], signed.told["chains"]) == (2, 3)
    async with sessions() as session:
        first = await latest(session, 1)
        proof = await prove(session, "ord_b")
    assert first is not None
    assert (first.told["number"], first.told["chains"], signed.told["previous"]) == (1, 1, first.hash)
    assert datetime.fromisoformat(first.told["at"]) < between < datetime.fromisoformat(signed.told["at"])
    assert proof is not None
    assert check_proof(proof.as_json(), KEYS) == []


async def test_two_at_once_make_whole_checkpoints(checkpoints: Checkpoints, sessions: Sessions) -> None:
    await _note(sessions, "ord_a")
    made = await asyncio.gather(*(checkpoints.take() for _ in range(5)))
    assert all(each.faults(KEYS) == [] for each in made)
    async with sessions() as session:
        rows = (
            await session.execute(sa.text("SELECT number, hash FROM audit_checkpoints ORDER BY number"))
        ).all()
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    assert {each.hash for each in made} == {row.hash for row in rows}


async def test_a_proof_is_sound_and_nothing_in_it_can_be_changed(
    checkpoints: Checkpoints, sessions: Sessions, readers: Sessions
) -> None:
    async with readers() as session:
        assert await prove(session, "ord_4") is None
    await _note(sessions, *(f"ord_{number}" for number in range(11)))
    await checkpoints.take()
    await _note(sessions, "ord_4", "ord_new")
    async with readers() as session:
        proofs = [await prove(session, f"ord_{number}") for number in range(11)]
        assert await prove(session, "ord_new") is None
        assert await prove(session, "zzz") is None
    documents = [proof.as_json() for proof in proofs if proof is not None]
    assert len(documents) == 11
    assert all(check_proof(each, KEYS) == [] for each in documents)
    sound = documents[4]
    assert sound["seq"] == 1
    changed: list[dict[str, Any]] = [
        {"seq": 2},
        {"chain": "ord_5"},
        {"hash": "0" * 64},
        {"index": sound["index"] + 1},
        {"path": sound["path"][::-1]},
        {"path": sound["path"][1:]},
        {"checkpoint": {**sound["checkpoint"], "signature": "00" * 64}},
        {"checkpoint": {**sound["checkpoint"], "hash": "0" * 64}},
    ]
    assert [each for each in changed if not check_proof({**sound, **each}, KEYS)] == []
    assert check_proof(sound, {}) != []


def test_a_checkpoint_of_another_key_is_not_believed() -> None:
    signed = sign(
        KEY,
        dict.fromkeys(("number", "at", "previous", "root", "chains"), 1)
        | {"entries": 1, "changed": 1, "changes": ""},
    )
    assert signed.faults(KEYS) == []
    stranger = Ed25519PrivateKey.generate().public_key()
    assert signed.faults({key_id(KEY.public_key()): stranger}) == ["its signature is wrong"]
    assert Signed("{}", "0" * 64, "").faults(KEYS) != []


@pytest.fixture
async def large(sqlite_url: str) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(sqlite_url)
    yield opened
    await opened.dispose()


async def test_many_chains_are_read_in_parts(large: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays bounded: never more heads at once than CHUNK."""
    sessions, readers, sizes = open_sessions(large), open_readers(large), list[int]()
    for block in range(4):
        await _note(sessions, *(f"ord_{block}{number:04}" for number in range(500)))
    monkeypatch.setattr(module, "CHUNK", 300)
    signed = await Checkpoints(sessions, readers, KEY).take()
    async with readers() as session:
        async for heads in module.heads_at(session, 1):
            sizes.append(len(heads))
    assert signed.told["chains"] == sum(sizes) == 2000
    assert max(sizes) == 300
