"""Orders' keys, wrapped anew under the current key-encryption key."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence

from activation.ids import OrderId
from activation.order_keys import Unreadable
from app.rotation.work import PAGE, Page, Place
from media.keys.ports import KeyService, KeyStore

#: Keys that are asked for at once.
AT_ONCE = 8
UNREADABLE = "unreadable"


class OrderKeysPart:
    """`app.rotation.work.Part` over the key store."""

    name = "order keys"

    def __init__(self, store: KeyStore, service: KeyService) -> None:
        self._store, self._service = store, service

    async def target(self) -> str:
        return await self._service.current()

    async def total(self) -> int:
        return sum([len(page) async for page in self._pages()])

    async def page(self, after: Place | None) -> Page:
        orders = await self._store.list(OrderId(after[0]) if after else None, PAGE)
        current, free = await self._service.current(), asyncio.Semaphore(AT_ONCE)

        async def rewrap(order_id: OrderId) -> bool:
            async with free:
                return await self._rewrap(order_id, current)

        changed = sum(await asyncio.gather(*(rewrap(order_id) for order_id in orders)))
        return Page(len(orders), changed, [orders[-1]] if orders else None)

    async def left(self) -> dict[str, int]:
        found: Counter[str] = Counter()
        async for page in self._pages():
            for entry in await asyncio.gather(*(self._store.get(order_id) for order_id in page)):
                if entry is not None:
                    found[self._wrapped_by(entry)] += 1
        return dict(found)

    async def _rewrap(self, order_id: OrderId, current: str) -> bool:
        """False: it was under the current key, was destroyed meanwhile, or is no key."""
        entry = await self._store.get(order_id)
        if entry is None or self._wrapped_by(entry) in (current, UNREADABLE):
            return False
        try:
            secret = await self._service.unwrap(order_id, entry)
        except Unreadable:
            return False  # `left` goes on counting it
        return await self._store.replace(order_id, entry, await self._service.wrap(order_id, secret))

    def _wrapped_by(self, entry: bytes) -> str:
        try:
            return self._service.wrapped_by(entry)
        except Unreadable:
            return UNREADABLE

    async def _pages(self) -> AsyncIterator[Sequence[OrderId]]:
        after = None
        while page := await self._store.list(after, PAGE):
            yield page
            after = page[-1]
