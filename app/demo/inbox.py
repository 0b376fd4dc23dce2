"""What the applicant's phone received: the sandbox outbox, read over HTTP."""

from __future__ import annotations

import asyncio
import re

from app.demo.client import Api, Json

WAIT_SECONDS = 20.0
POLL_SECONDS = 0.1


class Inbox:
    """Messages to one phone; each is read once."""

    def __init__(self, api: Api, phone: str) -> None:
        self._api = api
        self._phone = phone
        self._read: set[str] = set()

    async def digits(self, kind: str) -> str:
        """The six digits in the next message of `kind`. Raises TimeoutError."""
        return self._found(r"(?<!\d)(\d{6})(?!\d)", await self.next(kind))

    async def activation_code(self) -> str:
        """The code behind `#` in the activation link. Raises TimeoutError."""
        return self._found(r"/activate#([A-Z2-7]+)", await self.next("activation_link"))

    async def next(self, kind: str) -> str:
        """The newest text of `kind` that was not read before; waits for one."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                for message in await self._messages():
                    if message["kind"] == kind and message["key"] not in self._read:
                        self._read.add(message["key"])
                        return str(message["text"])
                await asyncio.sleep(POLL_SECONDS)

    async def _messages(self) -> list[Json]:
        """Newest first."""
        found = await self._api.get("/sandbox/messages", to=self._phone)
        return list(found["messages"])

    @staticmethod
    def _found(pattern: str, text: str) -> str:
        match = re.search(pattern, text)
        if match is None:
            raise ValueError("a message holds no code")
        return match[1]
