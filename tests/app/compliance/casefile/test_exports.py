"""Case files over the API: with a right, a reason and a record; kept sealed, given as made."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import pytest
import sqlalchemy as sa
from aiohttp.test_utils import TestClient, TestServer

from activation.adapters.sql.audit_tables import AuditEntryRow
from activation.adapters.sql.tables import EvidenceRow
from activation.evidence import ReviewStage
from activation.ids import CaseId, Digest, OrderId, StaffId
from app.access.principals import Role, Staff
from app.compliance.casefile import exports
from app.compliance.casefile.exports import Pipe, PipeBroken
from app.review.case import CaseState
from app.review.cases import Case
from app.review.view import see_case
from app.server import build_app
from tests.app.compliance.casefile.cases import findings, order_on_record
from tests.app.ground import NAME, NUMBER, Ground
from tests.app.http import walking as walk
from tests.app.http.conftest import Client, application, client, ground, no_blocking

__all__ = ["application", "client", "ground", "no_blocking"]

OPERATOR = Staff(StaffId.new(), Role.OPERATOR)
BODY: dict[str, Any] = {"reason": "inspection of the authority", "with_media": True}


@pytest.fixture
async def order(client: Client, ground: Ground) -> OrderId:
    return await order_on_record(client, ground)


def headers(ground: Ground, role: Role = Role.OPERATOR) -> dict[str, str]:
    staff = OPERATOR if role is Role.OPERATOR else Staff(StaffId.new(), role)
    return {**walk.bearer(ground.token(staff)), **walk.key()}


async def ask(client: Client, ground: Ground, order: str, **body: Any) -> Any:
    return await client.post(f"/v1/orders/{order}/case-file", json={**BODY, **body}, headers=headers(ground))


async def test_a_case_file_is_made_kept_sealed_and_given(
    client: Client, ground: Ground, order: OrderId
) -> None:
    answer = await ask(client, ground, order, with_identity=True)
    assert answer.status == 201, await answer.text()
    told = await answer.json()
    assert (told["order_id"], told["missing"]) == (order, 0)
    assert answer.headers["Location"] == f"/v1/orders/{order}/case-file/{told['digest']}"
    given = await client.get(answer.headers["Location"], headers=headers(ground))
    data = await given.read()
    assert (given.status, given.content_type) == (200, "application/zip")
    assert given.headers["Cache-Control"] == "no-store"
    assert given.headers["X-Content-Type-Options"] == "nosniff"
    assert (hashlib.sha256(data).hexdigest(), len(data)) == (told["digest"], told["size"])
    key = ground.services.keys.audit.public_key()
    assert findings(data, key) == []
    for path in ground.services.settings.data_dir.rglob("*"):
        if path.is_file():
            assert b"PK\x03\x04" not in path.read_bytes()
    events = await entries(ground, order)
    made = [each for each in events if each["event"] == "export.made"]
    assert [(each["actor"], each["reason"]) for each in made] == [(OPERATOR.id, BODY["reason"])]
    assert {"identity.revealed", "export.given"} <= {each["event"] for each in events}
    (stored,) = await entries(ground, "exports")
    assert (stored["event"], stored["details"]["digest"]) == ("export.stored", told["digest"])
    assert NAME not in json.dumps(events, ensure_ascii=False)
    assert NUMBER not in json.dumps(events)


async def entries(ground: Ground, chain: str) -> list[dict[str, Any]]:
    async with ground.services.readers() as session:
        query = sa.select(AuditEntryRow.content).where(AuditEntryRow.chain == chain)
        return [json.loads(each) for each in await session.scalars(query.order_by(AuditEntryRow.seq))]


async def test_without_a_right_a_reason_or_an_order_there_is_none(
    client: Client, ground: Ground, order: OrderId
) -> None:
    path = f"/v1/orders/{order}/case-file"
    for role in (Role.REVIEWER, Role.COURIER):
        answer = await client.post(path, json=BODY, headers=headers(ground, role))
        assert answer.status == 403
    applicant = {**walk.bearer(ground.applicant_token(order)), **walk.key()}
    assert (await client.post(path, json=BODY, headers=applicant)).status == 403
    assert (await client.post(path, json=BODY, headers=walk.key())).status == 401
    for reason in ("", "x", "of 13900000001"):
        assert (await ask(client, ground, order, reason=reason)).status == 422
    assert (await ask(client, ground, "ord_" + "0" * 24)).status == 404
    assert not [each for each in await entries(ground, order) if each["event"].startswith("export")]


async def test_only_case_files_are_given_and_only_to_their_order(
    client: Client, ground: Ground, order: OrderId
) -> None:
    told = await (await ask(client, ground, order)).json()
    other = await walk.open_order(client, ground, msisdn="13800000009", phone="13900000009")
    front = hashlib.sha256(b"front").hexdigest()
    for path in (
        f"{order}/case-file/{front}",
        f"{order}/case-file/{'0' * 64}",
        f"{other}/case-file/{told['digest']}",
    ):
        assert (await client.get(f"/v1/orders/{path}", headers=headers(ground))).status == 404


async def test_case_files_are_no_evidence(client: Client, ground: Ground, order: OrderId) -> None:
    await ask(client, ground, order)
    again = await ask(client, ground, order)
    assert again.status == 201
    path = f"/v1/orders/{order}/case-file/{(await again.json())['digest']}"
    data = await (await client.get(path, headers=headers(ground))).read()
    assert findings(data, ground.services.keys.audit.public_key()) == []
    async with ground.services.readers() as session:
        kinds = list(await session.scalars(sa.select(EvidenceRow.kind)))
    assert kinds.count("export") == 2
    assert b"application/zip" not in data


async def test_reviewers_do_not_get_at_case_files(client: Client, ground: Ground, order: OrderId) -> None:
    digest = Digest((await (await ask(client, ground, order, with_identity=True)).json())["digest"])
    case = Case(
        *(CaseId.new(), order, ReviewStage.SHIP, CaseState.CLAIMED, (), False, 0, None, None, None),
        *(ground.clock(), None),
    )
    async with ground.services.readers() as session:
        seen = await see_case(session, case, claimed=True)
    assert {each.kind for each in seen.evidence} == {"id_front", "id_back", "handheld"}

    class Desk:
        async def look(self, *_: object) -> OrderId:
            return order

    reviewing = replace(ground.services, review=cast(Any, Desk()))
    served = TestServer(await asyncio.to_thread(build_app, reviewing))
    async with TestClient(served) as reviewer:
        for asked, status in ((digest, 404), (seen.evidence[0].digest, 200)):
            path = f"/v1/review/cases/{case.id}/evidence/{asked}"
            assert (await reviewer.get(path, headers=headers(ground, Role.REVIEWER))).status == status


async def test_what_is_broken_while_it_is_made_leaves_nothing(
    client: Client, ground: Ground, order: OrderId, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = ground.vault.read

    async def breaks(order_id: OrderId, digest: Digest) -> AsyncIterator[bytes]:
        async for piece in kept(order_id, digest):
            yield piece
        breaks.calls += 1  # type: ignore[attr-defined]
        if breaks.calls > 1:  # type: ignore[attr-defined]
            raise OSError

    breaks.calls = 0  # type: ignore[attr-defined]
    before = await ground.vault.digests(order)
    monkeypatch.setattr(ground.vault, "read", breaks)
    assert (await ask(client, ground, order)).status == 500
    monkeypatch.undo()
    assert await ground.vault.digests(order) == before
    assert (await ask(client, ground, order)).status == 201


async def test_one_is_made_at_a_time(
    client: Client, ground: Ground, order: OrderId, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = await asyncio.gather(*(ask(client, ground, order) for _ in range(3)))
    statuses = sorted(answer.status for answer in answers)
    assert set(statuses) <= {201, 503}
    assert statuses[0] == 201
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status == 503)


def test_a_pipe_gives_what_was_written_or_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = Pipe()
    pipe.write(b"abcdef")
    assert (pipe.read(4), pipe.read(4)) == (b"abcd", b"ef")
    pipe.end()
    assert pipe.read(4) == b""
    broken = Pipe()
    broken.write(b"half")
    broken.abort()
    with pytest.raises(PipeBroken):
        broken.read(4)
    monkeypatch.setattr(exports, "PIPE_SECONDS", 0.01)
    with pytest.raises(PipeBroken):
        Pipe().read(1)
