"""Texts in two languages, and gateways that send once and show nothing in their faults."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.message_texts import _TEXTS, text_of
from activation.adapters.messages_http import HttpMessages
from activation.adapters.messages_sandbox import SandboxMessages
from activation.adapters.sql.outbox import read_text
from activation.adapters.sql.tables import MessageRow
from activation.findings import Reason
from activation.ids import Msisdn
from activation.ports import MessageKind, MessagesFault
from tests.activation.stand_ins import now

TO = Msisdn("13800000001")
CODE = {"code": "123456"}


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_every_kind_has_a_text_in_every_language(locale: str) -> None:
    assert set(_TEXTS[locale]) == set(MessageKind)
    values = {"code": "123456", "waybill": "KK000000000001", "link": "https://x", "number": TO}
    for kind in MessageKind:
        text = text_of(kind, values, locale)
        assert "{" not in text
        assert not any(reason.value in text for reason in Reason)


@pytest.mark.parametrize(
    ("locale", "starts"), [("zh", "您"), ("zh-TW", "您"), ("en-GB", "Your"), ("fr", "您")]
)
def test_other_locales_get_the_nearest_language(locale: str, starts: str) -> None:
    assert text_of(MessageKind.ONE_TIME_CODE, CODE, locale).startswith(starts)


async def test_the_sandbox_sends_once_per_key_and_stores_nothing_in_clear(
    sessions: async_sessionmaker[AsyncSession],
) -> None:
    messages = SandboxMessages(sessions, now)
    for code in ("123456", "654321"):
        await messages.send(TO, MessageKind.ONE_TIME_CODE, {"code": code}, "en", "key-1")
    await messages.send(TO, MessageKind.ONE_TIME_CODE, {"code": "777777"}, "en", "key-2")
    async with sessions.begin() as session:
        rows = (await session.scalars(select(MessageRow).order_by(MessageRow.key))).all()
        texts = [await read_text(row) or "" for row in rows]
        receivers = set(await session.scalars(select(MessageRow.to_digest)))
    assert ["123456" in texts[0], "777777" in texts[1], len(texts)] == [True, True, 2]
    assert TO not in str(receivers)


async def test_the_gateway_gets_a_key_and_its_faults_show_nothing() -> None:
    got: list[tuple[str, dict[str, str]]] = []

    async def take(request: web.Request) -> web.StreamResponse:
        got.append((request.headers["Idempotency-Key"], await request.json()))
        return web.Response(status=202 if len(got) == 1 else 500)

    app = web.Application()
    app.router.add_post("/sms", take)
    async with TestServer(app) as server:
        messages = HttpMessages(str(server.make_url("/sms")), token="t")
        await messages.send(TO, MessageKind.ONE_TIME_CODE, CODE, "en", "key-1")
        with pytest.raises(MessagesFault) as fault:
            await messages.send(TO, MessageKind.ONE_TIME_CODE, CODE, "en", "key-2")
        await messages.close()
    assert got[0][0] == "key-1"
    assert got[0][1]["to"] == "+8613800000001"
    assert "123456" in got[0][1]["text"]
    assert TO not in str(fault.value)
    assert "123456" not in str(fault.value)
    with pytest.raises(MessagesFault):
        await HttpMessages("http://127.0.0.1:9/").send(TO, MessageKind.ONE_TIME_CODE, CODE, "en", "key-3")
