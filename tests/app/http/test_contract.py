"""Whatever is sent, the answer is a problem that says what is wrong and never repeats what was sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientResponse
from sqlalchemy.exc import OperationalError

from app.texts.text import Locale, preferred_locale
from tests.app.ground import Ground
from tests.app.http import walking as walk
from tests.app.http.conftest import Client

JSON = {"Content-Type": "application/json"}
SECRET = "13912345678"

_GOOD = json.dumps(walk.order_body()).encode()
BODIES = {
    "empty": (b"", 400, "not_json"),
    "no JSON": (b"hello", 400, "not_json"),
    "cut off": (_GOOD[:-4], 400, "not_json"),
    "not UTF-8": ('{"msisdn": "é"}'.encode("latin-1"), 400, "not_json"),
    "UTF-16": (_GOOD.decode().encode("utf-16"), 400, "not_json"),
    "byte order mark": (b"\xef\xbb\xbf" + _GOOD, 400, "not_json"),
    "deep": (b'{"msisdn":' + b"[" * 20_000 + b"]" * 20_000 + b"}", 400, "not_json"),
    "huge number": (b'{"msisdn":' + b"9" * 60_000 + b"}", 400, "not_json"),
    "NUL": (b'{"msisdn": "138\\u000000001"}', 400, "not_json"),
    "lone surrogate": (b'{"msisdn": "\\ud800"}', 400, "not_json"),
    "control character": (b'{"msisdn": "\x01"}', 400, "not_json"),
    "a list": (b"[]", 422, "invalid_request"),
    "null": (b"null", 422, "invalid_request"),
    "a string": (b'"x"', 422, "invalid_request"),
    "no members": (b"{}", 422, "invalid_request"),
    "number for text": (b'{"msisdn": 13800000001}', 422, "invalid_request"),
    "infinite": (b'{"msisdn": 1e999, "contact_phone": NaN}', 422, "invalid_request"),
    "unknown member": (_GOOD[:-1] + b', "' + SECRET.encode() + b'": 1}', 422, "invalid_request"),
    "too long": (json.dumps(walk.order_body() | {"locale": "x" * 1000}).encode(), 422, "invalid_request"),
    "too large": (b" " * (64 * 1024) + _GOOD, 413, "body_too_large"),
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_bad_body_is_a_problem(client: Client, name: str) -> None:
    data, status, code = BODIES[name]
    answer = await client.post("/v1/orders", data=data, headers={**JSON, **walk.key()})
    problem = await _problem(answer)
    assert (answer.status, problem["code"]) == (status, code)


async def test_what_is_wrong_is_named_and_what_was_sent_is_not_repeated(client: Client) -> None:
    body = walk.order_body(phone=SECRET[:-1]) | {SECRET: SECRET}
    body["delivery"] |= {"address": "x"}
    answer = await client.post("/v1/orders", json=body, headers={**walk.key(), "Accept-Language": "en-GB"})
    text = await answer.text()
    wrong = {error["pointer"]: error["code"] for error in json.loads(text)["errors"]}
    assert wrong == {
        "/contact_phone": "phone",
        "/delivery/address": "string_too_short",
        "/*": "extra_forbidden",
    }
    assert SECRET[:-1] not in text
    assert "Too short." in text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
async def test_another_kind_of_content_is_refused(client: Client, headers: dict[str, str]) -> None:
    skip = None if "Content-Type" in headers else ["Content-Type"]
    answer = await client.post(
        "/v1/orders", data=_GOOD, headers={**headers, **walk.key()}, skip_auto_headers=skip
    )
    problem = await _problem(answer)
    assert (answer.status in (400, 415), problem["code"] in ("wrong_media_type", "request_refused")) == (
        True,
        True,
    )


async def test_an_upload_ends_at_the_first_byte_too_many(client: Client, ground: Ground) -> None:
    order = await walk.open_order(client, ground)
    token = walk.bearer(ground.applicant_token(order))

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(13):
            yield b"x" * 1_000_000

    path = f"/v1/orders/{order}/captures/id_front"
    told = await client.put(path, data=b"x" * 12_000_001, headers={**token, **walk.JPEG})
    assert (told.status, (await told.json())["code"]) == (413, "body_too_large")
    streamed = await client.put(path, data=endless(), headers={**token, **walk.JPEG})
    assert (streamed.status, (await streamed.json())["code"]) == (413, "body_too_large")
    text = await client.put(path, data=b"x", headers={**token, "Content-Type": "text/html"})
    assert text.status == 415


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("limit=0", "/limit", "greater_than_equal"),
        ("limit=x", "/limit", "int_parsing"),
        ("pattern=%27", "/pattern", "string_pattern_mismatch"),
        ("limit=1&limit=2", "/limit", "repeated"),
        ("pattern=%00", "", "bytes_not_text"),
        ("pattern=%ff", "/pattern", "string_pattern_mismatch"),
        (f"{SECRET}=1", "/*", "extra_forbidden"),
    ],
)
async def test_a_bad_query_is_a_problem(client: Client, query: str, pointer: str, code: str) -> None:
    answer = await client.get(f"/v1/numbers?{query}")
    problem = await _problem(answer)
    assert answer.status == 422
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(pointer, code)]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("DELETE", "/v1/orders", 405, "method_not_allowed"),
        ("GET", "/v1/orders/%00", 401, "not_signed_in"),
        ("POST", "/v1/orders/ord_1/codes", 404, "not_found"),
        ("POST", "/v1/orders/%ff%fe/token", 404, "not_found"),
    ],
)
async def test_a_wrong_address_is_a_problem(
    client: Client, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path, json={"code": "000000"})
    assert (answer.status, (await _problem(answer))["code"]) == (status, code)
    assert status != 405 or answer.headers["Allow"] == "POST"


async def test_a_fault_says_nothing_of_itself(
    client: Client, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr("app.http.orders.open_order", broken)
    answer = await client.post("/v1/orders", json=walk.order_body(), headers=walk.key())
    assert (answer.status, (await _problem(answer))["code"]) == (500, "internal_error")
    assert SECRET not in await answer.text()


async def test_a_database_that_is_away_is_no_fault_of_the_client(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise OperationalError(SECRET, {}, OSError(SECRET))

    monkeypatch.setattr("app.http.orders.open_order", away)
    answer = await client.post("/v1/orders", json=walk.order_body(), headers=walk.key())
    assert (answer.status, (await _problem(answer))["code"]) == (503, "busy")
    assert answer.headers["Retry-After"]


async def test_a_client_that_goes_away_half_way_harms_nobody(client: Client) -> None:
    assert client.port is not None
    for sent in (
        b"POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n",
        b"\x16\x03\x01\x02",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        writer.write(sent + b"Content-Length: 100\r\n\r\n{")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert isinstance(reader, asyncio.StreamReader)
    assert (await client.get("/healthz")).status == 200


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        ("", Locale.ZH_CN),
        ("en", Locale.EN),
        ("en-US,en;q=0.9,zh-CN;q=0.8", Locale.EN),
        ("zh-TW, en;q=0.5", Locale.ZH_CN),
        ("fr, de", Locale.ZH_CN),
        ("en;q=0", Locale.ZH_CN),
        ("en;q=nan, zh;q=x", Locale.ZH_CN),
        ("*", Locale.ZH_CN),
        (",;=,q" * 100, Locale.ZH_CN),
    ],
)
def test_the_language_is_the_one_that_is_liked_best(header: str, locale: Locale) -> None:
    assert preferred_locale(header) is locale


async def _problem(response: ClientResponse) -> walk.Json:
    """The problem of an answer; checks its form and that the other language says it otherwise."""
    assert response.content_type == "application/problem+json"
    problem: walk.Json = await response.json()
    assert {"type", "title", "status", "detail", "code", "request_id"} <= set(problem)
    assert problem["status"] == response.status
    assert problem["type"] == f"urn:kaika:problem:{problem['code']}"
    assert problem["request_id"] == response.headers["X-Request-Id"]
    assert any("\u4e00" <= char <= "\u9fff" for char in problem["title"] + problem["detail"])
    return problem
