"""The vault in a folder: sealed objects and, apart from them, their wrapped keys.

    objects/ORDER/NAME        sealed bytes under a random name
    keys/ORDER/DIGEST.json    label and wrapped data key; whoever has no key file has no object

An object counts from the moment its key file stands, so a crash half-way leaves nothing readable and
nothing lost. Clear bytes are never written.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import io
import json
import os
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, TypeVar

from activation.ids import Digest, OrderId
from media.envelope import KEY_BYTES, KeyWrapper, Label, seal, unseal
from media.vault import (
    EvidenceNotFound,
    EvidenceUnreadable,
    Stored,
    VaultBusy,
    VaultFault,
    check_label,
)

T = TypeVar("T")

THREADS = 4
#: Calls that may run or wait at once; each holds up to one object in memory.
MAX_CALLS = 32
_FOLDER_MODE = 0o700
_FILE_MODE = 0o600
_NAME_BYTES = 16
MAX_KEY_FILE_BYTES = 4096


class LocalVault:
    """`media.vault.Vault` on a local file system. Close it, or its threads stay."""

    def __init__(self, folder: Path, wrapper: KeyWrapper) -> None:
        self._objects = folder / "objects"
        self._keys = folder / "keys"
        self._wrapper = wrapper
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="vault")
        self._room = threading.BoundedSemaphore(MAX_CALLS)

    async def put(self, order_id: OrderId, kind: str, media_type: str, data: bytes) -> Digest:
        return await self.put_file(order_id, kind, media_type, io.BytesIO(data))

    async def put_file(
        self, order_id: OrderId, kind: str, media_type: str, source: Path | BinaryIO
    ) -> Digest:
        check_label(kind, media_type)
        return await self._run(lambda: self._put(OrderId(order_id), kind, media_type, source))

    async def get(self, order_id: OrderId, digest: Digest) -> bytes:
        return await self._run(lambda: self._get(OrderId(order_id), Digest(digest)))

    async def describe(self, order_id: OrderId, digest: Digest) -> Stored:
        label, _ = await self._run(lambda: self._read_key(OrderId(order_id), Digest(digest)))
        return Stored(label.order, label.digest, label.kind, label.media_type, label.size)

    async def destroy(self, order_id: OrderId, digest: Digest) -> None:
        await self._run(lambda: self._destroy(OrderId(order_id), Digest(digest)))

    def close(self) -> None:
        """Waits for calls that run."""
        self._pool.shutdown(wait=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if not self._room.acquire(blocking=False):
            raise VaultBusy(f"{MAX_CALLS} calls wait for the vault")
        running = self._pool.submit(_as_fault, work)
        # Whoever waits may be cancelled; the place is free only when the thread is.
        running.add_done_callback(lambda _: self._room.release())
        return await asyncio.wrap_future(running)

    def _put(self, order: OrderId, kind: str, media_type: str, source: Path | BinaryIO) -> Digest:
        if isinstance(source, Path):
            with source.open("rb") as file:
                return self._put(order, kind, media_type, file)
        data_key, name = os.urandom(KEY_BYTES), secrets.token_hex(_NAME_BYTES)
        folder = _folder(self._objects / order)
        path = folder / name
        try:
            with _create(path) as target:
                digest, size = seal(source, target, data_key)
                _sync(target)
            _sync_folder(folder)
            if self._is_whole(order, digest):
                path.unlink()
                return digest
            label = Label(order, digest, kind, media_type, size, name)
            self._write_key(label, self._wrapper.wrap(data_key, label.bound()))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return digest

    def _is_whole(self, order: OrderId, digest: Digest) -> bool:
        """True where the same bytes are kept already and still open."""
        try:
            self._get(order, digest)
        except VaultFault:
            return False
        return True

    def _get(self, order: OrderId, digest: Digest) -> bytes:
        label, data_key = self._read_key(order, digest)
        try:
            with (self._objects / order / label.name).open("rb") as file:
                return b"".join(unseal(file, data_key, label))
        except FileNotFoundError:
            raise EvidenceUnreadable("the sealed bytes of an object are gone") from None

    def _read_key(self, order: OrderId, digest: Digest) -> tuple[Label, bytes]:
        try:
            with self._key_path(order, digest).open("rb") as file:
                stored = json.loads(file.read(MAX_KEY_FILE_BYTES))
            label = Label(
                order,
                digest,
                str(stored["kind"]),
                str(stored["media_type"]),
                int(stored["size"]),
                str(stored["name"]),
            )
            wrapped = base64.b64decode(stored["wrapped"], validate=True)
        except FileNotFoundError:
            raise EvidenceNotFound("no such evidence") from None
        except (ValueError, KeyError, TypeError, binascii.Error):
            raise EvidenceUnreadable("a key file was changed") from None
        # Order and digest are those asked for, so a key file that was moved or renamed does not unwrap.
        return label, self._wrapper.unwrap(wrapped, label.bound())

    def _write_key(self, label: Label, wrapped: bytes) -> None:
        path = self._key_path(label.order, label.digest)
        folder = _folder(path.parent)
        draft = folder / f".{secrets.token_hex(_NAME_BYTES)}"
        record = {
            "kind": label.kind,
            "media_type": label.media_type,
            "size": label.size,
            "name": label.name,
            "wrapped": base64.b64encode(wrapped).decode(),
        }
        try:
            with _create(draft) as file:
                file.write(json.dumps(record).encode())
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
            name = self._read_key(order, digest)[0].name
        # The key first: from here on the sealed bytes are noise, whatever happens next.
        path.unlink(missing_ok=True)
        if path.parent.exists():
            _sync_folder(path.parent)
        if name is not None:
            (self._objects / order / name).unlink(missing_ok=True)

    def _key_path(self, order: OrderId, digest: Digest) -> Path:
        return self._keys / order / f"{digest}.json"


def _as_fault(work: Callable[[], T]) -> T:
    """A full disk or a lost mount is a VaultFault like any other, without paths in its text."""
    try:
        return work()
    except OSError as error:
        raise VaultFault(f"the vault's folder failed: {os.strerror(error.errno or 0)}") from error


def _folder(path: Path) -> Path:
    """`path`, made with its parents; a new entry is on stable storage when this returns."""
    if not path.is_dir():
        if not path.parent.is_dir():
            _folder(path.parent)
        path.mkdir(mode=_FOLDER_MODE, exist_ok=True)
        _sync_folder(path.parent)
    return path


def _create(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE), "wb")


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """fsync of a directory: without it a rename may not survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
