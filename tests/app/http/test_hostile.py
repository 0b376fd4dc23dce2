"""Whatever strangers and applicants send, no route of preselection and sign-in breaks."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from activation.ids import OrderId
from tests.app.ground import Ground
from tests.app.http import walking as walk
from tests.app.http.conftest import Client

REQUESTS = 700
TAGS = {"number", "order", "code", "token", "consent", "reading", "confirmation", "activation", "service"}
STRINGS = (
    "",
    " ",
    "\t\n",
    "0",
    "-1",
    "null",
    "true",
    "13900000001",
    "+8613900000001",
    "١٣٩٠٠٠٠٠٠٠١",
    "ＡＢＣ",
    "'; DROP TABLE orders; --",
    "%00",
    "../../etc/passwd",
    "\u202e样本",
    "😀" * 50,
    "x" * 70_000,
    "ord_" + "0" * 24,
    "terms",
    "2026-1",
    "en",
)


@pytest.fixture
def patient(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits would hide what lies behind them."""
    monkeypatch.setattr(ground.services.rates, "_factor", 10**9)


def _value(dice: random.Random, depth: int = 0) -> Any:
    kind = dice.randrange(9 if depth < 3 else 6)
    simple = (None, True, dice.randint(-(2**70), 2**70), dice.uniform(-1e300, 1e300), dice.choice(STRINGS))
    if kind < 6:
        return simple[min(kind, 4)]
    if kind == 6:
        return [_value(dice, depth + 1) for _ in range(dice.randrange(4))]
    names = ("msisdn", "contact_phone", "delivery", "address", "region", "locale", "kind", "version", "given")
    return {dice.choice((*names, *STRINGS[:12])): _value(dice, depth + 1) for _ in range(dice.randrange(5))}


def _body(dice: random.Random, good: Any) -> bytes:
    """Something near a good body, or nothing like it."""
    if dice.random() < 0.6 and isinstance(good, dict):
        changed = json.loads(json.dumps(good))
        target = changed["delivery"] if "delivery" in changed and dice.random() < 0.4 else changed
        target[dice.choice(list(target))] = _value(dice)
        data = json.dumps(changed).encode()
    else:
        data = json.dumps(_value(dice)).encode()
    if dice.random() < 0.15 and data:
        at = dice.randrange(len(data))
        data = data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
    return data


GOOD: dict[str, Any] = {
    "create_order": walk.order_body(),
    "create_consent": {"kind": "terms", "version": "2026-1", "given": True},
    "create_confirmation": {"reading_digest": "0" * 64},
    "exchange": {"code": "000000"},
    "begin_activation": {"activation_code": "A" * 24},
    "staff_token": {"username": "x", "password": "y" * 20},
}


@pytest.mark.usefixtures("patient")
async def test_nothing_that_is_sent_breaks_the_server(
    client: Client, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.access.passwords.LOG2_N", 4)
    dice = random.Random(20161108)
    order = await walk.open_order(client, ground)
    token = walk.bearer(ground.applicant_token(order))
    document = await (await client.get("/openapi.json")).json()
    operations = [
        (path, method, each)
        for path, item in document["paths"].items()
        for method, each in item.items()
        if set(each["tags"]) <= TAGS and not path.startswith(("/v1/operator", "/metrics", "/docs"))
    ]
    assert len(operations) >= 12
    statuses: dict[int, int] = {}
    for _ in range(REQUESTS):
        path, method, operation = dice.choice(operations)
        named = dice.choice((order, order, OrderId.new(), dice.choice(STRINGS[:13]) or "x"))
        headers = {**walk.key(), "Content-Type": "application/json"}
        headers |= token if dice.random() < 0.8 else {}
        query = {dice.choice(("pattern", "limit", "to", "x")): dice.choice(STRINGS[:13]) for _ in range(2)}
        async with client.request(
            method,
            path.replace("{order_id}", named.replace("/", "%2F")),
            data=_body(dice, GOOD.get(operation["operationId"])) if method == "post" else None,
            params=query if dice.random() < 0.5 else None,
            headers=headers,
        ) as answer:
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
            assert answer.status < 500 or path == "/readyz", (method, path, await answer.text())
            if answer.status >= 400 and path != "/readyz":
                assert answer.content_type == "application/problem+json"
    assert {400, 401, 404, 422} <= set(statuses)
