"""Many at once, slowly, or the same thing at the same moment: nobody keeps the others out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.engine import open_engine
from activation.ids import Imsi, OrderId
from app.access.rates import Limit
from app.access.revocations import Revocations
from app.http.bodies import RAW_AT_ONCE, RAW_PER_CALLER
from app.http.idempotency import KEEP
from app.preselection import consents, signing_in
from app.server import build_app
from app.services import SERVICES
from app.tables import IdempotencyRow
from tests.app.ground import Ground, StandingClock, lay_ground
from tests.app.http import walking as walk
from tests.app.http.conftest import Client

OTHER = "13800000002"


async def trickle(last: asyncio.Event) -> AsyncIterator[bytes]:
    """A body that begins and does not end before `last`."""
    yield b"front"
    await last.wait()


async def captured(client: Client, ground: Ground, msisdn: str, phone: str) -> tuple[str, walk.Json]:
    """A consenting order and its token."""
    order = await walk.open_order(client, ground, msisdn, phone)
    token = walk.bearer(ground.applicant_token(order))
    await walk.consent(client, order, token)
    return order, token


async def test_one_slow_sender_leaves_room_for_everybody_else(client: Client, ground: Ground) -> None:
    walk.script(ground)
    slow, slow_token = await captured(client, ground, walk.MSISDN, walk.PHONE)
    other, token = await captured(client, ground, OTHER, "13900000002")
    last = asyncio.Event()
    path, headers = f"/v1/orders/{slow}/captures/id_front", {**slow_token, **walk.JPEG}
    sending = [
        asyncio.create_task(client.put(path, data=trickle(last), headers=headers))
        for _ in range(RAW_PER_CALLER + 1)
    ]
    (refused,), _ = await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
    assert (refused.result().status, (await refused.result().json())["code"]) == (503, "busy")
    assert "Retry-After" in refused.result().headers
    assert (await walk.put(client, other, token, "id_front", b"front"))[0] == 200
    last.set()
    assert {(await each).status for each in sending} == {200, 503}
    assert (await walk.put(client, slow, slow_token, "id_front", b"front"))[0] == 200


async def test_unsigned_events_that_never_end_do_not_keep_pictures_out(
    client: Client, ground: Ground
) -> None:
    walk.script(ground)
    order, token = await captured(client, ground, walk.MSISDN, walk.PHONE)
    last, json = asyncio.Event(), {"Content-Type": "application/json"}
    sending = [
        asyncio.create_task(client.post("/v1/carriers/kaika/events", data=trickle(last), headers=json))
        for _ in range(RAW_AT_ONCE)
    ]
    await asyncio.sleep(0.2)
    assert (await walk.put(client, order, token, "id_front", b"front"))[0] == 200
    for each in sending:
        each.cancel()
    last.set()


async def test_the_same_token_is_ended_by_all_who_end_it_at_once(client: Client, ground: Ground) -> None:
    order = await walk.open_order(client, ground)
    token = walk.bearer(ground.applicant_token(order))
    ended = await asyncio.gather(*(client.post("/v1/token/revocation", headers=token) for _ in range(6)))
    assert {each.status for each in ended} <= {200, 401}
    assert 200 in {each.status for each in ended}
    assert (await client.get(f"/v1/orders/{order}", headers=token)).status == 401


async def test_what_is_revoked_while_the_list_is_read_counts_at_once(
    sessions: async_sessionmaker[AsyncSession],
) -> None:
    clock, read, go_on = StandingClock(), asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def slowly() -> AsyncIterator[AsyncSession]:
        async with sessions() as session:
            yield session
        read.set()
        await go_on.wait()

    revocations = Revocations(sessions, slowly, clock)  # type: ignore[arg-type]
    asking = asyncio.create_task(revocations.holds("token", "ord", "family"))
    await read.wait()
    await revocations.revoke("token", clock() + timedelta(hours=1))
    go_on.set()
    await asking
    assert await revocations.holds("token", "ord", "family")


@pytest.mark.postgres
async def test_old_keys_that_somebody_else_clears_away_are_not_waited_for(
    postgres_url: str, tmp_path: Path
) -> None:
    engine = open_engine(postgres_url)
    ground = lay_ground(engine, tmp_path)
    async with TestClient(TestServer(build_app(ground.services))) as client:
        await walk.open_order(client, ground)
        ground.clock.forward(KEEP + timedelta(minutes=1))
        async with ground.services.sessions.begin() as session:
            await session.execute(sa.select(IdempotencyRow.key).with_for_update())
            async with asyncio.timeout(10):
                await walk.open_order(client, ground, OTHER)
    ground.close()
    await engine.dispose()


async def test_unknown_orders_are_counted_by_where_they_are_asked_from(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_in, "TRIES_PER_ADDRESS", Limit("tries.address", 3, 3600))
    statuses = [
        (await client.post(f"/v1/orders/{OrderId.new()}/token", json={"code": "000000"})).status
        for _ in range(5)
    ]
    assert statuses == [422, 422, 422, 429, 429]


async def test_consents_do_not_pile_up_without_end(
    client: Client, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await walk.open_order(client, ground)
    headers = walk.bearer(ground.applicant_token(order))
    monkeypatch.setattr(consents, "CONSENTS_PER_ORDER", Limit("consents.order", 2, 3600))
    body = {"kind": "terms", "version": "2026-1", "given": True}
    path = f"/v1/orders/{order}/consents"
    answers = [await client.post(path, json=body, headers={**headers, **walk.key()}) for _ in range(3)]
    assert [each.status for each in answers] == [201, 201, 429]


async def test_however_many_ask_for_readiness_the_hlr_is_asked_once(
    client: Client, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Imsi] = []

    async def slowly(imsi: Imsi) -> None:
        asked.append(imsi)
        await asyncio.sleep(0.3)

    monkeypatch.setattr(application[SERVICES].hlr, "read", slowly)
    answers = await asyncio.gather(*(client.get("/readyz") for _ in range(20)))
    parts = [(await each.json())["parts"] for each in answers]
    assert all(each == parts[0] for each in parts)
    assert len(asked) == 1
