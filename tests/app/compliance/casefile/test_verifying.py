"""A case file is what was signed, or the member that is not is named."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activation.adapters.sql.audit import AuditEntryRow
from activation.ids import OrderId
from app.compliance.casefile import members as writing
from app.compliance.casefile.standalone.reading import MAX_MEMBERS, FolderMembers, ZipMembers
from app.compliance.casefile.standalone.sealed import Unusable
from app.compliance.casefile.standalone.verifying import signed_text, verify
from tests.app.compliance.casefile.cases import (
    BY,
    KEY,
    REASON,
    changed,
    findings,
    made,
    members_of,
    order_on_record,
    packed,
)
from tests.app.ground import ADDRESS, NAME, NUMBER, Ground
from tests.app.http import walking as walk
from tests.app.http.conftest import Client, application, client, ground, no_blocking

__all__ = ["application", "client", "ground", "no_blocking"]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One is enough here; `test_exports` makes case files on both."""
    return sqlite_url


@pytest.fixture
async def order(client: Client, ground: Ground) -> OrderId:
    return await order_on_record(client, ground)


@pytest.fixture
async def case(ground: Ground, order: OrderId) -> bytes:
    return await made(ground, order)


async def test_everything_on_record_is_in_it_and_nothing_personal(
    ground: Ground, order: OrderId, case: bytes
) -> None:
    assert findings(case) == []
    members = members_of(case)
    manifest = json.loads(members["manifest.json"])
    assert (manifest["order"], manifest["by"], manifest["reason"]) == (order, BY, REASON)
    text = b"".join(data for name, data in members.items() if not name.startswith("media/")).decode()
    for personal in (NAME, NUMBER, ADDRESS, walk.PHONE):
        assert personal not in text
        assert json.dumps(personal)[1:-1] not in text
    evidence = json.loads(members["evidence.json"])["objects"]
    assert {each["kind"] for each in evidence} == {"id_front", "id_back", "handheld"}
    for each in evidence:
        assert hashlib.sha256(members[each["member"]]).hexdigest() == each["sha256"]
    assert json.loads(members["decisions.json"])["decisions"][0]["input"]["policy"]["version"] == "test"
    assert [each["kind"] for each in json.loads(members["consents.json"])["consents"]] == list(walk.CONSENTS)
    last = json.loads(json.loads(members["audit.json"])["entries"][-1]["content"])
    assert (last["event"], last["actor"], last["reason"]) == ("export.made", BY, REASON)


async def test_identity_is_in_it_only_when_asked_for_and_that_is_recorded(
    ground: Ground, order: OrderId
) -> None:
    members = members_of(await made(ground, order, with_identity=True, with_media=False))
    identity = json.loads(members["identity.json"])
    assert (identity["name"], identity["number"], identity["contact_phone"]) == (NAME, NUMBER, walk.PHONE)
    assert not any(name.startswith("media/") for name in members)
    events = [json.loads(each["content"])["event"] for each in json.loads(members["audit.json"])["entries"]]
    assert events[-2:] == ["export.made", "identity.revealed"]


async def test_a_long_chain_goes_on_in_more_members(
    ground: Ground, order: OrderId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ENTRIES_PER_MEMBER", 4)
    case = await made(ground, order)
    members = members_of(case)
    parts = [name for name in members if name.startswith("audit")]
    assert {"audit.json", "audit-2.json", "audit-3.json"} <= set(parts)
    counts = [len(json.loads(members[name])["entries"]) for name in parts]
    assert max(counts) == 4
    async with ground.services.readers() as session:
        chain = sa.select(sa.func.max(AuditEntryRow.seq)).where(AuditEntryRow.chain == order)
        assert await session.scalar(chain) == sum(counts)
    assert findings(case) == []
    assert "audit.json: the chain breaks at entry 5" in findings(resigned(case, "audit-2.json", _drop_first))
    without = findings(changed(case, lambda members: members.update({"audit-2.json": b"{}"})))
    assert "audit-2.json: changed" in without


async def test_evidence_that_is_destroyed_is_said_to_be(ground: Ground, order: OrderId) -> None:
    before = json.loads(members_of(await made(ground, order))["evidence.json"])["objects"]
    await ground.vault.destroy(order, before[0]["sha256"])
    case = await made(ground, order)
    after = {each["sha256"]: each for each in json.loads(members_of(case)["evidence.json"])["objects"]}
    assert after[before[0]["sha256"]]["absent"] == "destroyed"
    assert findings(case) == []


async def test_every_single_change_of_every_member_is_named(case: bytes) -> None:
    for name in members_of(case):

        def flip(members: dict[str, bytes], name: str = name) -> None:
            data = bytearray(members[name])
            data[len(data) // 2] ^= 1
            members[name] = bytes(data)

        found = findings(changed(case, flip))
        expected = "manifest.sig" if name in ("manifest.json", "manifest.sig") else name
        assert any(line.startswith(expected) for line in found), (name, found)


async def test_what_is_added_missing_or_swapped_is_named(case: bytes) -> None:
    added = findings(changed(case, lambda members: members.update({"more.json": b"{}"})))
    assert any("more.json: added" in line for line in added)
    for name in members_of(case):
        found = findings(changed(case, lambda members, name=name: members.pop(name)))  # type: ignore[misc]
        expected = "manifest" if name.startswith("manifest") else name
        assert any(line.startswith(expected) for line in found), (name, found)

    def swap(members: dict[str, bytes]) -> None:
        members["facts.json"], members["order.json"] = members["order.json"], members["facts.json"]

    assert "facts.json: holds what belongs to order.json" in findings(changed(case, swap))


def resigned(case: bytes, name: str, change: Any, key: Ed25519PrivateKey = KEY) -> bytes:
    """As somebody with the audit key, but without the audit trail, could do it."""

    def work(members: dict[str, bytes]) -> None:
        document = json.loads(members[name])
        change(document)
        members[name] = json.dumps(document).encode()
        manifest = json.loads(members["manifest.json"])
        for each in manifest["members"]:
            each["sha256"] = hashlib.sha256(members[each["name"]]).hexdigest()
        members["manifest.json"] = json.dumps(manifest).encode()
        members["manifest.sig"] = base64.b64encode(key.sign(signed_text(members["manifest.json"])))

    return changed(case, work)


def _drop_first(document: Any) -> None:
    document["entries"].pop(0)


def _drop_last(document: Any) -> None:
    document["entries"].pop()


def _exchange(document: Any) -> None:
    entries = document["entries"]
    entries[0], entries[1] = entries[1], entries[0]


def _reword(document: Any) -> None:
    document["entries"][0]["content"] = document["entries"][0]["content"].replace("order", "older", 1)


@pytest.mark.parametrize("change", [_drop_first, _drop_last, _exchange, _reword])
async def test_a_broken_chain_is_named_even_under_a_good_signature(case: bytes, change: Any) -> None:
    found = findings(resigned(case, "audit.json", change))
    assert found
    assert all(line.startswith(("audit.json", "proof.json")) for line in found)


def _reworded_fact(document: Any) -> None:
    document["facts"][0]["body"]["reading_digest"] = "0" * 64


def _fact_of_another_kind(document: Any) -> None:
    document["facts"][0]["kind"] = "registry"


def _later_fact(document: Any) -> None:
    document["facts"][0]["at"] = "2030-01-01T00:00:00+00:00"


def _one_fact_less(document: Any) -> None:
    document["facts"].pop()


def _one_fact_more(document: Any) -> None:
    document["facts"].append({**document["facts"][0], "seq": 99})


def _the_same_fact_twice(document: Any) -> None:
    document["facts"].append(document["facts"][0])


@pytest.mark.parametrize(
    "change",
    [
        *(_reworded_fact, _fact_of_another_kind, _later_fact, _one_fact_less, _one_fact_more),
        _the_same_fact_twice,
    ],
)
async def test_a_forged_fact_is_named_even_under_a_good_signature(case: bytes, change: Any) -> None:
    found = findings(resigned(case, "facts.json", change))
    assert found
    assert all(line.startswith("facts.json: fact ") for line in found)


def _other_answer(document: Any) -> None:
    document["decisions"][0]["answer"] = {"decision": "pass"}


def _other_input(document: Any) -> None:
    document["decisions"][0]["input"]["facts"].pop()


def _other_question(document: Any) -> None:
    document["decisions"][0]["question"] = "may_activate"


def _other_time(document: Any) -> None:
    document["decisions"][0]["at"] = "2030-01-01T00:00:00+00:00"


def _no_decision(document: Any) -> None:
    document["decisions"].clear()
    document["policies"].clear()


def _another_decision(document: Any) -> None:
    document["decisions"].append({**document["decisions"][0], "id": 4711})


def _other_policies(document: Any) -> None:
    document["policies"] = dict.fromkeys(document["policies"], "lenient")


@pytest.mark.parametrize(
    "change",
    [
        *(_other_answer, _other_input, _other_question, _other_time, _no_decision, _another_decision),
        _other_policies,
    ],
)
async def test_a_forged_decision_is_named_even_under_a_good_signature(case: bytes, change: Any) -> None:
    found = findings(resigned(case, "decisions.json", change))
    assert found
    assert all(line.startswith("decisions.json: ") and "not as" not in line for line in found)


def _other_root(document: Any) -> None:
    document["path"].append("00" * 32)


def _other_state(document: Any) -> None:
    document["seq"] -= 1


def _other_place(document: Any) -> None:
    document["index"] += 1


def _other_checkpoint(document: Any) -> None:
    content = json.loads(document["checkpoint"]["content"])
    document["checkpoint"]["content"] = json.dumps(content | {"chains": content["chains"] + 1})


@pytest.mark.parametrize("change", [_other_root, _other_state, _other_place, _other_checkpoint])
async def test_a_wrong_proof_is_named_even_under_a_good_signature(case: bytes, change: Any) -> None:
    found = findings(resigned(case, "proof.json", change))
    assert found
    assert all(line.startswith("proof.json") for line in found)


async def test_another_key_and_another_orders_member_are_named(
    client: Client, ground: Ground, case: bytes
) -> None:
    other = Ed25519PrivateKey.generate().public_key()
    found = findings(case, other)
    assert found == ["manifest.sig: not a signature by this key over manifest.json"]
    moved = resigned(case, "facts.json", lambda document: document.update(order="ord_" + "1" * 24))
    assert findings(moved) == ["facts.json: is about another order"]


async def test_evidence_under_anothers_name_is_named(case: bytes) -> None:
    names = [name for name in members_of(case) if name.startswith("media/")]

    def swap(members: dict[str, bytes]) -> None:
        members[names[0]], members[names[1]] = members[names[1]], members[names[0]]

    found = findings(changed(case, swap))
    assert any(line.startswith(names[0]) for line in found)
    assert any(line.startswith(names[1]) for line in found)


async def test_junk_is_a_finding_and_not_a_fault(case: bytes) -> None:
    for name in members_of(case):
        for junk in (b"", b"[]", b"null", b"{}", b"\xff", b"1" * 5000, b'{"entries": 1}', b"[" * 100_000):
            assert findings(
                changed(case, lambda members, name=name, junk=junk: members.update({name: junk}))  # type: ignore[misc]
            )


@pytest.mark.filterwarnings("ignore:Duplicate name")
async def test_zips_that_harm_whoever_opens_them_are_refused(case: bytes) -> None:
    members = members_of(case)
    refused = {
        "climbs out": packed({**members, "../../escape.json": b"{}"}),
        "absolute": packed({**members, "/etc/passwd.json": b"{}"}),
        "hidden": packed({**members, ".profile.json": b"{}"}),
        "media that swells": _deflated_media(members),
        "many": packed({f"m{number}.json": b"" for number in range(MAX_MEMBERS + 1)}),
        "cut short": case[:-30],
        "something behind": case + b"PK",
        "no ZIP": b"\0" * 4096,
        "empty": b"",
        "a bomb": _bomb(),
        "the same twice": _twice(members),
        "many that swell": _swelling(5, 60),
    }
    for name, data in refused.items():
        try:
            ZipMembers(io.BytesIO(data), len(data))
        except Unusable:
            continue
        pytest.fail(f"{name} was not refused")


def _deflated_media(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as writing:
        for name, data in {**members, f"media/{'0' * 64}.jpg": bytes(1_000_000)}.items():
            writing.writestr(name, data)
    return target.getvalue()


def _bomb() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as writing:
        with writing.open("facts.json", "w") as member:
            for _ in range(65):
                member.write(bytes(1024 * 1024))
    return target.getvalue()


def _swelling(count: int, megabytes: int) -> bytes:
    """Each member is no longer than a text may be."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as writing:
        for number in range(count):
            with writing.open(f"m{number}.json", "w") as member:
                for _ in range(megabytes):
                    member.write(bytes(1024 * 1024))
    return target.getvalue()


class Counted(ZipMembers):
    """Which members were unpacked."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), len(data))
        self.unpacked: set[str] = set()

    def pieces(self, name: str) -> Iterator[bytes]:
        self.unpacked.add(name)
        return super().pieces(name)


async def test_what_nobody_signed_is_not_unpacked(case: bytes) -> None:
    longer = Counted(changed(case, lambda members: members.update({"more.json": b"[]" * 1000})))
    assert "more.json: added; the manifest does not list it" in verify(longer, KEY.public_key()).found
    assert "more.json" not in longer.unpacked
    forged = Counted(changed(case, lambda members: members.update({"manifest.json": b"{}"})))
    assert verify(forged, KEY.public_key()).found
    assert forged.unpacked == {"manifest.json", "manifest.sig"}
    long_manifest = Counted(changed(case, lambda members: members.update({"manifest.json": bytes(2**21)})))
    assert verify(long_manifest, KEY.public_key()).found


def test_a_folder_that_is_longer_than_a_case_file_is_refused(tmp_path: Path) -> None:
    for number in range(5):
        with (tmp_path / f"m{number}.json").open("wb") as file:
            file.truncate(60 * 1024 * 1024)  # a hole: takes no room
    with pytest.raises(Unusable):
        FolderMembers(tmp_path)


def _twice(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as writing:
        for name, data in [*members.items(), ("facts.json", b"{}")]:
            writing.writestr(name, data)
    return target.getvalue()
