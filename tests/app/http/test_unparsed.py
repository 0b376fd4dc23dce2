"""Bytes that are no HTTP, over a real connection: a problem, nothing repeated, the server goes on."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp import ClientSession, web
from aiohttp.web import Application

from app.http.unparsed import Runner

SECRET = "13900000001-Zhang-San"
RUBBISH = {
    "header too long": f"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Name: {SECRET}{'Z' * 9000}\r\n\r\n",
    "control character": f"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Name: {SECRET}\x01\r\n\r\n",
    "no method": f"{SECRET} is no request\r\n\r\n",
    "bad query": f"GET /v1/numbers?pattern={SECRET}\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    "two lengths": f"POST /v1/orders HTTP/1.1\r\nHost: {SECRET}\r\nContent-Length: 5\r\nTransfer-Encoding: "
    "chunked\r\n\r\nzz",
}


@pytest.mark.parametrize("what", RUBBISH)
async def test_rubbish_is_answered_with_a_problem_that_repeats_nothing(
    application: Application, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    runner = Runner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(RUBBISH[what].encode())
    async with asyncio.timeout(10):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert head.startswith(b"HTTP/1.0 400 ") or head.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in head
    assert b"aiohttp" not in head
    problem = json.loads(body)
    assert problem["code"] == "request_refused"
    assert problem["request_id"].encode() in head
    for written in (head, body, caplog.text.encode()):
        assert SECRET[:11].encode() not in written
    async with ClientSession() as session, session.get(f"http://127.0.0.1:{port}/healthz") as answer:
        assert (answer.status, answer.headers["Server"]) == (200, "kaika")
    await runner.cleanup()
