"""The key store in a folder: one small file for each order, wrapped keys only.

    ab/ord_ab….key      the entry; `ab`: the first two digits of the id
    store.id            the store's random name, so that an empty mount point does not pass for it
    ab/.ord_ab….draft   an entry on its way; what a crash left goes before the next one, or with its entry

Whoever reads an entry shares a lock of its part, whoever changes one holds it alone. An entry is linked or
renamed into place, so that it stands whole or not at all. Before it loses its name its bytes are overwritten:
what a crash, a hard link or a held handle keeps of the file is noise. A file system that copies on write,
and a flash drive's spare blocks, may still hold the former bytes, which the key service's key protects
(`docs/operations.md` says what to do about it).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from activation.ids import OrderId
from media.folders import create, locked, make_folder, sync, sync_folder
from media.keys.ports import MAX_ENTRY_BYTES, KeyStoreAway
from media.threads import BoundedThreads

T = TypeVar("T")

THREADS = 4
#: Calls that may run or wait at once.
MAX_CALLS = 1024
NAME_FILE = "store.id"
_PREFIX = len("ord_")
_PART_DIGITS = 2
_PART = re.compile(r"[0-9a-f]{2}")
_ENTRY = re.compile(r"(ord_[0-9a-f]{24})\.key")


class FolderKeyStore:
    """`media.keys.ports.KeyStore` on a local file system. Close it, or its threads stay."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
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
        await self._run(lambda: self._delete(OrderId(order_id)))

    async def store_id(self) -> str | None:
        return await self._run(lambda: _named(_read(self._folder / NAME_FILE)))

    async def name_once(self, store_id: str) -> str:
        return await self._run(lambda: self._name_once(store_id))

    async def list(self, after: OrderId | None, limit: int) -> Sequence[OrderId]:
        return await self._run(lambda: self._list(after, limit))

    def close(self) -> None:
        """Waits for calls that run."""
        self._threads.close()

    async def _run(self, work: Callable[[], T]) -> T:
        return await self._threads.run(lambda: _as_fault(work))

    def _get(self, order: OrderId) -> bytes | None:
        part = self._part(order)
        if not part.is_dir():
            return None
        with locked(part, alone=False):
            return _read(_entry(part, order))

    def _put_if_absent(self, order: OrderId, entry: bytes) -> bytes:
        part = make_folder(self._part(order))
        path, draft = _entry(part, order), _draft(part, order)
        with locked(part):
            _clear(draft, path)
            if (standing := _read(path)) is not None:
                return standing
            _write(draft, entry)
            try:
                os.link(draft, path)  # never over an entry, even where locks do not hold
            except FileExistsError:
                standing = _read(path)
            finally:
                draft.unlink()
            sync_folder(part)
            return entry if standing is None else standing

    def _replace(self, order: OrderId, expected: bytes, entry: bytes) -> bool:
        part = self._part(order)
        if not part.is_dir():
            return False
        path, draft = _entry(part, order), _draft(part, order)
        with locked(part):
            if _read(path) != expected:
                return False
            _clear(draft, path)
            _write(draft, entry)
            with path.open("r+b") as former:
                draft.replace(path)
                sync_folder(part)
                _overwrite(former.fileno())
            return True

    def _delete(self, order: OrderId) -> None:
        part = self._part(order)
        if not part.is_dir():
            return
        with locked(part):
            for path in (_entry(part, order), _draft(part, order)):
                with suppress(FileNotFoundError):
                    with path.open("r+b") as file:
                        _overwrite(file.fileno())
                    path.unlink()
            sync_folder(part)

    def _name_once(self, store_id: str) -> str:
        path = make_folder(self._folder) / NAME_FILE
        draft = self._folder / f".{NAME_FILE}.{store_id}"
        with locked(self._folder):
            if (standing := _named(_read(path))) is not None:
                return standing
            draft.unlink(missing_ok=True)
            _write(draft, store_id.encode())
            draft.replace(path)
            sync_folder(self._folder)
        return store_id

    def _list(self, after: OrderId | None, limit: int) -> Sequence[OrderId]:
        found = []
        first = "" if after is None else after[_PREFIX:][:_PART_DIGITS]
        parts = sorted(each.name for each in os.scandir(self._folder)) if self._folder.is_dir() else []
        for part in parts:
            if part < first or not _PART.fullmatch(part):
                continue
            names = (_ENTRY.fullmatch(each.name) for each in os.scandir(self._folder / part))
            found += sorted(OrderId(name[1]) for name in names if name and name[1] > (after or ""))
            if len(found) >= limit:
                break
        return found[:limit]

    def _part(self, order: OrderId) -> Path:
        return self._folder / order[_PREFIX:][:_PART_DIGITS]


def _check(entry: bytes) -> None:
    if not 0 < len(entry) <= MAX_ENTRY_BYTES:
        raise ValueError(f"an entry has 1 to {MAX_ENTRY_BYTES} bytes")


def _as_fault(work: Callable[[], T]) -> T:
    """A full disk or a lost mount is a fault like any other, without paths in its text."""
    try:
        return work()
    except OSError as error:
        raise KeyStoreAway(f"the key store's folder failed: {os.strerror(error.errno or 0)}") from error


def _entry(part: Path, order: OrderId) -> Path:
    return part / f"{order}.key"


def _draft(part: Path, order: OrderId) -> Path:
    return part / f".{order}.draft"


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(MAX_ENTRY_BYTES + 1)
    except FileNotFoundError:
        return None


def _named(content: bytes | None) -> str | None:
    return content.decode("ascii", "replace").strip() if content else None


def _clear(draft: Path, path: Path) -> None:
    """Remove what a crash left: a second name of the entry, which stays whole, or a copy of its own."""
    try:
        with draft.open("r+b") as left:
            if not (path.exists() and path.samefile(draft)):
                _overwrite(left.fileno())
    except FileNotFoundError:
        return
    draft.unlink()


def _write(draft: Path, entry: bytes) -> None:
    """A new file always: a name that is there already may be another name of a living entry."""
    with create(draft) as file:
        file.write(entry)
        sync(file)


def _overwrite(handle: int) -> None:
    """Random bytes in place of what the file held, on stable storage."""
    os.pwrite(handle, os.urandom(os.fstat(handle).st_size), 0)
    os.fsync(handle)
