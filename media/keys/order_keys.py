"""The orders' keys, taken from key store and key service and remembered for a short time."""

from __future__ import annotations

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from activation.ids import OrderId
from activation.order_keys import KEY_BYTES, OrderKey, OrderKeyGone, OrderKeysFault, Unreadable
from media.keys.ports import KeyService, KeyStore

#: A key that another process has destroyed may be remembered here for so long, seconds.
REMEMBERED_SECONDS = 30.0
#: Longest wait for one key, seconds, whatever store and service are doing; a transaction may be open.
DEADLINE_SECONDS = 10.0
#: Keys remembered at once; the one that was used longest ago is forgotten.
REMEMBERED = 10_000


@dataclass(frozen=True, repr=False)
class _Known:
    """entry: what the store held when the key was unwrapped. until: monotonic seconds."""

    key: OrderKey
    entry: bytes
    until: float


class StoredOrderKeys:
    """`activation.order_keys.OrderKeys`. clock: monotonic seconds.

    Calls for one order at the same moment ask store and service once.
    """

    def __init__(
        self,
        store: KeyStore,
        service: KeyService,
        clock: Callable[[], float] = time.monotonic,
        *,
        most: int = REMEMBERED,
        seconds: float = REMEMBERED_SECONDS,
        deadline: float = DEADLINE_SECONDS,
    ) -> None:
        self.store, self.service = store, service
        self._deadline = deadline
        self._clock, self._most, self._seconds = clock, most, seconds
        self._known: OrderedDict[OrderId, _Known] = OrderedDict()
        self._asking: dict[OrderId, asyncio.Task[OrderKey]] = {}
        self._destroyed = 0  # how often; what was asked for before a destruction is not remembered after it

    async def create(self, order_id: OrderId) -> OrderKey:
        """Asks the store each time: whoever seals with the key next must not have one that is destroyed."""
        async with self._in_time():
            return await self._create(OrderId(order_id))

    async def _create(self, order_id: OrderId) -> OrderKey:
        before = self._destroyed
        if (standing := await self.store.get(order_id)) is not None:
            return await self._key_of(order_id, standing, before)
        made = OrderKey(order_id, os.urandom(KEY_BYTES))
        wrapped = await self.service.wrap(order_id, made.secret)
        standing = await self.store.put_if_absent(order_id, wrapped)
        if standing != wrapped:
            return await self._key_of(order_id, standing, before)
        self._remember(made, wrapped, before)
        return made

    async def of(self, order_id: OrderId) -> OrderKey:
        if (known := self._remembered(order_id)) is not None:
            return known
        asking = self._asking.get(order_id)
        if asking is None or asking.get_loop() is not asyncio.get_running_loop():
            asking = asyncio.ensure_future(self._ask(OrderId(order_id)))
            self._asking[order_id] = asking
            asking.add_done_callback(lambda ended: self._answered(order_id, ended))
        # Whoever waits may be cancelled; the others still get their answer.
        return await asyncio.shield(asking)

    async def destroy(self, order_id: OrderId) -> None:
        self._forget(order_id)
        await self.store.delete(order_id)
        self._forget(order_id)

    async def _ask(self, order_id: OrderId) -> OrderKey:
        before = self._destroyed
        async with self._in_time():
            wrapped = await self.store.get(order_id)
            if wrapped is None:
                raise OrderKeyGone("there is no key of this order")
            return await self._key_of(order_id, wrapped, before)

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._deadline):
                yield
        except TimeoutError:
            raise OrderKeysFault("key store or key service gave no answer in time") from None

    async def _key_of(self, order_id: OrderId, entry: bytes, destroyed_before: int) -> OrderKey:
        known = self._still_known(order_id)
        if known is not None and known.entry == entry:
            return known.key
        key = await self._unwrap(order_id, entry)
        self._remember(key, entry, destroyed_before)
        return key

    async def _unwrap(self, order_id: OrderId, wrapped: bytes) -> OrderKey:
        secret = await self.service.unwrap(order_id, wrapped)
        if len(secret) != KEY_BYTES:
            raise Unreadable("what was unwrapped is not an order's key")
        return OrderKey(order_id, secret)

    def _answered(self, order_id: OrderId, ended: asyncio.Task[OrderKey]) -> None:
        if self._asking.get(order_id) is ended:
            del self._asking[order_id]
        if not ended.cancelled():
            ended.exception()  # whoever asked has it; where all were cancelled nobody does

    def _remembered(self, order_id: OrderId) -> OrderKey | None:
        known = self._still_known(order_id)
        if known is None:
            return None
        self._known.move_to_end(order_id)
        return known.key

    def _still_known(self, order_id: OrderId) -> _Known | None:
        known = self._known.get(order_id)
        if known is not None and self._clock() >= known.until:
            del self._known[order_id]
            return None
        return known

    def _remember(self, key: OrderKey, entry: bytes, destroyed_before: int) -> None:
        if destroyed_before != self._destroyed:
            return
        known = _Known(key, entry, self._clock() + self._seconds)
        self._known[key.order] = known
        self._known.move_to_end(key.order)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        # No key stays in memory because nobody asks for it any more.
        asyncio.get_running_loop().call_later(self._seconds, self._lapse, known)

    def _lapse(self, known: _Known) -> None:
        if self._known.get(known.key.order) is known:
            del self._known[known.key.order]

    def _forget(self, order_id: OrderId) -> None:
        self._destroyed += 1
        self._known.pop(order_id, None)
        self._asking.pop(order_id, None)
