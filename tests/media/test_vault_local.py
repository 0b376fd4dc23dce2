"""The local vault against somebody who can write to its folder, and against a failing disk."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import media.vault_local
from activation.ids import Digest, OrderId
from media.envelope import CHUNK_BYTES, MAGIC, TAG_BYTES, FileKeyWrapper
from media.vault import EvidenceNotFound, EvidenceUnreadable, VaultBusy, VaultFault
from media.vault_local import MAX_CALLS, THREADS, LocalVault

CHUNK = CHUNK_BYTES + TAG_BYTES
#: Three chunks, the last one short.
DATA = os.urandom(2 * CHUNK_BYTES + 500)
KEK = os.urandom(32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def vault(folder: Path) -> Iterator[LocalVault]:
    opened = LocalVault(folder, FileKeyWrapper(KEK))
    yield opened
    opened.close()


@pytest.fixture
def order() -> OrderId:
    return OrderId.new()


def _object(folder: Path, order: OrderId) -> Path:
    (found,) = (folder / "objects" / order).iterdir()
    return found


def _everything(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def _files(folder: Path) -> list[Path]:
    return [path for path in _everything(folder) if path.is_file()]


def _key(folder: Path, order: OrderId, digest: Digest) -> Path:
    return folder / "keys" / order / f"{digest}.json"


def _parts(sealed: bytes) -> list[bytes]:
    body = sealed[len(MAGIC) :]
    return [body[start : start + CHUNK] for start in range(0, len(body), CHUNK)]


def _flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


TAMPERING: dict[str, Callable[[bytes], bytes]] = {
    "nothing left": lambda sealed: b"",
    "magic changed": lambda sealed: _flip(sealed, 0),
    "first chunk changed": lambda sealed: _flip(sealed, len(MAGIC) + 10),
    "a tag changed": lambda sealed: _flip(sealed, len(MAGIC) + CHUNK - 1),
    "last byte changed": lambda sealed: _flip(sealed, len(sealed) - 1),
    "cut short by a byte": lambda sealed: sealed[:-1],
    "last chunk cut off": lambda sealed: MAGIC + b"".join(_parts(sealed)[:-1]),
    "only the magic left": lambda sealed: MAGIC,
    "first chunk left out": lambda sealed: MAGIC + b"".join(_parts(sealed)[1:]),
    "chunks swapped": lambda sealed: MAGIC + b"".join([_parts(sealed)[i] for i in (1, 0, 2)]),
    "a chunk twice": lambda sealed: MAGIC + b"".join([_parts(sealed)[i] for i in (0, 0, 1, 2)]),
    "lengthened": lambda sealed: sealed + b"x",
    "lengthened by a chunk": lambda sealed: sealed + _parts(sealed)[2],
}


@pytest.mark.parametrize("name", TAMPERING)
async def test_changed_bytes_are_refused(vault: LocalVault, folder: Path, order: OrderId, name: str) -> None:
    digest = await vault.put(order, "clip", "video/webm", DATA)
    path = _object(folder, order)
    path.write_bytes(TAMPERING[name](path.read_bytes()))
    with pytest.raises(EvidenceUnreadable):
        await vault.get(order, digest)


async def test_objects_that_swapped_places_are_refused(
    vault: LocalVault, folder: Path, order: OrderId
) -> None:
    other = OrderId.new()
    mine, theirs = (
        await vault.put(order, "id_front", "image/jpeg", b"mine"),
        await vault.put(other, "id_front", "image/jpeg", b"not!"),
    )
    a, b = _object(folder, order), _object(folder, other)
    first, second = a.read_bytes(), b.read_bytes()
    a.write_bytes(second)
    b.write_bytes(first)
    for whose, digest in ((order, mine), (other, theirs)):
        with pytest.raises(EvidenceUnreadable):
            await vault.get(whose, digest)


async def test_an_object_with_its_key_moved_to_another_order_is_refused(
    vault: LocalVault, folder: Path, order: OrderId
) -> None:
    digest = await vault.put(order, "id_front", "image/jpeg", b"whose?")
    thief = OrderId.new()
    for kind in ("objects", "keys"):
        (folder / kind / order).rename(folder / kind / thief)
    with pytest.raises(EvidenceUnreadable):
        await vault.get(thief, digest)


async def test_a_key_under_another_digest_is_refused(vault: LocalVault, folder: Path, order: OrderId) -> None:
    digest = await vault.put(order, "id_front", "image/jpeg", b"one")
    claimed = Digest("0" * 64)
    _key(folder, order, digest).rename(_key(folder, order, claimed))
    with pytest.raises(EvidenceUnreadable):
        await vault.get(order, claimed)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"id_front", b"handheld"),
        (b"image/jpeg", b"text/html"),
        (b'"size": 3', b'"size": 4'),
        (b'"wrapped": "', b'"wrapped": "AAAA'),
        (b'"wrapped": "', b'"wrapped": "\xff'),
        (b'"kind"', b'"king"'),
        (b"{", b"["),
    ],
)
async def test_changed_key_files_are_refused(
    vault: LocalVault, folder: Path, order: OrderId, old: bytes, new: bytes
) -> None:
    digest = await vault.put(order, "id_front", "image/jpeg", b"one")
    path = _key(folder, order, digest)
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(EvidenceUnreadable):
        await vault.get(order, digest)
    with pytest.raises(EvidenceUnreadable):
        await vault.describe(order, digest)


async def test_another_key_encryption_key_opens_nothing_and_a_former_one_does(
    vault: LocalVault, folder: Path, order: OrderId
) -> None:
    digest = await vault.put(order, "id_front", "image/jpeg", b"secret")
    new = os.urandom(32)
    stranger, rotated = (
        LocalVault(folder, FileKeyWrapper(new)),
        LocalVault(folder, FileKeyWrapper(new, (KEK,))),
    )
    try:
        with pytest.raises(EvidenceUnreadable):
            await stranger.get(order, digest)
        assert await rotated.get(order, digest) == b"secret"
    finally:
        stranger.close()
        rotated.close()


async def test_clear_bytes_are_nowhere_in_the_folder(vault: LocalVault, folder: Path, order: OrderId) -> None:
    marker = b"clear-marker-" * 50
    await vault.put(order, "id_front", "image/jpeg", marker)
    for path in _everything(folder):
        if path.is_file():
            assert b"clear-marker-" not in path.read_bytes()
            assert path.stat().st_mode & 0o077 == 0
        else:
            assert path.stat().st_mode & 0o077 == 0 or path == folder


async def test_evidence_that_was_damaged_can_be_put_again(
    vault: LocalVault, folder: Path, order: OrderId
) -> None:
    digest = await vault.put(order, "id_front", "image/jpeg", b"again")
    _object(folder, order).write_bytes(b"noise")
    assert await vault.put(order, "id_front", "image/jpeg", b"again") == digest
    assert await vault.get(order, digest) == b"again"


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


async def test_destroying_removes_key_and_bytes(vault: LocalVault, folder: Path, order: OrderId) -> None:
    digest = await vault.put(order, "id_front", "image/jpeg", b"two years later")
    await vault.destroy(order, digest)
    assert _files(folder) == []


async def test_more_calls_than_there_is_room_for_are_refused(
    vault: LocalVault, order: OrderId, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = await vault.put(order, "id_front", "image/jpeg", b"x")
    before = threading.active_count()
    gate = threading.Event()
    read = vault._get

    def slow(whose: OrderId, what: Digest) -> bytes:
        gate.wait()
        return read(whose, what)

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
