"""Tokens over HTTP: good on one device only, renewed with single use; a cookie alone opens nothing."""

from __future__ import annotations

from dataclasses import replace
from http.cookies import SimpleCookie

import pytest
import sqlalchemy as sa
from aiohttp import ClientResponse, DummyCookieJar
from aiohttp.test_utils import TestClient, TestServer

from activation.adapters.sql.tables import OrderRow
from app.access.devices import HEADER, is_device, new_device
from app.access.principals import Role
from app.access.rates import SIGN_INS_PER_NAME, SIGN_INS_PER_NAME_AND_ADDRESS, Limit
from app.access.staff import NewAccount
from app.http import signing_in
from app.http.devices import COOKIE, COOKIE_TLS, KEEP_S
from app.server import build_app
from tests.app.ground import Ground
from tests.app.http import walking as walk
from tests.app.http.conftest import Client

PASSWORD = "correct horse battery"
PROXY = "127.0.0.1"


async def _exchange(client: Client, ground: Ground, **headers: str) -> tuple[str, ClientResponse]:
    order = await walk.open_order(client, ground)
    (code,) = await walk.codes_sent(ground)
    return order, await client.post(f"/v1/orders/{order}/token", json={"code": code}, headers=headers)


def _without_cookies(ground: Ground) -> Client:
    return TestClient(TestServer(build_app(ground.services)), cookie_jar=DummyCookieJar())


async def test_a_browser_is_given_a_cookie_that_scripts_cannot_read(client: Client, ground: Ground) -> None:
    order, answer = await _exchange(client, ground)
    (cookie,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
    assert cookie.key == COOKIE  # no TLS in development
    assert is_device(cookie.value)
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    assert (cookie["max-age"], cookie["domain"], cookie["secure"]) == (str(KEEP_S), "", "")
    token = (await answer.json())["access_token"]
    assert cookie.value not in await answer.text()
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await client.get(f"/v1/orders/{order}", headers=bearer)).status == 200


async def test_with_tls_the_cookie_is_secure_and_bound_to_the_host(ground: Ground) -> None:
    settings = replace(ground.services.settings, base_url="https://kaika.example")
    ground.services = replace(ground.services, settings=settings)
    async with _without_cookies(ground) as client:
        order, answer = await _exchange(client, ground)
        (cookie,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
        assert (cookie.key, cookie["secure"], cookie["path"]) == (COOKIE_TLS, True, "/")
        bearer = {"Authorization": f"Bearer {(await answer.json())['access_token']}"}
        for name, status in ((COOKIE_TLS, 200), (COOKIE, 401)):
            shown = {**bearer, "Cookie": f"{name}={cookie.value}"}
            assert (await client.get(f"/v1/orders/{order}", headers=shown)).status == status


async def test_a_cookie_alone_opens_nothing_and_a_token_alone_neither(ground: Ground) -> None:
    async with _without_cookies(ground) as client:
        order, answer = await _exchange(client, ground)
        cookie = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
        bearer = {"Authorization": f"Bearer {(await answer.json())['access_token']}"}
        for headers in (cookie, bearer, {**bearer, HEADER: new_device()}):
            assert (await client.get(f"/v1/orders/{order}", headers=headers)).status == 401
            for path in (f"/v1/orders/{order}/cancellation", "/v1/token/revocation"):
                sent = await client.post(path, headers={**headers, **walk.key()})
                assert (sent.status, (await sent.json())["code"]) == (401, "not_signed_in")
        refreshed = await client.post("/v1/tokens/refresh", json={}, headers=cookie)
        assert refreshed.status == 422
        assert (await client.get(f"/v1/orders/{order}", headers={**bearer, **cookie})).status == 200


async def test_two_tokens_or_two_devices_at_once_are_none(client: Client, ground: Ground) -> None:
    order = await walk.open_order(client, ground)
    good = walk.bearer(ground.applicant_token(order))
    for name in good:
        twice = [*good.items(), (name, good[name])]
        assert (await client.get(f"/v1/orders/{order}", headers=twice)).status == 401


@pytest.mark.parametrize("device", ["", "short", "x" * 43, "=" * 43, new_device() + "a"])
async def test_what_is_no_secret_is_refused_at_sign_in(client: Client, ground: Ground, device: str) -> None:
    _, answer = await _exchange(client, ground, **{HEADER: device})
    assert (answer.status, (await answer.json())["code"]) == (400, "device_invalid")


async def test_an_old_cookie_is_not_taken_over(client: Client, ground: Ground) -> None:
    planted = new_device()
    _, answer = await _exchange(client, ground, Cookie=f"{COOKIE}={planted}")
    assert planted not in answer.headers["Set-Cookie"]


async def test_tokens_are_renewed_and_a_stolen_one_ends_the_sign_in(client: Client, ground: Ground) -> None:
    order, answer = await _exchange(client, ground, **walk.DEVICE)
    assert "Set-Cookie" not in answer.headers
    first = await answer.json()

    async def renew(token: str, **headers: str) -> ClientResponse:
        sent = {"refresh_token": token}
        return await client.post("/v1/tokens/refresh", json=sent, headers=headers or walk.DEVICE)

    second = await (await renew(first["refresh_token"])).json()
    assert set(second) == set(first)
    assert (
        await client.get(f"/v1/orders/{order}", headers=walk.bearer(second["access_token"]))
    ).status == 200
    repeated = await (await renew(first["refresh_token"])).json()
    third = await (await renew(repeated["refresh_token"])).json()
    again = await renew(first["refresh_token"])
    assert (again.status, (await again.json())["code"]) == (401, "refresh_refused")
    for token in (first, second, repeated, third):
        answer = await client.get(f"/v1/orders/{order}", headers=walk.bearer(token["access_token"]))
        assert answer.status == 401
    assert (await renew(third["refresh_token"])).status == 401
    assert (await renew(new_device())).status == 401
    assert (await renew("?" * 43)).status == 422


async def test_guesses_at_tokens_are_limited_and_keep_nobody_behind_the_same_address_from_renewing(
    client: Client, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_in, "REFRESHES_PER_ADDRESS", Limit("refresh.address", 2, 600))
    _, answer = await _exchange(client, ground, **walk.DEVICE)
    mine = (await answer.json())["refresh_token"]

    async def renew(token: str) -> ClientResponse:
        return await client.post("/v1/tokens/refresh", json={"refresh_token": token}, headers=walk.DEVICE)

    assert [(await renew(new_device())).status for _ in range(4)] == [401, 401, 429, 429]
    for _ in range(4):
        renewed = await renew(mine)
        assert renewed.status == 200
        mine = (await renewed.json())["refresh_token"]


async def test_signing_out_leaves_nothing_to_renew_with(client: Client, ground: Ground) -> None:
    _, answer = await _exchange(client, ground, **walk.DEVICE)
    made = await answer.json()
    out = await client.post("/v1/token/revocation", headers=walk.bearer(made["access_token"]))
    assert out.status == 200
    sent = {"refresh_token": made["refresh_token"]}
    assert (await client.post("/v1/tokens/refresh", json=sent, headers=walk.DEVICE)).status == 401


async def test_guessing_at_a_name_from_everywhere_does_not_lock_its_owner_out(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.access.passwords.LOG2_N", 4)
    monkeypatch.setattr("app.access.staff_sign_in.SIGN_INS_PER_NAME", replace(SIGN_INS_PER_NAME, hits=6))
    settings = replace(ground.services.settings, trusted_proxies=(PROXY,))
    ground.services = replace(ground.services, settings=settings)
    async with ground.services.sessions.begin() as session:
        await ground.services.staff.create(session, NewAccount("wang", PASSWORD, Role.COURIER, "kaika"))

    async with _without_cookies(ground) as client:

        async def sign_in(password: str, address: str, device: str) -> int:
            headers = {"X-Forwarded-For": address, HEADER: device}
            body = {"username": "wang", "password": password}
            return (await client.post("/v1/staff/token", json=body, headers=headers)).status

        own = new_device()
        assert await sign_in(PASSWORD, "192.0.2.1", own) == 200
        guesses = [await sign_in("wrong", f"198.51.100.{number}", new_device()) for number in range(8)]
        assert guesses == [*[401] * 5, *[429] * 3]
        assert await sign_in(PASSWORD, "203.0.113.9", new_device()) == 429
        assert await sign_in(PASSWORD, "192.0.2.1", own) == 200
        assert await sign_in(PASSWORD, "203.0.113.9", own) == 200


async def test_searching_numbers_has_a_limit(
    client: Client, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.http.numbers.NUMBERS_PER_ADDRESS", Limit("numbers.address", 2, 600))
    statuses = [(await client.get("/v1/numbers")).status for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert SIGN_INS_PER_NAME_AND_ADDRESS.hits < SIGN_INS_PER_NAME.hits


async def test_a_token_that_outlives_its_order_finds_nothing(client: Client, ground: Ground) -> None:
    order, answer = await _exchange(client, ground, **walk.DEVICE)
    headers = walk.bearer((await answer.json())["access_token"])
    async with ground.services.sessions.begin() as session:
        await session.execute(sa.delete(OrderRow))
    for method, path in (("GET", ""), ("POST", "/cancellation"), ("POST", "/confirmation")):
        body = {"reading_digest": "0" * 64} if path == "/confirmation" else None
        url = f"/v1/orders/{order}{path}"
        gone = await client.request(method, url, headers={**headers, **walk.key()}, json=body)
        assert (gone.status, (await gone.json())["code"]) == (404, "not_found")
