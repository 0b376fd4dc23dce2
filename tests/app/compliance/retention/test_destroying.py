"""After destruction nothing opens: not here, not in a backup, and not half after a crash (R8.2)."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from activation.adapters.sql.audit import AuditEntryRow
from activation.adapters.sql.engine import open_engine, open_readers, open_sessions
from activation.adapters.sql.store import Store
from activation.adapters.sql.tables import OrderRow, Row
from activation.ids import OrderId
from activation.order import OrderState as S
from activation.order_keys import order_keys, use_order_keys
from activation.ports import StepGaveUp
from app.compliance.audit.verifying import verify
from app.compliance.retention.legal_holds import HoldRefusal, LegalHolds
from app.compliance.retention.prove import Proof, prove
from app.compliance.retention.rows import KEPT, order_tables
from app.preselection.stored import load_captures
from media.envelope import FileKeyWrapper, ObjectKeys
from media.vault import VaultFault
from media.vault_local import LocalVault
from tests.app.compliance.retention.town import (
    ADDRESS,
    CONTACT,
    KEK,
    KilledError,
    Town,
    open_keys,
)
from tests.media.test_vault_local import put_under
from tests.servers.postgres import PostgresCluster

Rows = dict[str, list[dict[str, Any]]]
TWO_YEARS = timedelta(days=740)
STEPS = ("destroy.1", "destroy.2", "destroy.3", "destroy.4", "destroy.5")


async def proof_of(town: Town, order_id: OrderId) -> Proof:
    async with town.sessions() as session:
        return await prove(session, town.vault, order_id)


async def rows_of(town: Town) -> Rows:
    """Every row of every table, as it is stored."""
    async with town.sessions() as session:
        return {
            table.name: [dict(row) for row in (await session.execute(sa.select(table))).mappings()]
            for table in Row.metadata.sorted_tables
        }


def secrets_in(rows: Rows) -> set[bytes]:
    """Sealed values and keyed hashes of everybody."""
    found: set[bytes] = set()
    for row in rows["orders"]:
        found |= {bytes(row[c]) for c in ("contact_phone", "address", "recipient", "name", "number")}
        found |= {row[c].encode() for c in ("contact_digest", "name_digest", "number_digest")}
    found |= {bytes(row["reading"]) for row in rows["captures"]}
    found |= {bytes(row["embeddings"]) for row in rows["captures"]}
    found |= {bytes(row["address"]) for row in rows["deliveries"]}
    found |= {bytes(row["position"]) for row in rows["delivery_events"]}
    return found


async def test_everything_of_an_order_goes_and_the_record_says_why(town: Town) -> None:
    order_id = await town.ended()
    before = await proof_of(town, order_id)
    # The proof itself must be able to fail: everything opens while it is there.
    assert all(each.opened == each.there for each in before.tried)
    assert {each.place for each in before.tried if each.opened} >= {
        *("order key", "face key", "vault", "orders.name", "orders.contact_phone", "orders.address"),
        *("captures.reading", "captures.embeddings", "deliveries.address", "delivery_events.position"),
        "sandbox_messages.text",
    }
    town.clock.forward(TWO_YEARS)
    await town.night()
    after = await proof_of(town, order_id)
    assert after.nothing_opens
    assert after.destroyed
    assert (after.rows, {each.there for each in after.tried}) == (0, {0})
    async with town.sessions() as session:
        said = await session.execute(
            sa.select(AuditEntryRow.event, AuditEntryRow.content)
            .where(AuditEntryRow.chain == order_id)
            .order_by(AuditEntryRow.seq)
        )
        events = {row.event: row.content for row in said}
    assert list(events)[-2:] == ["retention.begun", "retention.destroyed"]
    assert '"rule":"R8.1"' in events["retention.begun"]
    assert '"kept_as":"service_ended"' in events["retention.destroyed"]


async def test_the_audit_trail_stays_whole(town: Town) -> None:
    """Facts and decisions are gone, and the trail says why; nothing else may be missing from it."""
    order_id = await town.ended()
    readers = open_readers(town.engine)
    assert (await verify(readers, {})).faults == []
    entries = (await verify(readers, {})).entries
    town.clock.forward(TWO_YEARS)
    await town.night()
    after = await verify(readers, {})
    assert after.faults == []
    assert after.entries >= entries + 2
    assert order_id not in await town.orders()


async def test_only_tables_that_say_so_still_name_the_order(town: Town) -> None:
    order_id = await town.ended()
    town.clock.forward(TWO_YEARS)
    await town.night()
    naming = {
        name
        for name, rows in (await rows_of(town)).items()
        for row in rows
        if any(order_id in str(value) for value in row.values())
    }
    # The number is in quarantine no longer by then, but it is the sweep that gives it back.
    assert naming <= {*KEPT, "audit_entries", "audit_heads", "numbers"}
    assert {"tombstones", "service_ends", "sims"} <= naming


def test_which_rows_go_and_which_stay_is_written_down() -> None:
    """A new table that names orders has to be thought about: it goes unless `KEPT` says why it stays."""
    assert {table.name for table, _ in order_tables()} == {
        *("captures", "card_places", "consents", "decisions", "deliveries", "evidence_looks"),
        *("evidence_objects", "face_templates", "facts", "one_time_codes", "orphan_objects"),
        *("review_cases", "uploads", "video_checks"),
    }
    assert all(KEPT.values())


async def test_no_sealed_byte_and_no_keyed_hash_stays_in_the_files(town: Town) -> None:
    if town.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL keeps dead rows until VACUUM; there the proof is that nothing opens")
    order_id = await town.ended()
    secrets = secrets_in(await rows_of(town))
    await town.scrub()
    database = Path(str(town.engine.url.database))

    def found() -> set[bytes]:
        files = [database, *database.parent.glob(f"{database.name}-*"), *town.folder.rglob("*")]
        bytes_ = b"".join(path.read_bytes() for path in files if path.is_file())
        return {secret for secret in secrets if secret[:64] in bytes_}

    assert found() == secrets  # they are where the search looks
    town.clock.forward(TWO_YEARS)
    await town.night()
    await town.scrub()
    assert found() == set()
    assert order_id in {row["order_id"] for row in (await rows_of(town))["tombstones"]}


@pytest.fixture
def other_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> str:
    """A second database of the same kind, empty."""
    if database_url.startswith("sqlite"):
        copy = tmp_path / "restored.sqlite"
        shutil.copy(request.getfixturevalue("sqlite_template"), copy)
        return f"sqlite:///{copy}"
    cluster: PostgresCluster = request.getfixturevalue("postgres")
    return cluster.url(cluster.create_database(template=request.getfixturevalue("postgres_template")))


async def test_yesterdays_backup_with_todays_keys_reads_nothing(town: Town, other_url: str) -> None:
    order_id, other = await town.ended(), await town.active()
    await town.scrub()
    backup = await rows_of(town)
    shutil.copytree(town.folder / "vault", town.folder / "vault-backup")
    shutil.copytree(town.folder / "key-store", town.folder / "key-store-backup")
    town.clock.forward(TWO_YEARS)
    await town.night()

    engine = open_engine(other_url)
    sessions = open_sessions(engine)
    async with sessions.begin() as session:
        for table in Row.metadata.sorted_tables:
            if backup[table.name] and not table.name.startswith("audit"):
                await session.execute(sa.insert(table), backup[table.name])

    async def restored(store: str) -> tuple[Proof, Proof, list[object]]:
        keys = open_keys(town.folder, store)
        use_order_keys(keys)
        vault = LocalVault(town.folder / "vault-backup", ObjectKeys(keys))
        async with sessions() as session:
            gone, kept = await prove(session, vault, order_id), await prove(session, vault, other)
            orders = Store().orders
            read: list[object] = [
                await orders.contact(session, order_id),
                await orders.document(session, order_id),
                *(await load_captures(session, order_id)).by_kind,
            ]
        for digest in await vault.digests(order_id):
            try:
                read.append(await vault.get(order_id, digest))
            except VaultFault:
                read.append(None)
        vault.close()
        return gone, kept, read

    gone, kept, read = await restored("key-store")
    assert gone.rows > 10
    assert sum(each.there for each in gone.tried) > 20
    assert gone.nothing_opens
    assert read
    assert set(read) == {None}
    # The neighbour's data are as readable as ever, but for the templates, whose time was over as well (R9.4).
    shut = {each.place for each in kept.tried if each.opened < each.there}
    assert shut == {"captures.embeddings"}
    # And this is why the key store has no backup of its own: with yesterday's, everything would open.
    assert not (await restored("key-store-backup"))[0].nothing_opens
    await engine.dispose()


async def test_the_proof_sees_what_opens_with_the_key_of_before(town: Town) -> None:
    """A backup of the vault from before orders had keys, put back after the order was destroyed."""
    order_id, wrapper = await town.ended(), FileKeyWrapper(KEK)
    digest = (await town.vault.digests(order_id))[0]
    put_under(wrapper, town.folder / "vault", order_id, digest, await order_keys().of(order_id))
    shutil.copytree(town.folder / "vault", town.folder / "vault-backup")
    town.clock.forward(TWO_YEARS)
    await town.night()
    vault = LocalVault(town.folder / "vault-backup", ObjectKeys(order_keys(), wrapper))
    async with town.sessions() as session:
        proof = await prove(session, vault, order_id)
    vault.close()
    assert [each.opened for each in proof.tried if each.place == "vault"] == [1]
    assert not proof.nothing_opens


@pytest.mark.parametrize("step", STEPS)
async def test_a_crash_at_any_step_is_taken_up_and_never_half(town: Town, step: str) -> None:
    order_id = await town.ended()
    town.clock.forward(TWO_YEARS)
    town.work.break_at = step
    with pytest.raises(KilledError):
        await town.night()
    town.work.break_at = None
    proof = await proof_of(town, order_id)
    # Whole or not at all: from the moment that the key is gone nothing opens, whatever still lies there.
    begun = step not in STEPS[:2]
    assert proof.nothing_opens is begun
    assert not proof.destroyed
    town.clock.forward(timedelta(minutes=10))
    await town.night()
    proof = await proof_of(town, order_id)
    assert proof.nothing_opens
    assert proof.destroyed
    assert await town.orders() == set()


async def test_a_vault_that_is_away_delays_and_loses_nothing(town: Town) -> None:
    order_id = await town.over(await town.order(), S.EXPIRED)
    town.clock.forward(timedelta(days=9))
    vault = town.folder / "vault"
    vault.rename(town.folder / "away")
    (town.folder / "vault").write_text("not a folder")
    with pytest.raises(StepGaveUp):
        await town.night()
    vault.unlink()
    (town.folder / "away").rename(vault)
    town.clock.forward(timedelta(minutes=10))
    await town.night()
    assert (await proof_of(town, order_id)).destroyed


async def test_a_hold_stops_what_has_not_begun_and_nothing_else(town: Town) -> None:
    held, begun = await town.over(await town.submitted(), S.CANCELLED), await town.ended()
    hold = await town.hold(held)
    town.clock.forward(TWO_YEARS)
    town.work.break_at = "destroy.3"
    with pytest.raises(KilledError):
        await town.night()
    town.work.break_at = None
    async with town.sessions.begin() as session:
        assert await LegalHolds().place(session, begun, "too late", town.clock()) is HoldRefusal.GONE
        assert (
            await LegalHolds().place(session, OrderId.new(), "whose", town.clock()) is HoldRefusal.NOT_FOUND
        )
    town.clock.forward(timedelta(minutes=10))
    await town.night()
    assert await town.orders() == {held}
    assert not (await proof_of(town, held)).nothing_opens
    await town.lift(hold)
    town.clock.forward(timedelta(minutes=10))
    await town.night()
    assert await town.orders() == set()


async def test_what_an_order_holds_is_given_back_first(town: Town) -> None:
    order_id = await town.submitted()
    async with town.sessions.begin() as session:
        assert await town.bench.flow.end(session, order_id, S.CANCELLED)
    town.work.enqueued.clear()  # the release was lost for good
    town.clock.forward(timedelta(days=60))
    await town.night()
    assert await town.orders() == set()
    async with town.sessions() as session:
        free = await town.bench.store.numbers.search(session, "138*", 50)
    assert len(free) == 11


async def test_expired_drafts_lose_their_pictures_too(town: Town) -> None:
    order_id = await town.over(await town.order(), S.EXPIRED)
    assert len(await town.vault.digests(order_id)) == 3
    town.clock.forward(timedelta(days=9))
    await town.night()
    assert await town.vault.digests(order_id) == []
    assert list((town.folder / "vault").rglob("*.json")) == []


async def test_the_same_words_are_nowhere_in_clear(town: Town) -> None:
    """Before and after; the test above would not see them."""
    await town.ended()
    everything = str(await rows_of(town))
    for word in (ADDRESS, CONTACT, "样本甲", "110101199003070011"):
        assert word not in everything
    assert OrderRow.__tablename__ in everything
