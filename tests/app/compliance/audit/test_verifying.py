"""What a verification finds, and where: nothing in a sound trail; clever attackers by their checkpoints."""
# ruff: noqa: S608 - the statements are an attacker's

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit import link, note
from activation.ids import OrderId
from app.compliance.audit import rows, verifying
from app.compliance.audit.checkpoints import Checkpoints, latest
from app.compliance.audit.signed import Signed
from app.compliance.audit.verifying import Verified, verify
from app.compliance.retention.rows import delete_rows
from app.compliance.retention.tables import TombstoneRow
from tests.app.compliance.audit.trail import KEY, KEYS, NOW, Sessions, furnish, without_guards


async def _attack(sessions: Sessions, *statements: str, **values: Any) -> None:
    await without_guards(sessions)
    async with sessions.begin() as session:
        for statement in statements:
            await session.execute(sa.text(statement), values)


def _told(verified: Verified) -> list[str]:
    return [str(fault) for fault in verified.faults]


async def test_a_sound_trail_has_no_faults(
    sessions: Sessions, readers: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "CHUNK", 7)
    monkeypatch.setattr(verifying, "ORDERS_AT_ONCE", 3)
    await furnish(sessions, readers)
    seen: list[tuple[int, int]] = []
    verified = await verify(readers, KEYS, (), lambda done, total: seen.append((done, total)))
    assert _told(verified) == []
    assert verified.checkpoints == 2
    assert verified.entries > 60
    assert 0 < verified.beyond < verified.entries
    assert seen[-1] == (verified.entries, verified.entries)


async def test_an_empty_trail_is_sound(readers: Sessions) -> None:
    assert await verify(readers, KEYS) == Verified()


async def test_a_key_that_is_not_trusted_proves_nothing(sessions: Sessions, readers: Sessions) -> None:
    await furnish(sessions, readers)
    told = _told(await verify(readers, {}))
    assert len(told) == 2
    assert all("signed by a key that was not given" in each for each in told)


async def _rewrite(session: AsyncSession, chain: str, since: int, event: str) -> None:
    """An attacker who knows how links are made: one entry made up, all later ones and the head to match."""
    found = sa.text("SELECT seq, content, hash, event FROM audit_entries WHERE chain = :chain ORDER BY seq")
    write = "UPDATE audit_entries SET content = :content, hash = :hash, event = :event "
    previous = "0" * 64
    for row in (await session.execute(found, {"chain": chain})).all():
        values = {"chain": chain, **row._mapping}
        if row.seq == since:
            values |= {"content": row.content.replace(row.event, event), "event": event}
        previous = link(previous, chain, row.seq, values["content"])
        values["hash"] = previous
        await session.execute(sa.text(f"{write} WHERE chain = :chain AND seq = :seq"), values)
    head = sa.text("UPDATE audit_heads SET hash = :hash WHERE chain = :chain")
    await session.execute(head, {"chain": chain, "hash": previous})


async def test_a_chain_rewritten_as_a_whole_is_found_by_its_checkpoint(
    sessions: Sessions, readers: Sessions
) -> None:
    order = (await furnish(sessions, readers))[0]
    await without_guards(sessions)
    async with sessions.begin() as session:
        await _rewrite(session, order, 2, "order.refused")
    verified = await verify(readers, KEYS)
    assert [(fault.chain, fault.what) for fault in verified.faults] == [
        (order, "is not the entry that checkpoint 1 has seen")
    ]


async def test_a_chain_cut_short_with_its_head_is_found(sessions: Sessions, readers: Sessions) -> None:
    orders = await furnish(sessions, readers)
    tail = "SELECT max(seq) FROM audit_entries WHERE chain = :chain"
    await _attack(
        sessions,
        f"DELETE FROM audit_entries WHERE chain = :chain AND seq = ({tail})",
        f"UPDATE audit_heads SET seq = ({tail}), hash = (SELECT hash FROM audit_entries "
        f"WHERE chain = :chain AND seq = ({tail})) WHERE chain = :chain",
        chain=orders[0],
    )
    told = _told(await verify(readers, KEYS))
    assert any("checkpoint 1 has seen this entry, and it is not there" in each for each in told)
    assert any("is in no entry: put in" in each for each in told)


async def test_the_newest_checkpoints_taken_away_are_missed_by_the_trail_and_by_who_kept_them(
    sessions: Sessions, readers: Sessions
) -> None:
    await furnish(sessions, readers)
    async with readers() as session:
        kept = await latest(session)
    assert kept is not None
    assert _told(await verify(readers, KEYS, [kept])) == []
    await _attack(
        sessions,
        "DELETE FROM audit_checkpoints WHERE number = 2",
        "DELETE FROM audit_checkpoint_heads WHERE number = 2",
    )
    assert _told(await verify(readers, KEYS)) == ["checkpoints 2: checkpoint 2 is missing"]
    await _attack(  # and the note of it
        sessions,
        "DELETE FROM audit_entries WHERE chain = 'checkpoints' AND seq = 2",
        "UPDATE audit_heads SET seq = 1, hash = (SELECT hash FROM audit_entries "
        "WHERE chain = 'checkpoints' AND seq = 1) WHERE chain = 'checkpoints'",
    )
    assert _told(await verify(readers, KEYS)) == []
    assert _told(await verify(readers, KEYS, [kept])) == [
        "checkpoints -: checkpoint 2 is not the one that was kept elsewhere"
    ]


async def test_a_checkpoint_of_the_attackers_own_is_not_believed(
    sessions: Sessions, readers: Sessions
) -> None:
    orders = await furnish(sessions, readers)
    await without_guards(sessions)
    async with sessions.begin() as session:
        await _rewrite(session, orders[0], 2, "order.refused")
        before = await latest(session)
        assert before is not None
        forged = Signed(before.content.replace(before.told["root"], "1" * 64), "2" * 64, before.signature)
        values = {"content": forged.content, "hash": forged.hash}
        statement = "UPDATE audit_checkpoints SET content = :content, hash = :hash WHERE number = 2"
        await session.execute(sa.text(statement), values)
    told = " ".join(_told(await verify(readers, KEYS)))
    assert "checkpoint 2: its hash is another" in told
    assert "checkpoint 2: its signature is wrong" in told
    assert "checkpoint 2: it is not the one that the trail notes" in told


async def test_what_retention_destroyed_is_not_missed(sessions: Sessions, readers: Sessions) -> None:
    """R8.2"""
    orders = await furnish(sessions, readers)
    async with sessions.begin() as session:
        await delete_rows(session, orders[0])
        session.add(_tombstone(orders[0], NOW))
        await note(session, orders[0], "retention.destroyed", "R8.2", "two years after the end")
    assert _told(await verify(readers, KEYS)) == []
    async with sessions.begin() as session:
        await session.execute(sa.text("DELETE FROM facts WHERE order_id = :order"), {"order": orders[1]})
    told = _told(await verify(readers, KEYS))
    assert [each.partition(": ")[2] for each in told] == ["fact 0 is missing", "fact 1 is missing"]


async def test_an_order_is_not_destroyed_because_somebody_says_so(
    sessions: Sessions, readers: Sessions
) -> None:
    """With the application's own role: the entry appended, one fact of a live order deleted."""
    orders = await furnish(sessions, readers)
    async with sessions.begin() as session:
        await session.execute(
            sa.text("DELETE FROM facts WHERE order_id = :order AND seq = 0"), {"order": orders[0]}
        )
        await note(session, orders[0], "retention.destroyed", "R8.2", "two years after the end")
    stands = "still stands, and is said to be destroyed"
    told = [each.partition(": ")[2] for each in _told(await verify(readers, KEYS))]
    decision = told.pop(1)
    assert decision.startswith("decision ")
    assert decision.endswith(stands)
    buried = "is said to be destroyed, and no tombstone says when"
    assert told == [f"fact 1 {stands}", f"the order {stands}", buried]
    async with sessions.begin() as session:
        await delete_rows(session, orders[0])
        session.add(_tombstone(orders[0], None))
    assert [each.partition(": ")[2] for each in _told(await verify(readers, KEYS))] == [buried]


def _tombstone(order: OrderId, destroyed_at: datetime | None) -> TombstoneRow:
    return TombstoneRow(
        order_id=order,
        state="submitted",
        kept_as="never_activated",
        rule="R8.1",
        opened_at=NOW,
        over_at=NOW,
        begun_at=NOW,
        begun_by="mission:retention",
        destroyed_at=destroyed_at,
    )


async def test_an_unfinished_checkpoint_is_no_fault(sessions: Sessions, readers: Sessions) -> None:
    await furnish(sessions, readers)
    async with sessions.begin() as session:
        await Checkpoints(sessions, readers, KEY)._write_heads_down(session, 3)
    assert _told(await verify(readers, KEYS)) == []
