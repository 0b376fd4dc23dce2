"""What one connection may cost before a request is understood: so many at once, so long for a head.

Bodies have their own limits (`app.http.bodies`), heads 8 KB a line and 8 KB a header (aiohttp's parser). An
address is counted as for rate limits; a trusted proxy speaks for many and is not counted.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Collection
from typing import cast

from aiohttp.web_protocol import RequestHandler

from app.http.callers import one_household

HEAD_SECONDS = 15.0
"""From the connection, or the first byte of a later request, to the end of its head."""
UNSENT_MS = 30_000
"""An answer that the other end does not take is given up after this long (TCP_USER_TIMEOUT)."""
CONNECTIONS = 4096
"""Open connections of one process."""


class ConnectionCounts:
    """Open connections by address. exempt: addresses that are not counted."""

    def __init__(self, per_address: int, exempt: Collection[str] = (), most: int = CONNECTIONS) -> None:
        self._per_address = per_address
        self._exempt = frozenset(exempt)
        self._most = most
        self._open: Counter[str] = Counter()

    def enter(self, peer: str) -> str | None:
        """The name to `leave` with; None where there is no room for one more."""
        address = peer if peer in self._exempt else one_household(peer)
        full = address not in self._exempt and self._open[address] >= self._per_address
        if full or self._open.total() >= self._most:
            return None
        self._open[address] += 1
        return address

    def leave(self, address: str) -> None:
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]


class BoundedConnection(RequestHandler):
    """A connection that is closed without a word where it is one too many, or slow with a request's head."""

    __slots__ = ("_address", "_counts", "_head_timer")

    def bounded_by(self, counts: ConnectionCounts) -> None:
        """Called before the connection is made."""
        self._counts = counts
        self._address: str | None = None
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername") or ("",)
        self._address = self._counts.enter(str(peer[0]))
        super().connection_made(transport)
        if self._address is None:
            cast(asyncio.Transport, transport).abort()
            return
        connected = transport.get_extra_info("socket")
        if connected is not None and connected.family in (socket.AF_INET, socket.AF_INET6):
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNSENT_MS)
        self._expect_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._address is not None:
            self._counts.leave(self._address)
            self._address = None
        self._head_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = self._request_count
        super().data_received(data)
        if self._request_count > before:
            self._head_came()
        elif data and self._current_request is None and not self._messages:
            self._expect_head()

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self._loop.call_later(HEAD_SECONDS, self._late)

    def _head_came(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _late(self) -> None:
        self._head_timer = None
        if self.transport is not None:
            self.transport.abort()
