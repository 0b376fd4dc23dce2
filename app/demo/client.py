"""The public API as a phone, a courier's device or an operator's desk sees it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp

from app.access.devices import HEADER, new_device

REQUEST_SECONDS = 60.0
POLL_SECONDS = 0.25
START_SECONDS = 60.0
RENEW_BEFORE_SECONDS = 60.0

Json = dict[str, Any]


class Unexpected(RuntimeError):
    """The server answered otherwise than the demo expects; holds its problem."""

    def __init__(self, method: str, path: str, status: int, problem: Json) -> None:
        said = problem.get("detail") or problem.get("title") or ""
        super().__init__(f"{method} {path}: {status} {problem.get('code', '')} {said}")
        self.status = status
        self.problem = problem

    @property
    def code(self) -> str:
        return str(self.problem.get("code", ""))


@dataclass
class Api:
    """One caller on one device. `token`: what it signs in with, once it has; renewed before it ends."""

    base: str
    session: aiohttp.ClientSession
    token: str | None = field(default=None, repr=False)
    device: str = field(default_factory=new_device, repr=False)
    _refresh: str | None = field(default=None, repr=False)
    _renew_at: float = 0.0
    _renewing: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    def signed_in(self, made: Json) -> None:
        """Keeps the tokens that a sign-in or a refresh gave."""
        self.token, self._refresh = made["access_token"], made["refresh_token"]
        self._renew_at = time.monotonic() + made["expires_in"] - RENEW_BEFORE_SECONDS

    def as_another(self) -> Api:
        """The same server, called by somebody else."""
        return Api(self.base, self.session)

    async def get(self, path: str, **query: str | int) -> Any:
        return await self._call("GET", path, params={name: str(value) for name, value in query.items()})

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """JSON there and back, with an idempotency key of its own."""
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        return await self._call("POST", path, headers=headers, json=dict(body or {}))

    async def send(self, method: str, path: str, media_type: str, data: bytes) -> Any:
        """Raw bytes."""
        headers = {"Content-Type": media_type, "Idempotency-Key": secrets.token_hex(16)}
        return await self._call(method, path, headers=headers, data=data)

    async def _call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **body: Any
    ) -> Any:
        await self._renew()
        return await self._send(method, path, headers, **body)

    async def _renew(self) -> None:
        """A new token where the old one ends soon; once, however many calls are waiting."""
        async with self._renewing:
            if self._refresh is not None and time.monotonic() > self._renew_at:
                given, self._refresh = {"refresh_token": self._refresh}, None
                self.signed_in(await self._send("POST", "/v1/tokens/refresh", json=given))

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **body: Any
    ) -> Any:
        sent = {"Accept-Language": "en", HEADER: self.device, **(headers or {})}
        if self.token is not None:
            sent["Authorization"] = f"Bearer {self.token}"
        async with self.session.request(method, self.base + path, headers=sent, **body) as answer:
            found = await answer.json(content_type=None) if answer.content_length != 0 else {}
            if answer.status >= 400:
                raise Unexpected(method, path, answer.status, found if isinstance(found, dict) else {})
            return found


class Server:
    """Async context manager: a session towards `base`."""

    def __init__(self, base: str) -> None:
        self._base = base

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
        self._session = aiohttp.ClientSession(timeout=timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    def caller(self) -> Api:
        return Api(self._base, self._session)

    async def ready(self, waiting: Callable[[float], None]) -> None:
        """Returns when `/readyz` says so. waiting: called while it does not. Raises TimeoutError."""
        began = time.monotonic()
        async with asyncio.timeout(START_SECONDS):
            while True:
                with contextlib.suppress(aiohttp.ClientError, Unexpected, OSError):
                    await self.caller().get("/readyz")
                    return
                waiting(began)
                await asyncio.sleep(POLL_SECONDS)
