"""Codes, tokens and passwords over HTTP: who gets in, and what those outside learn."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from activation.adapters.sql.tables import OrderRow
from activation.ids import OrderId, StaffId
from activation.order import OrderState
from activation.ports import MessagesFault
from app.access.codes import FAILURES
from app.access.principals import Role, Staff
from app.access.rates import (
    ACTIVATIONS_PER_ADDRESS,
    DRAFT_CODES_PER_PHONE,
    FIRST_CODES_PER_PHONE,
    SIGN_INS_PER_NAME,
    SIGN_INS_PER_NAME_AND_ADDRESS,
)
from app.access.staff import NewAccount
from tests.app.ground import Ground
from tests.app.http import walking as walk
from tests.app.http.conftest import Client

PACKAGE = "ABCDEFGHIJKLMNOPQRSTUVWX"
PASSWORD = "correct horse battery"


async def test_the_code_from_the_phone_opens_one_order_once(client: Client, ground: Ground) -> None:
    order = await walk.open_order(client, ground)
    (code,) = await walk.codes_sent(ground)
    path = f"/v1/orders/{order}/token"
    answers = await asyncio.gather(
        *(client.post(path, json={"code": code}, headers=walk.DEVICE) for _ in range(4))
    )
    assert sorted(answer.status for answer in answers) == [200, 422, 422, 422]
    (token,) = [(await each.json())["access_token"] for each in answers if each.status == 200]
    assert (await client.get(f"/v1/orders/{order}", headers=walk.bearer(token))).status == 200


async def test_wrong_expired_used_and_unknown_look_the_same(client: Client, ground: Ground) -> None:
    order = await walk.open_order(client, ground)
    (code,) = await walk.codes_sent(ground)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    seen = []
    for path, tried in ((order, wrong), (OrderId.new(), code)):
        answer = await client.post(f"/v1/orders/{path}/token", json={"code": tried})
        seen.append((answer.status, {**await answer.json(), "request_id": ""}))
    ground.clock.forward(timedelta(minutes=10))
    late = await client.post(f"/v1/orders/{order}/token", json={"code": code})
    seen.append((late.status, {**await late.json(), "request_id": ""}))
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][1]["code"] == "code_not_accepted"


async def test_guessing_ends_soon(client: Client, ground: Ground) -> None:
    order = await walk.open_order(client, ground)
    (code,) = await walk.codes_sent(ground)
    path, wrong = f"/v1/orders/{order}/token", f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(FAILURES):
        assert (await client.post(path, json={"code": wrong})).status == 422
    assert (await client.post(path, json={"code": code})).status == 422
    statuses = [(await client.post(path, json={"code": wrong})).status for _ in range(20)]
    assert statuses[-1] == 429


async def test_another_code_replaces_the_first_and_not_too_often(client: Client, ground: Ground) -> None:
    order = await walk.open_order(client, ground)
    (first,) = await walk.codes_sent(ground)
    answer = await client.post(f"/v1/orders/{order}/codes")
    assert (await answer.json())["phone_hint"] == "139****0001"
    codes = set(await walk.codes_sent(ground))
    if len(codes) == 2:
        assert (await client.post(f"/v1/orders/{order}/token", json={"code": first})).status == 422
        (second,) = codes - {first}
        assert (await client.post(f"/v1/orders/{order}/token", json={"code": second})).status == 200
    answers = [await client.post(f"/v1/orders/{order}/codes") for _ in range(8)]
    assert answers[-1].status == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert (await client.post(f"/v1/orders/{OrderId.new()}/codes")).status == 404


async def test_nobody_locks_an_applicant_out_by_opening_orders_on_their_phone(
    client: Client, ground: Ground
) -> None:
    order = await walk.open_order(client, ground)
    async with ground.services.sessions.begin() as session:
        digest = ground.services.keys.fields.digest("activation", PACKAGE)
        delivered = sa.update(OrderRow).where(OrderRow.id == order)
        await session.execute(delivered.values(activation_digest=digest, state=OrderState.DELIVERED))
    for number in range(2, 10):
        strange = await walk.open_order(client, ground, f"1380000000{number}")
        await client.post(f"/v1/orders/{strange}/codes")
    assert len(await walk.codes_sent(ground)) == FIRST_CODES_PER_PHONE.hits + DRAFT_CODES_PER_PHONE.hits
    opened = await client.post("/v1/activations", json={"activation_code": PACKAGE})
    assert opened.status == 200, await opened.text()


async def test_an_order_is_opened_though_no_message_goes_out(
    client: Client, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: object, **__: object) -> None:
        raise MessagesFault

    monkeypatch.setattr(type(ground.services.messages), "send", silent)
    await walk.add_numbers(ground)
    opened = await client.post("/v1/orders", json=walk.order_body(), headers=walk.key())
    body = await opened.json()
    assert (opened.status, body["code_sent"]) == (201, False)
    again = await client.post(f"/v1/orders/{body['order_id']}/codes")
    assert (again.status, (await again.json())["code"]) == (503, "code_not_sent")


async def test_another_applicants_order_is_not_found(client: Client, ground: Ground) -> None:
    mine = await walk.open_order(client, ground)
    theirs = await walk.open_order(client, ground, "13800000002", "13900000002")
    token = walk.bearer(ground.applicant_token(mine))
    for method, rest in (
        ("GET", ""),
        ("GET", "/reading"),
        ("POST", "/cancellation"),
        ("POST", "/consents"),
        ("POST", "/confirmation"),
        ("PUT", "/captures/id_front"),
    ):
        foreign = await client.request(method, f"/v1/orders/{theirs}{rest}", headers={**token, **walk.key()})
        none = await client.request(
            method, f"/v1/orders/{OrderId.new()}{rest}", headers={**token, **walk.key()}
        )
        assert (foreign.status, none.status) == (404, 404)
        assert (await foreign.json())["code"] == "not_found"


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer x.y.z", "Basic eDp5", "bearer a b", "Bearer " + "x" * 5000],
)
async def test_without_a_good_token_nothing_is_shown(
    client: Client, ground: Ground, authorization: str | None
) -> None:
    order = await walk.open_order(client, ground)
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = await client.get(f"/v1/orders/{order}", headers=headers)
    assert (answer.status, (await answer.json())["code"]) == (401, "not_signed_in")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_roles_do_not_lend_each_other_rights(client: Client, ground: Ground) -> None:
    order = await walk.open_order(client, ground)
    for role, path, status in (
        (Role.COURIER, f"/v1/orders/{order}", 403),
        (Role.REVIEWER, f"/v1/orders/{order}/reading", 403),
        (Role.OPERATOR, f"/v1/orders/{order}/reading", 403),
    ):
        token = ground.token(Staff(StaffId.new(), role))
        answer = await client.get(path, headers=walk.bearer(token))
        assert answer.status == status
    applicant = walk.bearer(ground.applicant_token(order))
    assert (await client.get("/v1/courier/deliveries", headers=applicant)).status == 403


async def test_a_token_can_be_ended(client: Client, ground: Ground) -> None:
    order = await walk.open_order(client, ground)
    token = walk.bearer(ground.applicant_token(order))
    assert (await client.post("/v1/token/revocation", headers=token)).status == 200
    assert (await client.get(f"/v1/orders/{order}", headers=token)).status == 401


async def test_the_code_in_the_package_leads_to_a_code_on_the_phone(client: Client, ground: Ground) -> None:
    order = await walk.open_order(client, ground)
    digest = ground.services.keys.fields.digest("activation", PACKAGE)
    async with ground.services.sessions.begin() as session:
        await session.execute(sa.update(OrderRow).values(activation_digest=digest, state="shipped"))
    typed = "-".join(PACKAGE[at : at + 4] for at in range(0, len(PACKAGE), 4)).lower()
    answer = await client.post("/v1/activations", json={"activation_code": typed})
    assert await answer.json() == {"order_id": order, "phone_hint": "139****0001"}
    assert len(await walk.codes_sent(ground)) == 2


async def test_an_unknown_package_is_not_found_and_trying_is_limited(client: Client) -> None:
    for code in ("Z" * 24, "!" * 24, "零" * 16):
        answer = await client.post("/v1/activations", json={"activation_code": code})
        assert (answer.status, (await answer.json())["code"]) == (404, "activation_code_unknown")
    for _ in range(ACTIVATIONS_PER_ADDRESS.hits - 3):
        await client.post("/v1/activations", json={"activation_code": "Z" * 24})
    assert (await client.post("/v1/activations", json={"activation_code": "Z" * 24})).status == 429


async def test_staff_sign_in_with_a_password(
    client: Client, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.access.passwords.LOG2_N", 10)
    async with ground.services.sessions.begin() as session:
        await ground.services.staff.create(session, NewAccount("wang", PASSWORD, Role.COURIER, "kaika"))
    good = await client.post("/v1/staff/token", json={"username": "wang", "password": PASSWORD})
    assert (await good.json())["token_type"] == "Bearer"
    problems = []
    for name, password in (("wang", "wrong"), ("nobody", PASSWORD)):
        answer = await client.post("/v1/staff/token", json={"username": name, "password": password})
        problems.append({**await answer.json(), "request_id": ""})
    assert problems[0] == problems[1]
    assert (problems[0]["status"], problems[0]["code"]) == (401, "sign_in_refused")
    assert SIGN_INS_PER_NAME.hits > SIGN_INS_PER_NAME_AND_ADDRESS.hits
    client.session.cookie_jar.clear()  # a strange device
    for _ in range(SIGN_INS_PER_NAME_AND_ADDRESS.hits):
        last = await client.post("/v1/staff/token", json={"username": "WANG", "password": "wrong"})
    assert last.status == 429
