"""The local vault and a failing disk, its crowds, its files' modes; the rest is in `tests/contracts`."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import media.vault_local
from activation.ids import Digest, OrderId
from activation.order_keys import OrderKey
from media.envelope import (
    FileKeyWrapper,
    KeyWrapper,
    Label,
    ObjectKeys,
    OrderWrapper,
)
from media.vault import EvidenceNotFound, EvidenceUnreadable, VaultBusy, VaultFault
from media.vault_local import MAX_CALLS, THREADS, FromBefore, LocalVault
from tests.order_keys import DerivedOrderKeys

KEK = os.urandom(32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def vault(folder: Path) -> Iterator[LocalVault]:
    opened = LocalVault(folder, ObjectKeys(DerivedOrderKeys(KEK)))
    yield opened
    opened.close()


@pytest.fixture
def order() -> OrderId:
    return OrderId.new()


def _everything(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def _files(folder: Path) -> list[Path]:
    return [path for path in _everything(folder) if path.is_file()]


def _key(folder: Path, order: OrderId, digest: Digest) -> Path:
    return folder / "keys" / order / f"{digest}.json"


@contextmanager
def opened(folder: Path, keys: ObjectKeys) -> Iterator[LocalVault]:
    vault = LocalVault(folder, keys)
    yield vault
    vault.close()


def put_under(
    kek: FileKeyWrapper, folder: Path, order: OrderId, digest: Digest, key: OrderKey | None = None
) -> None:
    """Wrap an object's data key as it was done before orders had keys. key: the order's."""
    path = _key(folder, order, digest)
    kept = json.loads(path.read_bytes())
    label = Label(order, digest, kept["kind"], kept["media_type"], kept["size"], kept["name"])
    own = OrderWrapper(key or OrderKey(order, derived(order)))
    data_key = own.unwrap(base64.b64decode(kept["wrapped"]), label.bound())
    kept["wrapped"] = base64.b64encode(kek.wrap(data_key, label.bound())).decode()
    path.write_text(json.dumps(kept))


def derived(order: OrderId) -> bytes:
    return hashlib.sha256(KEK + order.encode()).digest()


async def test_the_key_of_the_order_opens_its_objects_and_no_other(
    vault: LocalVault, folder: Path, order: OrderId
) -> None:
    digest = await vault.put(order, "id_front", "image/jpeg", b"secret")
    with opened(folder, ObjectKeys(DerivedOrderKeys(os.urandom(32)))) as stranger:
        with pytest.raises(EvidenceUnreadable):
            await stranger.get(order, digest)
    assert await vault.get(order, digest) == b"secret"


async def test_objects_from_before_orders_had_keys_open_and_are_wrapped_anew(
    vault: LocalVault, folder: Path, order: OrderId
) -> None:
    before = FileKeyWrapper(os.urandom(32))
    digests = [await vault.put(order, "clip", "video/webm", data) for data in (b"one", b"two")]
    sealed = {path: path.read_bytes() for path in (folder / "objects" / order).iterdir()}
    for digest in digests:
        put_under(before, folder, order, digest)
    with opened(folder, ObjectKeys(DerivedOrderKeys(KEK), before)) as both:
        assert [await both.get(order, digest) for digest in digests] == [b"one", b"two"]
        assert await both.orders() == [order]
        assert set((await both.from_before(order)).opening) == set(digests)
        assert (await both.rewrap(order), await both.rewrap(order)) == (2, 0)
        assert await both.from_before(order) == FromBefore((), ())
    assert [await vault.get(order, digest) for digest in digests] == [b"one", b"two"]
    assert {path: path.read_bytes() for path in (folder / "objects" / order).iterdir()} == sealed


async def test_an_object_from_before_needs_the_former_key(
    vault: LocalVault, folder: Path, order: OrderId
) -> None:
    digest = await vault.put(order, "clip", "video/webm", b"one")
    put_under(FileKeyWrapper(os.urandom(32)), folder, order, digest)
    with pytest.raises(EvidenceUnreadable):
        await vault.get(order, digest)
    with opened(folder, ObjectKeys(DerivedOrderKeys(KEK), FileKeyWrapper(os.urandom(32)))) as wrong:
        with pytest.raises(EvidenceUnreadable):
            await wrong.get(order, digest)


async def test_what_is_from_before_is_told_without_the_orders_key_and_past_what_is_damaged(
    vault: LocalVault, folder: Path, order: OrderId
) -> None:
    before, keys = FileKeyWrapper(os.urandom(32)), DerivedOrderKeys(KEK)
    opens, strange, damaged = [await vault.put(order, "clip", "video/webm", bytes([n])) for n in range(3)]
    put_under(before, folder, order, opens)
    put_under(FileKeyWrapper(os.urandom(32)), folder, order, strange)
    (folder / "keys" / order / f"{damaged}.json").write_bytes(b"{")
    with opened(folder, ObjectKeys(keys, before)) as both:
        await keys.destroy(order)
        found = await both.from_before(order)
        assert (found.opening, set(found.unreadable)) == ((opens,), {strange, damaged})
        await keys.create(order)
        assert await both.rewrap(order) == 1
        assert (await both.from_before(order)).opening == ()


async def test_whoever_has_destroyed_the_orders_key_has_destroyed_its_objects(
    folder: Path, order: OrderId
) -> None:
    keys = DerivedOrderKeys(KEK)
    with opened(folder, ObjectKeys(keys)) as vault:
        digest = await vault.put(order, "id_front", "image/jpeg", b"secret")
        await keys.destroy(order)
        for refused in (vault.get(order, digest), vault.put(order, "clip", "video/webm", b"late")):
            with pytest.raises(EvidenceNotFound):
                await refused
        await vault.destroy_order(order)
        await vault.destroy_order(order)
    assert _files(folder) == []


async def test_clear_bytes_are_nowhere_in_the_folder(vault: LocalVault, folder: Path, order: OrderId) -> None:
    marker = b"clear-marker-" * 50
    await vault.put(order, "id_front", "image/jpeg", marker)
    for path in _everything(folder):
        if path.is_file():
            assert b"clear-marker-" not in path.read_bytes()
            assert path.stat().st_mode & 0o077 == 0
        else:
            assert path.stat().st_mode & 0o077 == 0 or path == folder


async def test_a_put_that_fails_leaves_nothing(
    vault: LocalVault, folder: Path, order: OrderId, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: object) -> None:
        raise OSError(28, "No space left on device", "secret/path")

    monkeypatch.setattr(media.vault_local, "_sync", full)
    with pytest.raises(VaultFault) as failure:
        await vault.put(order, "id_front", "image/jpeg", b"lost?")
    assert "secret" not in str(failure.value)
    assert _files(folder) == []


async def test_an_object_without_key_file_does_not_exist(
    vault: LocalVault, folder: Path, order: OrderId
) -> None:
    """What a crash between the two files leaves."""
    digest = await vault.put(order, "id_front", "image/jpeg", b"half")
    _key(folder, order, digest).unlink()
    with pytest.raises(EvidenceNotFound):
        await vault.get(order, digest)


async def test_more_calls_than_there_is_room_for_are_refused(
    vault: LocalVault, order: OrderId, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = await vault.put(order, "id_front", "image/jpeg", b"x")
    before = threading.active_count()
    gate = threading.Event()
    read = vault._get

    def slow(key: KeyWrapper, whose: OrderId, what: Digest) -> bytes:
        gate.wait()
        return read(key, whose, what)

    monkeypatch.setattr(vault, "_get", slow)
    waiting = [asyncio.create_task(vault.get(order, digest)) for _ in range(MAX_CALLS)]
    await asyncio.sleep(0)
    with pytest.raises(VaultBusy):
        await vault.get(order, digest)
    waiting[-1].cancel()
    gate.set()
    done = await asyncio.gather(*waiting, return_exceptions=True)
    assert done[:-1] == [b"x"] * (MAX_CALLS - 1)
    assert await vault.get(order, digest) == b"x"
    assert threading.active_count() <= before + THREADS
