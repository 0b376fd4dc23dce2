"""A message gateway over HTTP: `POST url` with `{"to", "text", "kind"}`, once per Idempotency-Key.

Any 2xx means taken. Operators put a small translator in front of their SMS centre. A fault's text shows
neither the receiver nor what the message says.
"""

from __future__ import annotations

import asyncio

import aiohttp

from activation.adapters.message_texts import text_of
from activation.ids import Msisdn
from activation.ports import MessageKind, MessagesFault

TIMEOUT_SECONDS = 5.0
AT_ONCE = 8


class HttpMessages:
    """`activation.ports.Messages`. token: bearer token, None where the gateway needs none."""

    def __init__(self, url: str, token: str | None = None, timeout: float = TIMEOUT_SECONDS) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._session: aiohttp.ClientSession | None = None

    async def send(
        self, to: Msisdn, kind: MessageKind, values: dict[str, str], locale: str, idempotency_key: str
    ) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout, headers=self._headers)
        body = {"to": f"+{to.international}", "kind": kind.value, "text": text_of(kind, values, locale)}
        headers = {"Idempotency-Key": idempotency_key}
        try:
            async with (
                self._slots,
                self._session.post(self._url, json=body, headers=headers, allow_redirects=False) as answer,
            ):
                if not 200 <= answer.status < 300:
                    raise MessagesFault(f"the message gateway answered {answer.status}")
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise MessagesFault(f"the message gateway could not be asked ({type(error).__name__})") from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
