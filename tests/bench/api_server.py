"""`python -m tests.bench.api_server ours|bare PORT FOLDER`: our server, or bare aiohttp with its SQL.

`ours` is the whole application on SQLite, with limits that do not bind. `POST /bench/record/NAME` and
`/bench/stop` around one call write down its SQL, transaction by transaction, into FOLDER. `bare` has one
handler for each call, which carries out the same statements on the same kind of engine, with fresh keys.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import secrets
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from activation.adapters.sql.engine import open_engine, open_readers
from app.access.rates import Rates
from app.config import load_settings
from app.logs import configure_logs
from app.server import build_app
from app.wiring import now, open_services

LIMITS_FACTOR = 1_000_000
#: Values this long are keys and sealed fields: fresh for each replay, and the same within one.
KEY_LENGTH = 20
NUMBER_LENGTH = 11

Statement = tuple[str, tuple[Any, ...]]


@dataclass
class Recorder:
    """Transactions of the calls that were recorded, as the driver got them; BEGIN comes first."""

    engine: AsyncEngine
    calls: dict[str, list[list[Statement]]] = field(default_factory=dict)
    _now: str | None = None

    def listen(self) -> None:
        sa.event.listen(self.engine.sync_engine, "before_cursor_execute", self._execute)

    async def start(self, request: web.Request) -> web.Response:
        self._now = request.match_info["name"]
        self.calls[self._now] = []
        return web.Response()

    async def stop(self, _request: web.Request) -> web.Response:
        self._now = None
        return web.Response()

    def _execute(
        self, _c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool
    ) -> None:
        background = "executors" in statement or "dbos" in statement.lower()
        if self._now is None or many or background:
            return
        transactions = self.calls[self._now]
        if statement.startswith("BEGIN"):
            transactions.append([])
        if transactions:
            kept = tuple(bytes(each) if isinstance(each, memoryview) else each for each in parameters)
            transactions[-1].append((statement, kept))


async def ours(stack: AsyncExitStack, folder: Path) -> web.Application:
    services = await stack.enter_async_context(open_services(load_settings()))
    recorder = Recorder(services.engine)
    recorder.listen()
    free = Rates(services.sessions, services.keys.fields, now, factor=LIMITS_FACTOR)
    application = build_app(replace(services, rates=free))

    async def save(_request: web.Request) -> web.Response:
        calls = {name: [each for each in call if len(each) > 1] for name, call in recorder.calls.items()}
        await asyncio.to_thread((folder / "calls.pickle").write_bytes, pickle.dumps(calls))
        return web.Response()

    application.router.add_post("/bench/record/{name}", recorder.start)
    application.router.add_post("/bench/stop", recorder.stop)
    application.router.add_post("/bench/save", save)
    return application


class Replayed:
    """Parameters of one replay: every key fresh, but the same key the same throughout."""

    def __init__(self, number: str) -> None:
        self._number = number
        self._fresh: dict[str, str] = {}

    def of(self, parameters: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(self._value(value) for value in parameters)

    def _value(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if len(value) == NUMBER_LENGTH and value.isdigit():
            return self._number
        if len(value) < KEY_LENGTH or value[:2] == "20":  # short words and times stay
            return value
        if value not in self._fresh:
            self._fresh[value] = value[:-12] + secrets.token_hex(6)
        return self._fresh[value]


async def bare(stack: AsyncExitStack, folder: Path) -> web.Application:
    stored = await asyncio.to_thread((folder / "calls.pickle").read_bytes)
    calls: dict[str, list[list[Statement]]] = pickle.loads(stored)  # noqa: S301 - written by `ours`
    engine = open_engine(f"sqlite:///{folder / 'kaika.sqlite'}")
    stack.push_async_callback(engine.dispose)
    reading: AsyncEngine = open_readers(engine).kw["bind"]
    numbers = iter(await _free_numbers(engine))

    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        given = json.loads(body) if body else {}
        replayed = Replayed(next(numbers) if request.match_info["name"] == "order" else "19900000000")
        for (begin, _), *statements in calls[request.match_info["name"]]:
            async with (reading if begin == "BEGIN" else engine).begin() as connection:
                for statement, parameters in statements:
                    done = await connection.exec_driver_sql(statement, replayed.of(parameters))
                    if done.returns_rows:
                        done.fetchall()
        return web.json_response({"order_id": "ord_" + "0" * 24, "given": len(given)})

    application = web.Application()
    application.router.add_route("*", "/bare/{name}", handle)
    return application


async def _free_numbers(engine: AsyncEngine) -> list[str]:
    async with engine.begin() as connection:
        rows = await connection.exec_driver_sql("SELECT msisdn FROM numbers WHERE held_by IS NULL")
        return [str(row[0]) for row in rows.fetchall()]


async def main(which: str, port: int, folder: Path) -> None:
    configure_logs("ERROR")
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with AsyncExitStack() as stack:
        application = await (ours if which == "ours" else bare)(stack, folder)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
