"""The vault in a folder: sealed objects and, apart from them, their data keys, wrapped under the order's key.

    objects/ORDER/NAME        sealed bytes under a random name
    keys/ORDER/DIGEST.json    label and wrapped data key; whoever has no key file has no object

An object counts from the moment its key file stands, so a crash half-way leaves nothing readable and
nothing lost. Clear bytes are never written.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import shutil
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from activation.ids import Digest, OrderId
from media.envelope import KEY_BYTES, UNDER_ORDER, KeyWrapper, Label, ObjectKeys, seal, unseal
from media.folders import create as _create
from media.folders import locked, make_folder
from media.folders import sync as _sync
from media.folders import sync_folder as _sync_folder
from media.manifest import MAX_KEY_FILE_BYTES, read_key_file, write_key_file
from media.threads import BoundedThreads
from media.vault import (
    EvidenceNotFound,
    EvidenceUnreadable,
    Stored,
    VaultBusy,
    VaultFault,
    check_label,
    check_whole,
)

T = TypeVar("T")

THREADS = 4
#: Calls that may run or wait at once; `put` and `get` hold up to MAX_WHOLE_BYTES in memory, others 2 MiB.
MAX_CALLS = 32
#: Readers of `read` at once.
MAX_READS = 16
_NAME_BYTES = 16
_NAME = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class FromBefore:
    """Objects from before orders had keys.

    opening: with a key-encryption key that we have. unreadable: others, and those of a damaged key file.
    """

    opening: tuple[Digest, ...]
    unreadable: tuple[Digest, ...]


class LocalVault:
    """`media.vault.Vault` on a local file system. Close it, or its threads stay."""

    def __init__(self, folder: Path, order_keys: ObjectKeys) -> None:
        self._objects = folder / "objects"
        self._keys = folder / "keys"
        self._order_keys = order_keys
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
        order = OrderId(order_id)
        return await self._run_with(order, lambda key: self._get(key, order, Digest(digest)))

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
        order = OrderId(order_id)
        label, _ = await self._run_with(order, lambda key: self._read_key(key, order, Digest(digest)))
        return Stored(label.order, label.digest, label.kind, label.media_type, label.size)

    async def destroy(self, order_id: OrderId, digest: Digest) -> None:
        await self._run(lambda: self._destroy(OrderId(order_id), Digest(digest)))

    async def destroy_order(self, order_id: OrderId) -> None:
        await self._run(lambda: self._destroy_order(OrderId(order_id)))

    async def orders(self, beginning: str = "") -> Sequence[OrderId]:
        """Every order that has objects and whose id begins so, in ascending order."""
        return await self._run(lambda: self._orders(beginning))

    async def digests(self, order_id: OrderId) -> Sequence[Digest]:
        """Every object of one order, in ascending order; nothing is opened."""
        return await self._run(lambda: self._digests(OrderId(order_id)))

    async def from_before(self, order_id: OrderId) -> FromBefore:
        """The order's objects that need no order key; asks for none, so it tells of destroyed orders too."""
        return await self._run(lambda: self._from_before(OrderId(order_id)))

    async def rewrap(self, order_id: OrderId) -> int:
        """Wrap such objects' data keys under the order's key; how many. Their bytes stay as they are.

        What is damaged is left alone. Raises EvidenceNotFound where the order's key was destroyed.
        """
        return await self._run_with(order_id, lambda key: self._rewrap(key, OrderId(order_id)))

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
        folder = make_folder(self._objects / order)
        path = folder / name
        try:
            with _create(path) as target:
                digest, size = seal(source, target, data_key)
                _sync(target)
            _sync_folder(folder)
            if self._is_whole(key, order, digest):
                path.unlink()
                return digest
            label = Label(order, digest, kind, media_type, size, name)
            self._write_key(label, key.wrap(data_key, label.bound()))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
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
        try:
            with (self._objects / order / label.name).open("rb") as file:
                yield from unseal(file, data_key, label)
        except FileNotFoundError:
            raise EvidenceUnreadable("the sealed bytes of an object are gone") from None

    def _read_key(self, key: KeyWrapper, order: OrderId, digest: Digest) -> tuple[Label, bytes]:
        label, wrapped = self._read_label(order, digest)
        return label, key.unwrap(wrapped, label.bound())

    def _read_label(self, order: OrderId, digest: Digest) -> tuple[Label, bytes]:
        """What a key file says, not yet proven by its wrapped key."""
        try:
            with self._key_path(order, digest).open("rb") as file:
                content = file.read(MAX_KEY_FILE_BYTES + 1)
        except FileNotFoundError:
            raise EvidenceNotFound("no such evidence") from None
        return read_key_file(order, digest, content)

    def _write_key(self, label: Label, wrapped: bytes) -> None:
        path = self._key_path(label.order, label.digest)
        folder = make_folder(path.parent)
        draft = folder / f".{secrets.token_hex(_NAME_BYTES)}"
        try:
            with _create(draft) as file:
                file.write(write_key_file(label, wrapped))
                _sync(file)
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        _sync_folder(folder)

    def _destroy(self, order: OrderId, digest: Digest) -> None:
        path = self._key_path(order, digest)
        name: str | None = None
        with suppress(VaultFault):
            name = self._read_label(order, digest)[0].name
        if path.parent.is_dir():
            with locked(path.parent):
                # The key first: from here on the sealed bytes are noise, whatever happens next.
                path.unlink(missing_ok=True)
                _sync_folder(path.parent)
        if name is not None and _NAME.fullmatch(name):
            (self._objects / order / name).unlink(missing_ok=True)

    def _destroy_order(self, order: OrderId) -> None:
        for room in (self._keys, self._objects):
            with suppress(FileNotFoundError):
                with locked(room / order):
                    shutil.rmtree(room / order)
                _sync_folder(room)

    def _orders(self, beginning: str) -> Sequence[OrderId]:
        names = os.listdir(self._keys) if self._keys.is_dir() else []
        found = (name for name in names if name.startswith(beginning) and OrderId.pattern.fullmatch(name))
        return sorted(map(OrderId, found))

    def _digests(self, order: OrderId) -> Sequence[Digest]:
        folder = self._keys / order
        names = (path.stem for path in folder.glob("*.json")) if folder.is_dir() else ()
        return sorted(Digest(name) for name in names if Digest.pattern.fullmatch(name))

    def _from_before(self, order: OrderId) -> FromBefore:
        opening: list[Digest] = []
        unreadable: list[Digest] = []
        for digest in self._digests(order):
            try:
                label, wrapped = self._read_label(order, digest)
            except EvidenceNotFound:
                continue
            except EvidenceUnreadable:
                unreadable.append(digest)
                continue
            if self._order_keys.opens_without(wrapped, label.bound()):
                opening.append(digest)
            elif not wrapped.startswith(UNDER_ORDER):
                unreadable.append(digest)
        return FromBefore(tuple(opening), tuple(unreadable))

    def _rewrap(self, key: KeyWrapper, order: OrderId) -> int:
        done = 0
        for digest in self._from_before(order).opening:
            # Under the lock: what was destroyed meanwhile must not come back.
            with (
                suppress(EvidenceNotFound, EvidenceUnreadable, FileNotFoundError),
                locked(self._keys / order),
            ):
                label, wrapped = self._read_label(order, digest)
                if key.is_former(wrapped):
                    self._write_key(label, key.wrap(key.unwrap(wrapped, label.bound()), label.bound()))
                    done += 1
        return done

    def _key_path(self, order: OrderId, digest: Digest) -> Path:
        return self._keys / order / f"{digest}.json"


@contextmanager
def _faults() -> Iterator[None]:
    """A full disk or a lost mount is a VaultFault like any other, without paths in its text."""
    try:
        yield
    except OSError as error:
        raise VaultFault(f"the vault's folder failed: {os.strerror(error.errno or 0)}") from error
