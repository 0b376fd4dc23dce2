"""Sockets of strangers: so many from one address, so long for a head; others are served meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import ClientSession, web

from app.config import Bounds
from app.http import connections
from app.http.connections import ConnectionCounts
from app.http.unparsed import Runner
from app.server import build_app
from tests.app.ground import Ground

ADDRESS = "127.0.0.1"
HEAD = f"GET /healthz HTTP/1.1\r\nHost: {ADDRESS}\r\n"


@pytest.fixture
async def port(ground: Ground) -> AsyncIterator[int]:
    """The server as it is run, with three connections for each address."""
    settings = replace(ground.services.settings, bounds=Bounds(connections_per_address=3))
    ground.services = replace(ground.services, settings=settings)
    runner = Runner(build_app(ground.services), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, ADDRESS, 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


async def _until_closed(reader: asyncio.StreamReader) -> bytes:
    """What came before the connection was closed."""
    async with asyncio.timeout(10):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


async def _status(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(10):
        return (await reader.readuntil(b"\r\n")).split()[1]


async def _is_served(port: int) -> bool:
    try:
        async with ClientSession() as session, session.get(f"http://{ADDRESS}:{port}/healthz") as answer:
            return answer.status == 200
    except OSError:
        return False


async def test_one_connection_too_many_is_closed_and_a_place_becomes_free(port: int) -> None:
    held = [await asyncio.open_connection(ADDRESS, port) for _ in range(3)]
    for reader, writer in held:
        writer.write(f"{HEAD}\r\n".encode())
        assert await _status(reader) == b"200"
    reader, writer = await asyncio.open_connection(ADDRESS, port)
    writer.write(f"{HEAD}\r\n".encode())
    assert await _until_closed(reader) == b""
    for _, each in [*held, (reader, writer)]:
        each.close()
    async with asyncio.timeout(10):
        while not await _is_served(port):  # noqa: ASYNC110 - until the server has seen one of them go
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("sent", ["", HEAD, f"{HEAD}X-Slow: "])
async def test_a_slow_head_is_not_waited_for(port: int, monkeypatch: pytest.MonkeyPatch, sent: str) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    reader, writer = await asyncio.open_connection(ADDRESS, port)
    writer.write(sent.encode())
    assert await _until_closed(reader) == b""
    writer.close()


async def test_a_slow_second_head_is_not_waited_for(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = await asyncio.open_connection(ADDRESS, port)
    writer.write(f"{HEAD}\r\n".encode())
    assert await _status(reader) == b"200"
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    writer.write(HEAD.encode())
    assert b"HTTP/1.1" not in await _until_closed(reader)
    writer.close()


async def test_a_quick_head_is_answered_however_long_its_body_takes(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr("app.http.bodies.JSON_SECONDS", 0.6)
    reader, writer = await asyncio.open_connection(ADDRESS, port)
    head = f"POST /v1/activations HTTP/1.1\r\nHost: {ADDRESS}\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: 90\r\n\r\n{{".encode())
    assert await _status(reader) == b"408"
    writer.close()


def test_households_are_counted_and_trusted_proxies_are_not() -> None:
    counts = ConnectionCounts(2, ("10.0.0.1",), most=6)
    assert counts.enter("2001:db8:0:1::1") == counts.enter("2001:db8:0:1::2") == "2001:db8:0:1::/64"
    assert counts.enter("2001:db8:0:1::3") is None
    assert [counts.enter("10.0.0.1") for _ in range(4)] == ["10.0.0.1"] * 4
    assert counts.enter("192.0.2.1") is None  # the process is full
    counts.leave("10.0.0.1")
    assert counts.enter("192.0.2.1") == "192.0.2.1"
