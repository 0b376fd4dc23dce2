"""An order's API calls at 50 open connections, against bare aiohttp that carries out the same SQL."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from app.access.devices import HEADER, new_device
from app.demo.processes import free_port
from app.demo.stock import fictional_stock
from tests.bench import table

CONNECTIONS = 50
STOCK = 6_000
START_SECONDS = 60.0
CONSENT_VERSION = "2026-1"
NUMBERS = [str(each) for each in fictional_stock(STOCK).numbers]

Wrap = Callable[[str], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def serving(which: str, folder: Path) -> AsyncIterator[str]:
    """The server in a process of its own; its address."""
    port = free_port()
    environ = {**os.environ, "KAIKA_DATA_DIR": str(folder), "KAIKA_CAPTURE_WORKERS": "1"}
    command = (sys.executable, "-m", "tests.bench.api_server", which, str(port), str(folder))
    process = await asyncio.create_subprocess_exec(*command, env=environ)
    try:
        async with asyncio.timeout(START_SECONDS):
            while process.returncode is None and not await _listens(port):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        if process.returncode is not None:
            raise RuntimeError(f"the {which} server did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@asynccontextmanager
async def _nothing(_name: str) -> AsyncIterator[None]:
    yield


class Phone:
    """One connection that opens orders; remembers how long each call took."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session, self._base = session, base
        self.took: list[float] = []
        self.device = new_device()

    async def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, token: str = "", timed: bool = True
    ) -> dict[str, Any]:
        headers = {"Idempotency-Key": secrets.token_hex(16)} if method == "POST" else {}
        headers[HEADER] = self.device
        if token:
            headers["Authorization"] = f"Bearer {token}"
        began = time.perf_counter()
        async with self._session.request(method, self._base + path, json=body, headers=headers) as answer:
            found: dict[str, Any] = await answer.json(content_type=None) if answer.status < 500 else {}
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.status} {found.get('code')}")
        if timed:
            self.took.append((time.perf_counter() - began) * 1000)
        return found

    async def order(self, number: str, wrap: Wrap = _nothing) -> None:
        """The calls of one order up to its captures. wrap: what is done around each call, by its name."""
        contact = f"139{secrets.randbelow(10**8):08d}"
        body = {
            "msisdn": number,
            "contact_phone": contact,
            "delivery": {"address": "北京市东城区样本路 1 号", "region": "北京"},
            "locale": "zh-CN",
        }
        async with wrap("search"):
            await self.ask("GET", "/v1/numbers?pattern=199*&limit=20")
        async with wrap("order"):
            order = (await self.ask("POST", "/v1/orders", body))["order_id"]
        outbox = await self.ask("GET", f"/sandbox/messages?to={contact}", timed=False)
        code = re.findall(r"(?<!\d)\d{6}(?!\d)", outbox["messages"][0]["text"])[0]
        async with wrap("token"):
            token = (await self.ask("POST", f"/v1/orders/{order}/token", {"code": code}))["access_token"]
        for kind in ("terms", "identity"):
            consent = {"kind": kind, "version": CONSENT_VERSION, "given": True}
            async with wrap("consent"):
                await self.ask("POST", f"/v1/orders/{order}/consents", consent, token)
        async with wrap("read"):
            await self.ask("GET", f"/v1/orders/{order}", None, token)

    async def bare_order(self) -> None:
        """As many calls, of the same kinds."""
        await self.ask("GET", "/bare/search")
        await self.ask("POST", "/bare/order", {"msisdn": "19900000000"})
        await self.ask("POST", "/bare/token", {"code": "000000"})
        for _ in range(2):
            await self.ask("POST", "/bare/consent", {"kind": "terms"})
        await self.ask("GET", "/bare/read")


async def ours(folder: Path, orders: int) -> list[float]:
    """Records the SQL of one order's calls, then measures; milliseconds of every call."""
    from tests.bench.furnish import furnish_numbers

    async with serving("ours", folder) as base, aiohttp.ClientSession(raise_for_status=True) as session:
        await asyncio.to_thread(furnish_numbers, folder, STOCK)
        first = Phone(session, base)
        await first.order(NUMBERS[0])

        @asynccontextmanager
        async def recorded(name: str) -> AsyncIterator[None]:
            await session.post(f"{base}/bench/record/{name}")
            yield
            await session.post(f"{base}/bench/stop")

        await first.order(NUMBERS[1], recorded)
        await session.post(f"{base}/bench/save")
        left = iter(NUMBERS[2 : 2 + orders])
        return await together(base, lambda phone: phone.order(next(left)), orders)


async def bare(folder: Path, orders: int) -> list[float]:
    async with serving("bare", folder) as base:
        return await together(base, lambda phone: phone.bare_order(), orders)


async def together(base: str, work: Callable[[Phone], Awaitable[None]], orders: int) -> list[float]:
    """CONNECTIONS phones at once, until so many orders are made."""
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:
        phones = [Phone(session, base) for _ in range(CONNECTIONS)]

        async def one(phone: Phone) -> None:
            for _ in range(orders // CONNECTIONS):
                await work(phone)

        await asyncio.gather(*map(one, phones))
    return [each for phone in phones for each in phone.took]


async def run(quick: bool, _recogniser: str, _models: Path) -> None:
    orders = 100 if quick else 1500
    table.heading(
        f"An order's API calls, {CONNECTIONS} connections",
        "Number search, order, token, two consents, state. The baseline is bare aiohttp, one handler\n"
        "for each call, that carries out the statements and transactions that ours was seen to carry out.",
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mine = await ours(folder, orders)
        theirs = await bare(folder, orders)
    note = f"n = {len(mine)} calls"
    table.line("median", table.percentile(mine, 50), table.percentile(theirs, 50), "ms", note)
    table.line("p95", table.percentile(mine, 95), table.percentile(theirs, 95), "ms", note)
