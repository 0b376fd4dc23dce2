"""The vault on S3: sealed objects in one bucket and, in another, their wrapped data keys.

    objects/ORDER/NAME        sealed bytes under a random name; of a bucket with versions exactly this version
    keys/ORDER/DIGEST.json    in the bucket of keys: label and wrapped data key (`media.manifest`)

The bucket of keys has neither versions nor object lock, so that what is destroyed there is gone. An object
counts from the moment its key file stands. Long objects go up in parts, which are no object before the last
one; a process that is killed leaves at most an upload in parts (`sweep`) or sealed bytes without a key.
"""

from __future__ import annotations

import io
import os
import re
import secrets
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, TypeVar

from activation.ids import Digest, OrderId
from media.aws import AwsAway, AwsRefused
from media.buckets import NOTHING_MORE, QUARANTINE, Bucket, PartWriter, Protection, RangeReader
from media.envelope import KEY_BYTES, KeyWrapper, Label, ObjectKeys, seal, unseal
from media.manifest import MAX_KEY_FILE_BYTES, read_key_file, write_key_file
from media.threads import BoundedThreads
from media.vault import (
    EvidenceNotFound,
    EvidenceUnreadable,
    Stored,
    VaultAway,
    VaultBusy,
    VaultFault,
    check_label,
    check_whole,
)

T = TypeVar("T")

THREADS = 8
#: Calls that may run or wait at once; `put` and `get` hold up to MAX_WHOLE_BYTES in memory, others 32 MiB.
MAX_CALLS = 64
#: Readers of `read` at once, each with one part in memory.
MAX_READS = 16
OBJECTS = "objects/"
KEYS = "keys/"
_NAME_BYTES = 16
_NAME = re.compile(r"([0-9a-f]{32})(?:@([A-Za-z0-9._-]{1,1024}))?")


class S3Vault:
    """`media.vault.Vault` on S3. Close it, or its threads stay.

    quarantine: where phones upload to (`media.uploads`); an order that is destroyed leaves nothing there.
    """

    def __init__(
        self,
        objects: Bucket,
        keys: Bucket,
        order_keys: ObjectKeys,
        protection: Protection = NOTHING_MORE,
        quarantine: Bucket | None = None,
    ) -> None:
        self._objects, self._keys, self._quarantine = objects, keys, quarantine
        self._order_keys = order_keys
        self._protection = protection
        self._threads = BoundedThreads("vault", THREADS, MAX_CALLS, VaultBusy, streams=MAX_READS)

    async def put(self, order_id: OrderId, kind: str, media_type: str, data: bytes) -> Digest:
        check_whole(len(data))
        return await self.put_file(order_id, kind, media_type, io.BytesIO(data))

    async def put_file(
        self, order_id: OrderId, kind: str, media_type: str, source: Path | BinaryIO
    ) -> Digest:
        check_label(kind, media_type)
        order = OrderId(order_id)
        return await self._run_with(order, lambda key: self._put(key, order, kind, media_type, source))

    async def get(self, order_id: OrderId, digest: Digest) -> bytes:
        order, which = OrderId(order_id), Digest(digest)
        return await self._run_with(order, lambda key: self._get(key, order, which))

    async def read(self, order_id: OrderId, digest: Digest) -> AsyncGenerator[bytes, None]:
        order, which = OrderId(order_id), Digest(digest)
        chunks = self._threads.stream(
            lambda: self._order_keys.of(order), lambda key: self._chunks(key, order, which)
        )
        with _faults():
            async with aclosing(chunks):
                async for chunk in chunks:
                    yield chunk

    async def describe(self, order_id: OrderId, digest: Digest) -> Stored:
        order, which = OrderId(order_id), Digest(digest)
        label, _ = await self._run_with(order, lambda key: self._read_key(key, order, which))
        return Stored(label.order, label.digest, label.kind, label.media_type, label.size)

    async def destroy(self, order_id: OrderId, digest: Digest) -> None:
        await self._run(lambda: self._destroy(OrderId(order_id), Digest(digest)))

    async def destroy_order(self, order_id: OrderId) -> None:
        await self._run(lambda: self._destroy_order(OrderId(order_id)))

    async def orders(self, beginning: str = "") -> Sequence[OrderId]:
        return await self._run(lambda: self._orders(beginning))

    async def digests(self, order_id: OrderId) -> Sequence[Digest]:
        return await self._run(lambda: self._digests(OrderId(order_id)))

    async def sweep(self, before: datetime) -> int:
        """Ends uploads in parts that began before then and whose process died; how many."""
        return await self._run(lambda: self._objects.abort_uploads(before))

    def close(self) -> None:
        """Waits for calls that run."""
        self._threads.close()

    async def _run(self, work: Callable[[], T]) -> T:
        with _faults():
            return await self._threads.run(work)

    async def _run_with(self, order: OrderId, work: Callable[[KeyWrapper], T]) -> T:
        with _faults():
            return await self._threads.run_after(lambda: self._order_keys.of(order), work)

    def _put(
        self, key: KeyWrapper, order: OrderId, kind: str, media_type: str, source: Path | BinaryIO
    ) -> Digest:
        if isinstance(source, Path):
            with source.open("rb") as file:
                return self._put(key, order, kind, media_type, file)
        data_key, name = os.urandom(KEY_BYTES), secrets.token_hex(_NAME_BYTES)
        writer = PartWriter(self._objects, f"{OBJECTS}{order}/{name}", self._protection)
        try:
            digest, size = seal(source, writer, data_key)
            if self._is_whole(key, order, digest):
                writer.abort()
                return digest
            version = writer.commit()
        except BaseException:
            writer.abort()
            raise
        # Where this fails it may still have been done: the sealed bytes stay, readable or noise.
        label = Label(order, digest, kind, media_type, size, f"{name}@{version}" if version else name)
        self._write_key(label, key.wrap(data_key, label.bound()))
        return digest

    def _is_whole(self, key: KeyWrapper, order: OrderId, digest: Digest) -> bool:
        """True where the same bytes are kept already and still open."""
        try:
            for _ in self._chunks(key, order, digest):
                pass
        except VaultFault:
            return False
        return True

    def _get(self, key: KeyWrapper, order: OrderId, digest: Digest) -> bytes:
        check_whole(self._read_key(key, order, digest)[0].size)
        return b"".join(self._chunks(key, order, digest))

    def _chunks(self, key: KeyWrapper, order: OrderId, digest: Digest) -> Iterator[bytes]:
        label, data_key = self._read_key(key, order, digest)
        name, _, version = label.name.partition("@")
        reader = RangeReader(self._objects, f"{OBJECTS}{order}/{name}", version or None)
        try:
            yield from unseal(reader, data_key, label)
        except FileNotFoundError:
            raise EvidenceUnreadable("the sealed bytes of an object are gone") from None

    def _read_key(self, key: KeyWrapper, order: OrderId, digest: Digest) -> tuple[Label, bytes]:
        label, wrapped = self._read_label(order, digest)
        return label, key.unwrap(wrapped, label.bound())

    def _read_label(self, order: OrderId, digest: Digest) -> tuple[Label, bytes]:
        found = self._keys.read(_key_path(order, digest), MAX_KEY_FILE_BYTES)
        if found is None:
            raise EvidenceNotFound("no such evidence")
        return read_key_file(order, digest, found.data)

    def _write_key(self, label: Label, wrapped: bytes) -> None:
        content = write_key_file(label, wrapped)
        self._keys.write(_key_path(label.order, label.digest), content, **self._protection.encryption())

    def _destroy(self, order: OrderId, digest: Digest) -> None:
        name = None
        with suppress(VaultFault):
            name = _NAME.fullmatch(self._read_label(order, digest)[0].name)
        # The key first: from here on the sealed bytes are noise, whatever happens next.
        self._keys.delete(_key_path(order, digest))
        if name is not None:
            self._objects.delete_version(f"{OBJECTS}{order}/{name[1]}", name[2])

    def _destroy_order(self, order: OrderId) -> None:
        self._keys.delete_all(f"{KEYS}{order}/")
        self._objects.delete_versions(f"{OBJECTS}{order}/")
        if self._quarantine is not None:
            self._quarantine.delete_all(f"{QUARANTINE}{order}/")

    def _orders(self, beginning: str) -> Sequence[OrderId]:
        names = (beginning + rest for rest in self._keys.folders(KEYS + beginning))
        return [OrderId(name) for name in names if OrderId.pattern.fullmatch(name)]

    def _digests(self, order: OrderId) -> Sequence[Digest]:
        prefix = f"{KEYS}{order}/"
        names = (path[len(prefix) :].removesuffix(".json") for path in self._keys.all_keys(prefix))
        return [Digest(name) for name in names if Digest.pattern.fullmatch(name)]


def _key_path(order: OrderId, digest: Digest) -> str:
    return f"{KEYS}{order}/{digest}.json"


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except AwsAway as away:
        raise VaultAway(f"the vault's buckets: {away}") from None
    except AwsRefused as refused:
        raise VaultFault(f"the vault's buckets: {refused}") from None
    except OSError as error:
        raise VaultFault(f"what was to be kept cannot be read: {os.strerror(error.errno or 0)}") from error
