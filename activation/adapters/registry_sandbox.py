"""A stand-in for the national registry, for development: a small HTTP server of fictional citizens.

It knows who was registered with it (`POST /sandbox/citizens`) and answers as the real one would; and it
can be told to answer otherwise, for one document number or for everybody (`POST /sandbox/modes`):
match, mismatch, unknown, slow, failing, nonsense. Everything is kept in memory.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from activation.normal import normal_name, normal_number

SLOW_SECONDS = 8.0
MAX_BODY_BYTES = 16_384
MAX_CITIZENS = 100_000
EVERYBODY = "*"


class Mode(StrEnum):
    """HONEST answers from the citizens that are known."""

    HONEST = "honest"
    MATCH = "match"
    MISMATCH = "mismatch"
    UNKNOWN = "unknown"
    SLOW = "slow"
    FAILING = "failing"
    NONSENSE = "nonsense"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Citizen(_Body):
    name: str = Field(min_length=1, max_length=64)
    number: str = Field(min_length=1, max_length=32)


class ModeWanted(_Body):
    """number: a document number, or `*` for everybody who has no mode of their own."""

    number: str = Field(default=EVERYBODY, max_length=32)
    mode: Mode


B = TypeVar("B", bound=_Body)


@dataclass
class SandboxRegistry:
    """Its whole state. asked: comparisons by idempotency key; the same key gets the same answer."""

    slow_seconds: float = SLOW_SECONDS
    citizens: dict[str, str] = field(default_factory=dict)
    modes: dict[str, Mode] = field(default_factory=lambda: {EVERYBODY: Mode.HONEST})
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    calls: int = 0
    _references: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def application(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.add_routes(
            [
                web.post("/v1/comparisons", self._compare),
                web.post("/sandbox/citizens", self._register),
                web.post("/sandbox/modes", self._set_mode),
                web.get("/sandbox/calls", self._count),
                web.get("/healthz", self._healthy),
            ]
        )
        return app

    async def _compare(self, request: web.Request) -> web.StreamResponse:
        self.calls += 1
        citizen = await _read(request, Citizen)
        number = normal_number(citizen.number)
        mode = self.modes.get(number, self.modes[EVERYBODY])
        if mode is Mode.SLOW:
            await asyncio.sleep(self.slow_seconds)
        if mode is Mode.FAILING:
            raise web.HTTPServiceUnavailable
        if mode is Mode.NONSENSE:
            return web.Response(text="<html>maintenance</html>", content_type="text/html")
        key = request.headers.get("Idempotency-Key", "")
        answer = self.asked.get(key) or self._answer(citizen, number, mode)
        if key and len(self.asked) < MAX_CITIZENS:
            self.asked[key] = answer
        return web.json_response(answer)

    def _answer(self, citizen: Citizen, number: str, mode: Mode) -> dict[str, str]:
        verdict = mode.value
        if mode in (Mode.HONEST, Mode.SLOW):
            known = self.citizens.get(number)
            same = known == normal_name(citizen.name)
            verdict = Mode.UNKNOWN if known is None else Mode.MATCH if same else Mode.MISMATCH
        return {"verdict": verdict, "reference": f"sandbox-{next(self._references)}"}

    async def _register(self, request: web.Request) -> web.StreamResponse:
        citizen = await _read(request, Citizen)
        if len(self.citizens) >= MAX_CITIZENS:
            raise web.HTTPInsufficientStorage
        self.citizens[normal_number(citizen.number)] = normal_name(citizen.name)
        return web.Response(status=204)

    async def _set_mode(self, request: web.Request) -> web.StreamResponse:
        wanted = await _read(request, ModeWanted)
        number = EVERYBODY if wanted.number == EVERYBODY else normal_number(wanted.number)
        self.modes[number] = wanted.mode
        return web.Response(status=204)

    async def _count(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response({"calls": self.calls})

    async def _healthy(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(text="ok")


async def _read(request: web.Request, kind: type[B]) -> B:
    try:
        return kind.model_validate_json(await request.read())
    except ValidationError as error:
        raise web.HTTPUnprocessableEntity(text=f"{error.error_count()} fields are wrong") from None
