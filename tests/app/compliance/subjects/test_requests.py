"""Applicants ask for a copy, a correction, the deletion of their data, and operators see what waits."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from activation.adapters.sql.audit import AuditEntryRow
from activation.adapters.sql.facts import FactLog
from activation.adapters.sql.store import Store
from activation.adapters.sql.tables import OrderRow
from activation.evidence import HandoverOutcome, ReviewStage
from activation.findings import Reason
from activation.ids import CaseId, OrderId, StaffId
from activation.order import OrderState as S
from app.access.principals import Role, Staff
from app.access.rates import REQUESTS_PER_ORDER
from app.compliance.retention.destroying import DESTROY
from app.compliance.retention.due import due_orders, plan, standing_of
from app.compliance.retention.legal_holds import LegalHolds
from app.compliance.retention.rules import Kept, destroyed_from
from app.compliance.subjects.requests import ANSWERED_WITHIN
from app.review.case import CaseState
from app.review.cases import Case, Cases
from tests.activation.stand_ins import card, handover, video_check
from tests.app.ground import ADDRESS, NAME, NUMBER, Ground
from tests.app.http import walking as walk
from tests.app.http.conftest import Client

Json = walk.Json


def operator(ground: Ground) -> Json:
    return walk.bearer(ground.token(Staff(StaffId.new(), Role.OPERATOR)))


async def captured(client: Client, ground: Ground) -> tuple[str, Json]:
    order, token, _ = await walk.ready_to_confirm(client, ground)
    return order, token


async def submitted(client: Client, ground: Ground) -> tuple[str, Json]:
    order, token, digest = await walk.ready_to_confirm(client, ground)
    body = {"reading_digest": digest}
    answer = await client.post(f"/v1/orders/{order}/confirmation", json=body, headers={**token, **walk.key()})
    assert answer.status == 201, await answer.text()
    return order, token


async def ask(client: Client, order: str, token: Json, kind: str, language: str = "en") -> Json:
    headers = {**token, **walk.key(), "Accept-Language": language}
    answer = await client.post(f"/v1/orders/{order}/requests", json={"kind": kind}, headers=headers)
    assert answer.status == 201, await answer.text()
    found: Json = await answer.json()
    return found


async def put_into(ground: Ground, order: str, state: S) -> None:
    async with ground.services.sessions.begin() as session:
        await session.execute(
            sa.update(OrderRow)
            .where(OrderRow.id == order)
            .values(state=state, changed_at=ground.clock(), due_at=None)
        )


async def events(ground: Ground, order: str) -> list[str]:
    async with ground.services.readers() as session:
        found = sa.select(AuditEntryRow.event).where(AuditEntryRow.chain == order)
        return list(await session.scalars(found.order_by(AuditEntryRow.seq)))


async def fresh_code(client: Client, ground: Ground, order: str) -> str:
    before = set(await walk.codes_sent(ground))
    ground.clock.forward(timedelta(hours=2))  # past the limit of codes
    assert (await client.post(f"/v1/orders/{order}/codes")).status == 200
    (code,) = set(await walk.codes_sent(ground)) - before
    return code


async def test_a_copy_of_everything_that_is_held(client: Client, ground: Ground) -> None:
    order, token = await submitted(client, ground)
    asked = await ask(client, order, token, "access")
    assert (asked["state"], asked["answer"]) == ("open", "copy_ready")
    path = f"/v1/orders/{order}/requests/{asked['request_id']}/copy"
    code = await fresh_code(client, ground, order)
    token = walk.bearer(ground.applicant_token(order))
    wrong = await client.post(path, json={"code": "000000" if code != "000000" else "111111"}, headers=token)
    assert wrong.status == 422
    assert "export.made" not in await events(ground, order)
    answer = await client.post(path, json={"code": code}, headers=token)
    assert answer.status == 200, await answer.text()
    assert answer.headers["Cache-Control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(await answer.read())) as archive:
        assert archive.testzip() is None
        about = json.loads(archive.read("about.json"))
        pictures = {name.split("-")[0]: archive.read(name) for name in archive.namelist()[1:]}
    assert about["document"] == {"name": NAME, "number": NUMBER, "address": ADDRESS}
    assert about["contact"]["phone"] == walk.PHONE
    assert about["read_from_pictures"]["id_front"]["number"] == NUMBER
    assert {each["kind"] for each in about["consents"]} == set(walk.CONSENTS)
    assert all(len(each["text_sha256"]) == 64 for each in about["consents"])
    assert about["face_templates"] is not None
    assert pictures == {
        "media/id_front": b"front",
        "media/id_back": b"back",
        "media/handheld": b"handheld",
    }
    # Neither a score nor a verdict: an impostor must not learn what gave them away.
    for word in ("similarity", "verdict", "confidence", "quality", "bareheaded", "decision"):
        assert word not in json.dumps(about)
    assert (await events(ground, order)).count("export.made") == 1


async def test_one_request_gives_one_copy(client: Client, ground: Ground) -> None:
    order, token = await captured(client, ground)
    asked = await ask(client, order, token, "access")
    assert (await ask(client, order, token, "access"))["request_id"] == asked["request_id"]
    path = f"/v1/orders/{order}/requests/{asked['request_id']}/copy"
    code = await fresh_code(client, ground, order)
    token = walk.bearer(ground.applicant_token(order))
    assert (await client.post(path, json={"code": code}, headers=token)).status == 200
    again = await fresh_code(client, ground, order)
    token = walk.bearer(ground.applicant_token(order))
    assert (await client.post(path, json={"code": again}, headers=token)).status == 409
    unknown = f"/v1/orders/{order}/requests/req_{'0' * 24}/copy"
    assert (await client.post(unknown, json={"code": again}, headers=token)).status == 409


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        (S.SUBMITTED, "new_captures"),
        (S.IN_REVIEW, "new_captures"),
        (S.ACCEPTED, "new_order"),
        (S.DELIVERED, "new_order"),
        (S.ACTIVE, "store"),
    ],
)
async def test_a_correction_is_a_new_capture_where_the_order_permits_it(
    client: Client, ground: Ground, state: S, answer: str
) -> None:
    """R1.4"""
    order, token = await submitted(client, ground)
    await put_into(ground, order, state)
    asked = await ask(client, order, token, "correction")
    assert (asked["state"], asked["answer"]) == ("done", answer)
    assert asked["text"]
    shown = await (await client.get(f"/v1/orders/{order}", headers=token)).json()
    assert shown["state"] == ("draft" if answer == "new_captures" else state)
    if answer == "new_captures":
        status, _ = await walk.put(client, order, token, "id_back", b"back")
        assert status == 200


async def test_an_order_without_service_is_destroyed_at_once(client: Client, ground: Ground) -> None:
    order, token = await submitted(client, ground)
    asked = await ask(client, order, token, "deletion", "zh-CN")
    assert (asked["state"], asked["answer"]) == ("open", "destroying")
    assert "销毁" in asked["text"]
    assert (DESTROY, order, asked["request_id"]) in ground.work.begun
    async with ground.services.readers() as session:
        view = await Store().orders.read(session, OrderId(order))
    assert view is not None
    assert view.state is S.CANCELLED
    waiting = await (await client.get("/v1/operator/subject-requests", headers=operator(ground))).json()
    (listed,) = waiting["requests"]
    assert (listed["order_id"], listed["kind"], listed["overdue"]) == (order, "deletion", False)
    ground.clock.forward(ANSWERED_WITHIN + timedelta(minutes=1))
    waiting = await (await client.get("/v1/operator/subject-requests", headers=operator(ground))).json()
    assert waiting["requests"][0]["overdue"]


@pytest.mark.parametrize(
    ("state", "answer", "days"),
    [
        (S.ACTIVE, "service_lasts", 730),
        (S.ENDED, "service_ended_lately", 730),
        (S.REFUSED, "decision_disputable", 180),
    ],
)
async def test_what_must_be_kept_is_refused_with_the_date_and_the_reason(
    client: Client, ground: Ground, state: S, answer: str, days: int
) -> None:
    """R8.1"""
    order, token = await submitted(client, ground)
    await put_into(ground, order, state)
    begun = list(ground.work.begun)
    for language in ("en", "zh-CN"):
        asked = await ask(client, order, token, "deletion", language)
        assert (asked["state"], asked["answer"]) == ("refused", answer)
        assert asked["text"].isascii() is (language == "en")
        until = asked["not_before"]
        assert until[:10] >= (ground.clock() + timedelta(days=days)).isoformat()[:10]
    assert ground.work.begun == begun


async def undecided_case(ground: Ground, order: str) -> None:
    reasons = (Reason.PRECHECK_FACE_UNCERTAIN,)
    case = Case(
        *(CaseId.new(), OrderId(order), ReviewStage.SHIP, CaseState.OPEN, reasons, False, 0, None, None),
        *(None, ground.clock(), None),
    )
    async with ground.services.sessions.begin() as session:
        await Cases().create(session, case)


async def mismatch(ground: Ground, order: str) -> None:
    async with ground.services.sessions.begin() as session:
        fact = handover(OrderId(order), card(1)[0], HandoverOutcome.MISMATCH)
        await FactLog().append(session, OrderId(order), fact)


async def failed_check(ground: Ground, order: str) -> None:
    """No case was opened yet, and no decision was made."""
    async with ground.services.sessions.begin() as session:
        fact = video_check(card(1)[0], 0.01)
        await FactLog().append(session, OrderId(order), fact)


@pytest.mark.parametrize("traces", [undecided_case, mismatch, failed_check])
@pytest.mark.parametrize("state", [S.IN_REVIEW, S.SHIPPED, S.DELIVERED, S.VERIFIED, S.CANCELLED])
async def test_whoever_attacked_does_not_wipe_out_the_traces(
    client: Client, ground: Ground, traces: Any, state: S
) -> None:
    order, token = await submitted(client, ground)
    await traces(ground, order)
    await put_into(ground, order, state)
    asked = await ask(client, order, token, "deletion")
    assert (asked["state"], asked["answer"]) == ("refused", "decision_disputable")
    assert DESTROY not in {mission for mission, *_ in ground.work.begun}
    shown = await (await client.get(f"/v1/orders/{order}", headers=token)).json()
    assert shown["state"] == "cancelled"
    async with ground.services.readers() as session:
        view = await Store().orders.read(session, OrderId(order))
        assert view is not None
        standing, until = await standing_of(session, view), datetime.fromisoformat(asked["not_before"])
        assert destroyed_from(standing) == until
        assert until >= ground.clock() + timedelta(days=180)
        assert await due_orders(session, ground.clock() + timedelta(days=100), 10) == []
        assert await due_orders(session, until, 10) == [order]
        (line,) = [line for line in await plan(session, until) if line.due]
        assert line.kept is Kept.REFUSED


@pytest.mark.parametrize(
    ("state", "kind"),
    [(S.ACTIVE, "deletion"), (S.ACTIVE, "correction"), (S.ACCEPTED, "correction"), (S.DRAFT, "correction")],
)
async def test_the_same_answer_is_given_again_and_not_written_down_anew(
    client: Client, ground: Ground, state: S, kind: str
) -> None:
    order, token = await submitted(client, ground)
    await put_into(ground, order, state)
    first = await ask(client, order, token, kind)
    before = await events(ground, order)
    again = await ask(client, order, token, kind)
    assert (again["request_id"], again["answer"]) == (first["request_id"], first["answer"])
    assert await events(ground, order) == before


async def test_requests_of_one_order_are_limited(client: Client, ground: Ground) -> None:
    order, token = await captured(client, ground)
    path = f"/v1/orders/{order}/requests"
    statuses = []
    for _ in range(REQUESTS_PER_ORDER.hits + 1):
        answer = await client.post(path, json={"kind": "access"}, headers={**token, **walk.key()})
        statuses.append(answer.status)
    assert statuses == [201] * REQUESTS_PER_ORDER.hits + [429]
    assert int(answer.headers["Retry-After"]) > 0


async def test_a_legal_hold_refuses_deletion(client: Client, ground: Ground) -> None:
    order, token = await submitted(client, ground)
    async with ground.services.sessions.begin() as session:
        await LegalHolds().place(session, OrderId(order), "a court asks", ground.clock())
    asked = await ask(client, order, token, "deletion")
    assert (asked["state"], asked["answer"], asked["not_before"]) == ("refused", "legal_duty", None)
    shown = await (await client.get(f"/v1/orders/{order}", headers=token)).json()
    assert shown["state"] == "submitted"


async def test_nobody_asks_for_another(client: Client, ground: Ground) -> None:
    order, token = await captured(client, ground)
    other = await walk.open_order(client, ground, "13800000002", "13900000002")
    headers = {**token, **walk.key()}
    for kind in ("access", "correction", "deletion"):
        answer = await client.post(f"/v1/orders/{other}/requests", json={"kind": kind}, headers=headers)
        assert answer.status in (403, 404)
    assert (await client.get(f"/v1/orders/{other}/requests", headers=token)).status in (403, 404)
    asked = await ask(client, order, token, "access")
    listed = await (await client.get(f"/v1/orders/{order}/requests", headers=token)).json()
    assert [each["request_id"] for each in listed["requests"]] == [asked["request_id"]]
