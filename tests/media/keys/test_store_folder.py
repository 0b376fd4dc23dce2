"""The key store's folder: who can read it, and what is left of an entry that was destroyed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import media.keys.store_folder
from activation.ids import OrderId
from activation.order_keys import OrderKeysFault
from media.keys.store_folder import FolderKeyStore

MARKER = b"wrapped-order-key-" * 5


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keystore"


@pytest.fixture
def store(folder: Path) -> Iterator[FolderKeyStore]:
    opened = FolderKeyStore(folder)
    yield opened
    opened.close()


@pytest.fixture
def order() -> OrderId:
    return OrderId.new()


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def modes(folder: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))}


async def test_only_its_owner_can_read_it(store: FolderKeyStore, folder: Path, order: OrderId) -> None:
    await store.put_if_absent(order, MARKER)
    await store.replace(order, MARKER, b"anew")
    assert [path.name for path in files(folder)] == [f"{order}.key"]
    assert modes(folder) <= {0o700, 0o600}


async def test_a_destroyed_entry_is_noise_for_whoever_held_its_file(
    store: FolderKeyStore, folder: Path, order: OrderId, tmp_path: Path
) -> None:
    await store.put_if_absent(order, MARKER)
    os.link(files(folder)[0], tmp_path / "copy")
    with files(folder)[0].open("rb") as held:
        await store.delete(order)
        assert MARKER not in held.read() + (tmp_path / "copy").read_bytes()
    assert files(folder) == []


async def test_a_replaced_entry_is_noise_too(
    store: FolderKeyStore, folder: Path, order: OrderId, tmp_path: Path
) -> None:
    await store.put_if_absent(order, MARKER)
    os.link(files(folder)[0], tmp_path / "copy")
    assert await store.replace(order, MARKER, b"anew")
    assert MARKER not in (tmp_path / "copy").read_bytes()
    assert await store.get(order) == b"anew"


@pytest.mark.parametrize("after", ["_write", "sync_folder"])
async def test_what_a_crash_left_is_destroyed_with_the_entry(
    store: FolderKeyStore, folder: Path, order: OrderId, after: str
) -> None:
    """Killed while it replaces: the order's key lies there twice, and goes at once."""
    await store.put_if_absent(order, b"first")
    assert die_while_replacing(folder, order, after) == -9
    assert await store.get(order) in (b"first", MARKER)
    assert len(files(folder)) <= 2
    copies = [path.open("rb") for path in files(folder)]
    await store.delete(order)
    assert files(folder) == []
    for held in copies:
        assert held.read() not in (b"first", MARKER)
        held.close()


async def test_what_a_crash_left_does_not_stand_in_the_way(
    store: FolderKeyStore, folder: Path, order: OrderId
) -> None:
    await store.put_if_absent(order, b"first")
    die_while_replacing(folder, order, "_write")
    assert await store.replace(order, b"first", b"second")
    assert await store.get(order) == b"second"
    assert [path.name for path in files(folder)] == [f"{order}.key"]


async def test_a_failing_disk_is_a_fault_without_paths(
    store: FolderKeyStore, order: OrderId, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: object) -> None:
        raise OSError(28, "No space left on device", "secret/path")

    monkeypatch.setattr(media.keys.store_folder, "sync", full)
    with pytest.raises(OrderKeysFault) as fault:
        await store.put_if_absent(order, b"entry")
    assert "secret" not in str(fault.value)
    assert await store.get(order) is None


async def test_an_entry_whose_making_was_killed_is_replaced_whole(
    store: FolderKeyStore, folder: Path, order: OrderId
) -> None:
    """Killed between link and unlink: entry and draft are one file."""
    assert die_while_making(folder, order) == -9
    assert len({path.stat().st_ino for path in files(folder)}) == 1 < len(files(folder))
    assert await store.replace(order, MARKER, b"anew")
    assert await store.get(order) == b"anew"
    assert [path.name for path in files(folder)] == [f"{order}.key"]


async def test_what_a_killed_making_left_goes_when_the_key_is_asked_for_again(
    store: FolderKeyStore, folder: Path, order: OrderId
) -> None:
    die_while_making(folder, order)
    assert await store.put_if_absent(order, b"other") == MARKER
    assert [path.name for path in files(folder)] == [f"{order}.key"]
    assert await store.get(order) == MARKER


def die_while_replacing(folder: Path, order: OrderId, after: str) -> int:
    """Exit status of a process that was killed right after one of the store's steps."""
    return die(folder, f"module.{after}", f'replace(OrderId({str(order)!r}), b"first", {MARKER!r})')


def die_while_making(folder: Path, order: OrderId) -> int:
    """Exit status of a process that was killed right after it linked the entry into place."""
    return die(folder, "os.link", f"put_if_absent(OrderId({str(order)!r}), {MARKER!r})")


def die(folder: Path, after: str, call: str) -> int:
    code = f"""
import asyncio, os, signal
import media.keys.store_folder as module
from activation.ids import OrderId
step = {after}
def last(*given):
    step(*given)
    os.kill(os.getpid(), signal.SIGKILL)
{after} = last
from pathlib import Path
store = module.FolderKeyStore(Path({str(folder)!r}))
asyncio.run(store.{call})
"""
    return subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode
