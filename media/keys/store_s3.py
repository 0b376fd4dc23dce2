"""The key store in a bucket: one small object for each order, wrapped keys only.

    store.id            the store's random name, so that another bucket does not pass for it
    orders/ord_….key    in the bucket of keys, which has neither versions nor object lock

Two processes that make the same key agree through a write that is refused where an object stands
(`If-None-Match: *`); whoever was refused reads the other's. Amazon S3 and Ceph decide that once for all
gateways. A delete that meets a replacement is repeated until the object is gone (`Bucket.delete`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from activation.ids import OrderId
from media.aws import AwsFault
from media.buckets import NOTHING_MORE, Bucket, Protection
from media.keys.ports import MAX_ENTRY_BYTES, KeyStoreAway
from media.threads import BoundedThreads

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

THREADS = 8
#: Calls that may run or wait at once.
MAX_CALLS = 1024
PREFIX = "orders/"
NAME_KEY = "store.id"
_SUFFIX = ".key"
#: Entries may come and go between a refused write and the look at what stood in its way.
_ROUNDS = 5
#: S3 lists no more at once.
_PAGE = 1000


class S3KeyStore:
    """`media.keys.ports.KeyStore` on S3. Close it, or its threads stay."""

    def __init__(self, bucket: Bucket, protection: Protection = NOTHING_MORE) -> None:
        self._bucket = bucket
        self._encryption = protection.encryption()
        self._threads = BoundedThreads("key-store", THREADS, MAX_CALLS, KeyStoreAway)

    async def get(self, order_id: OrderId) -> bytes | None:
        return await self._run(lambda: self._get(OrderId(order_id)))

    async def put_if_absent(self, order_id: OrderId, entry: bytes) -> bytes:
        _check(entry)
        return await self._run(lambda: self._put_if_absent(OrderId(order_id), entry))

    async def replace(self, order_id: OrderId, expected: bytes, entry: bytes) -> bool:
        _check(entry)
        return await self._run(lambda: self._replace(OrderId(order_id), expected, entry))

    async def delete(self, order_id: OrderId) -> None:
        await self._run(lambda: self._bucket.delete(_key(OrderId(order_id))))

    async def store_id(self) -> str | None:
        return await self._run(self._store_id)

    async def name_once(self, store_id: str) -> str:
        return await self._run(lambda: self._name_once(store_id))

    async def list(self, after: OrderId | None, limit: int) -> Sequence[OrderId]:
        return await self._run(lambda: self._list(after, limit))

    def close(self) -> None:
        """Waits for calls that run."""
        self._threads.close()

    async def _run(self, work: Callable[[], T]) -> T:
        with _as_away():
            return await self._threads.run(work)

    def _get(self, order: OrderId) -> bytes | None:
        found = self._bucket.read(_key(order), MAX_ENTRY_BYTES)
        return None if found is None else found.data

    def _put_if_absent(self, order: OrderId, entry: bytes) -> bytes:
        for _ in range(_ROUNDS):
            if self._bucket.write_if_absent(_key(order), entry, **self._encryption):
                return entry
            standing = self._get(order)
            if standing is not None:
                return standing
        raise KeyStoreAway("an entry comes and goes")

    def _replace(self, order: OrderId, expected: bytes, entry: bytes) -> bool:
        found = self._bucket.read(_key(order), MAX_ENTRY_BYTES)
        if found is None or found.data != expected:
            return False
        return self._bucket.replace(_key(order), found.tag, entry, **self._encryption)

    def _store_id(self) -> str | None:
        found = self._bucket.read(NAME_KEY, MAX_ENTRY_BYTES)
        return None if found is None else found.data.decode("ascii", "replace").strip()

    def _name_once(self, store_id: str) -> str:
        self._bucket.write_if_absent(NAME_KEY, store_id.encode(), **self._encryption)
        standing = self._store_id()
        if standing is None:
            raise KeyStoreAway("the name of the key store does not stay")
        return standing

    def _list(self, after: OrderId | None, limit: int) -> Sequence[OrderId]:
        found: list[OrderId] = []
        last = "" if after is None else _key(after)
        while len(found) < limit:
            keys = self._bucket.keys(PREFIX, last, min(limit - len(found), _PAGE))
            if not keys:
                break
            last = keys[-1]
            names = (key.removeprefix(PREFIX).removesuffix(_SUFFIX) for key in keys)
            found += [OrderId(name) for name in names if OrderId.pattern.fullmatch(name)]
        return found


def _key(order: OrderId) -> str:
    return f"{PREFIX}{order}{_SUFFIX}"


def _check(entry: bytes) -> None:
    if not 0 < len(entry) <= MAX_ENTRY_BYTES:
        raise ValueError(f"an entry has 1 to {MAX_ENTRY_BYTES} bytes")


@contextmanager
def _as_away() -> Iterator[None]:
    try:
        yield
    except AwsFault as fault:
        raise KeyStoreAway(f"the key store's bucket: {fault}") from None
