"""The work of one session in the shared pools: one look and one reading at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from media.videocheck import limits
from media.videocheck.pools import AnalysisPools

T = TypeVar("T")


class Jobs:
    """A thread cannot be cancelled, so what is under way is waited for before anything closes."""

    def __init__(self, pools: AnalysisPools) -> None:
        self._pools = pools
        self._looking: asyncio.Future[Any] | None = None
        self._reading: asyncio.Future[None] | None = None

    async def look(self, work: Callable[[], T]) -> T:
        """Waits for `work`; it goes on where the waiting is cancelled."""
        look = self._looking = self._pools.look(work)
        return await asyncio.shield(look)

    def read(self, work: Callable[[], None]) -> bool:
        """Starts `work` behind the guidance; False while another reading is under way. Raises its fault."""
        if self._reading is not None:
            if not self._reading.done():
                return False
            self._reading.result()
        self._reading = self._pools.read(work)
        return True

    async def last_reading(self) -> None:
        """Until nothing is being read. Raises the reading's fault."""
        if self._reading is not None:
            await asyncio.shield(self._reading)

    async def settle(self) -> bool:
        """Until nothing is under way, whatever becomes of it. False: a thread is given up."""
        under_way = [each for each in (self._looking, self._reading) if each is not None]
        if not under_way:
            return True
        over = asyncio.gather(*under_way, return_exceptions=True)
        await asyncio.wait([over], timeout=limits.SETTLE_SECONDS)
        for late in (each for each in under_way if not each.done()):
            self._pools.give_up(late)
        return over.done()
