"""An applicant's calls, one function each."""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa

from activation.adapters.sql.numbers import Numbers
from activation.adapters.sql.outbox import read_text
from activation.adapters.sql.tables import MessageRow
from activation.ids import Msisdn
from activation.ports import MessageKind
from tests.app.ground import TEST_DEVICE, Ground, back, front, handheld
from tests.app.http.conftest import Client

MSISDN = "13800000001"
PHONE = "13900000001"
Json = dict[str, Any]
CONSENTS = ("terms", "identity", "face_recognition", "risk_notice")
JPEG = {"Content-Type": "image/jpeg"}
DEVICE = {"Kaika-Device": TEST_DEVICE}


def key() -> dict[str, str]:
    return {"Idempotency-Key": secrets.token_hex(16)}


def order_body(msisdn: str = MSISDN, phone: str = PHONE) -> Json:
    delivery = {"address": "北京市东城区样本胡同 1 号", "region": "北京", "recipient": "样本甲"}
    return {"msisdn": msisdn, "contact_phone": phone, "delivery": delivery, "locale": "zh-CN"}


async def add_numbers(ground: Ground, *numbers: str) -> None:
    async with ground.services.sessions.begin() as session:
        await Numbers().add(session, [(Msisdn(each), "北京") for each in numbers or (MSISDN,)])


async def open_order(client: Client, ground: Ground, msisdn: str = MSISDN, phone: str = PHONE) -> str:
    await add_numbers(ground, msisdn)
    answer = await client.post("/v1/orders", json=order_body(msisdn, phone), headers=key())
    assert answer.status == 201, await answer.text()
    return str((await answer.json())["order_id"])


async def codes_sent(ground: Ground, phone: str = PHONE) -> list[str]:
    """One-time codes in the sandbox outbox, unordered."""
    digest = ground.services.keys.fields.digest("phone", phone)
    async with ground.services.readers() as session:
        rows = await session.scalars(
            sa.select(MessageRow).where(
                MessageRow.to_digest == digest, MessageRow.kind == MessageKind.ONE_TIME_CODE
            )
        )
        texts = [await read_text(row) or "" for row in rows]
    return ["".join(char for char in text if char.isdigit())[:6] for text in texts]


async def sign_in(client: Client, ground: Ground, order: str) -> Json:
    """Headers with a token for the order, got with the code that was sent."""
    (code,) = await codes_sent(ground)
    answer = await client.post(f"/v1/orders/{order}/token", json={"code": code}, headers=DEVICE)
    assert answer.status == 200, await answer.text()
    return bearer((await answer.json())["access_token"])


def bearer(token: str) -> Json:
    return {"Authorization": f"Bearer {token}", **DEVICE}


async def consent(client: Client, order: str, token: Json, *kinds: str) -> None:
    for kind in kinds or CONSENTS:
        body = {"kind": kind, "version": "2026-1", "given": True}
        answer = await client.post(f"/v1/orders/{order}/consents", json=body, headers={**token, **key()})
        assert answer.status == 201, await answer.text()


def script(ground: Ground) -> None:
    """Three captures that agree, by the bytes that stand for them."""
    ground.captures.answers |= {b"front": front(), b"back": back(), b"handheld": handheld()}


async def put(client: Client, order: str, token: Json, kind: str, data: bytes) -> tuple[int, Json]:
    path = f"/v1/orders/{order}/captures/{kind}"
    async with client.put(path, data=data, headers={**token, **JPEG}) as answer:
        return answer.status, await answer.json()


async def capture_all(client: Client, order: str, token: Json) -> None:
    for kind, data in (("handheld", b"handheld"), ("id_front", b"front"), ("id_back", b"back")):
        status, body = await put(client, order, token, kind, data)
        assert status == 200, body


async def ready_to_confirm(client: Client, ground: Ground) -> tuple[str, Json, str]:
    """Order, token headers and reading digest."""
    script(ground)
    order = await open_order(client, ground)
    token = bearer(ground.applicant_token(order))
    await consent(client, order, token)
    await capture_all(client, order, token)
    reading = await (await client.get(f"/v1/orders/{order}/reading", headers=token)).json()
    return order, token, str(reading["reading_digest"])
