"""A key store that is asked for its name before it is believed that it does not have something.

An unmounted folder and the wrong bucket look like a store whose every entry was destroyed. Keys that were
made there would be lost with the next mount, and data whose keys are elsewhere would pass for destroyed.
"""

from __future__ import annotations

from collections.abc import Sequence

from activation.ids import OrderId
from media.keys.ports import KeyStore, KeyStoreAway


class KnownKeyStore:
    """`media.keys.ports.KeyStore`: that of `store_id`, or KeyStoreAway."""

    def __init__(self, store: KeyStore, store_id: str) -> None:
        self._store, self._store_id = store, store_id

    async def get(self, order_id: OrderId) -> bytes | None:
        found = await self._store.get(order_id)
        if found is None:
            await self._check()
        return found

    async def put_if_absent(self, order_id: OrderId, entry: bytes) -> bytes:
        await self._check()
        return await self._store.put_if_absent(order_id, entry)

    async def replace(self, order_id: OrderId, expected: bytes, entry: bytes) -> bool:
        await self._check()
        return await self._store.replace(order_id, expected, entry)

    async def delete(self, order_id: OrderId) -> None:
        await self._check()
        await self._store.delete(order_id)

    async def list(self, after: OrderId | None, limit: int) -> Sequence[OrderId]:
        await self._check()
        return await self._store.list(after, limit)

    async def store_id(self) -> str | None:
        return await self._store.store_id()

    async def name_once(self, store_id: str) -> str:
        return await self._store.name_once(store_id)

    async def _check(self) -> None:
        if await self._store.store_id() != self._store_id:
            raise KeyStoreAway("this is not the key store of this database: unmounted, or another one")
