"""The same POST twice, and at the same moment, makes one thing."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from pydantic.json_schema import models_json_schema

from activation.adapters.sql.tables import OrderRow
from app.http import idempotency
from app.http.contract import Raw, operation_of
from app.server import resource_modules
from app.tables import IdempotencyRow
from tests.app.ground import Ground
from tests.app.http import walking as walk
from tests.app.http.conftest import Client


async def _orders(ground: Ground) -> int:
    async with ground.services.readers() as session:
        return int(await session.scalar(sa.select(sa.func.count()).select_from(OrderRow)) or 0)


async def test_the_same_post_gets_the_same_answer(client: Client, ground: Ground) -> None:
    await walk.add_numbers(ground)
    headers = walk.key()
    first = await client.post("/v1/orders", json=walk.order_body(), headers=headers)
    second = await client.post("/v1/orders", json=walk.order_body(), headers=headers)
    assert (first.status, second.status) == (201, 201)
    assert await first.read() == await second.read()
    assert first.headers["Location"] == second.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert await _orders(ground) == 1
    assert len(await walk.codes_sent(ground)) == 1


async def test_at_the_same_moment_one_works_and_the_rest_wait(client: Client, ground: Ground) -> None:
    await walk.add_numbers(ground)
    headers = walk.key()
    answers = await asyncio.gather(
        *(client.post("/v1/orders", json=walk.order_body(), headers=headers) for _ in range(8))
    )
    assert {answer.status for answer in answers} <= {201, 409}
    assert (
        sum(answer.status == 201 and "Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    )
    for answer in answers:
        if answer.status == 409:
            assert (await answer.json())["code"] == "request_in_flight"
            assert answer.headers["Retry-After"] == "1"
    assert await _orders(ground) == 1
    again = await client.post("/v1/orders", json=walk.order_body(), headers=headers)
    assert again.status == 201


async def test_another_content_under_the_same_key_is_refused(client: Client, ground: Ground) -> None:
    await walk.add_numbers(ground, "13800000001", "13800000002")
    headers = walk.key()
    await client.post("/v1/orders", json=walk.order_body(), headers=headers)
    other = await client.post("/v1/orders", json=walk.order_body("13800000002"), headers=headers)
    assert (other.status, (await other.json())["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("value", ["", "short", "x" * 129, "with space in the key", "钥匙" * 10])
async def test_a_key_is_wanted(client: Client, value: str) -> None:
    headers = {"Idempotency-Key": value} if value else {}
    answer = await client.post("/v1/orders", json=walk.order_body(), headers=headers)
    assert (answer.status, (await answer.json())["code"]) == (400, "idempotency_key_wanted")


async def test_keys_of_different_callers_and_paths_do_not_meet(client: Client, ground: Ground) -> None:
    orders = [await walk.open_order(client, ground, f"1380000000{n}", f"1390000000{n}") for n in (1, 2)]
    headers, body = walk.key(), {"kind": "terms", "version": "2026-1", "given": True}
    for order in orders:
        token = walk.bearer(ground.applicant_token(order))
        answer = await client.post(f"/v1/orders/{order}/consents", json=body, headers={**token, **headers})
        assert answer.status == 201
        assert "Idempotency-Replayed" not in answer.headers


async def test_a_refusal_made_nothing_and_may_be_tried_again(client: Client, ground: Ground) -> None:
    headers = walk.key()
    taken = await client.post("/v1/orders", json=walk.order_body(), headers=headers)
    assert taken.status == 409
    await walk.add_numbers(ground)
    assert (await client.post("/v1/orders", json=walk.order_body(), headers=headers)).status == 201


async def test_a_request_that_died_is_taken_over_and_a_day_ends_a_key(
    client: Client, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    await walk.add_numbers(ground, "13800000001", "13800000002")
    headers = walk.key()

    async def killed(*_: object) -> None:
        """What a killed process would not have done."""

    with monkeypatch.context() as dying:
        dying.setattr(idempotency._Ledger, "close", killed)
        await client.post("/v1/orders", json=walk.order_body(), headers=headers)
    stuck = await client.post("/v1/orders", json=walk.order_body(), headers=headers)
    assert (stuck.status, (await stuck.json())["code"]) == (409, "request_in_flight")
    ground.clock.forward(idempotency.GIVE_UP + timedelta(seconds=1))
    later = await client.post("/v1/orders", json=walk.order_body(), headers=headers)
    assert (await later.json())["code"] == "number_taken"  # it had been taken by the one that died
    done = walk.key()
    assert (await client.post("/v1/orders", json=walk.order_body("13800000002"), headers=done)).status == 201
    ground.clock.forward(idempotency.KEEP + timedelta(seconds=1))
    anew = await client.post("/v1/orders", json=walk.order_body("13800000002"), headers=done)
    assert "Idempotency-Replayed" not in anew.headers


async def test_what_is_kept_is_encrypted(client: Client, ground: Ground) -> None:
    await walk.open_order(client, ground)
    async with ground.services.readers() as session:
        raw = await session.scalar(sa.select(sa.type_coerce(IdempotencyRow.body, sa.LargeBinary)))
    assert raw
    assert b"order_id" not in bytes(raw)


async def test_a_body_cannot_be_guessed_from_what_is_kept_of_it(client: Client, ground: Ground) -> None:
    await walk.add_numbers(ground)
    body = json.dumps(walk.order_body()).encode()
    headers = {**walk.key(), "Content-Type": "application/json"}
    assert (await client.post("/v1/orders", data=body, headers=headers)).status == 201
    async with ground.services.readers() as session:
        (kept,) = await session.scalars(sa.select(IdempotencyRow.request_digest))
    content = hashlib.sha256(b"\n" + body).hexdigest()
    assert kept != content
    assert kept == ground.services.keys.fields.digest("idempotency", content)


def test_no_answer_with_credentials_is_kept_whole() -> None:
    """Kept answers lie in the database for a day; what opens something must be left out and made anew."""
    opens = re.compile(r"credential|token|secret|password|signature|policy|fields|(?:^|_)code$")
    kept = []
    for module in resource_modules():
        for route in module.ROUTES:
            told = operation_of(route.handler)
            if told is None or not told.idempotent or told.renew is not None:
                continue
            models = [model for model in told.returns.values() if not isinstance(model, Raw)]
            _, document = models_json_schema([(model, "serialization") for model in models])
            for definition in document["$defs"].values():
                kept += [
                    f"{route.path}: {name}" for name in definition.get("properties", ()) if opens.search(name)
                ]
    assert kept == []
