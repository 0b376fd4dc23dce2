"""Evidence goes out chunk by chunk; where a later chunk does not open, nobody takes a part for the whole."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from aiohttp import ClientPayloadError, web
from aiohttp.test_utils import TestClient, TestServer

from app.http.evidence import _all_of
from media.vault import EvidenceUnreadable

CHUNK = b"x" * (1 << 20)


class Chunks:
    """`Vault.read` of three chunks; damaged: the last one does not open."""

    def __init__(self, *, damaged: bool) -> None:
        self.damaged, self.closed = damaged, False

    async def read(self) -> AsyncGenerator[bytes, None]:
        try:
            yield CHUNK
            yield CHUNK
            if self.damaged:
                raise EvidenceUnreadable("changed")
            yield CHUNK
        finally:
            self.closed = True


@pytest.mark.parametrize("damaged", [False, True])
async def test_a_stream_is_whole_or_broken_off(damaged: bool) -> None:
    chunks = Chunks(damaged=damaged)

    async def give(_: web.Request) -> web.Response:
        pieces = chunks.read()
        first = await anext(pieces)
        return web.Response(body=_all_of(first, pieces), headers={"Content-Length": str(3 * len(CHUNK))})

    application = web.Application()
    application.router.add_get("/", give)
    async with TestClient(TestServer(application)) as client, client.get("/") as answer:
        if damaged:
            with pytest.raises(ClientPayloadError):
                await answer.read()
        else:
            assert await answer.read() == 3 * CHUNK
    assert chunks.closed
