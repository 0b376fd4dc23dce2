"""What every vault adapter must do; `media.vault.Vault` says it."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from activation.ids import Digest, OrderId
from media.envelope import CHUNK_BYTES, ObjectKeys
from media.vault import MAX_OBJECT_BYTES, EvidenceNotFound, EvidenceTooLarge, Stored, Vault
from media.vault_local import LocalVault
from tests.order_keys import DerivedOrderKeys

Open = Callable[[], Vault]


@pytest.fixture(params=["local"])
def open_vault(tmp_path: Path) -> Iterator[Open]:
    """Opens the same vault again and again, as restarts do."""
    key, opened = os.urandom(32), []

    def open_one() -> Vault:
        opened.append(LocalVault(tmp_path / "vault", ObjectKeys(DerivedOrderKeys(key))))
        return opened[-1]

    yield open_one
    for vault in opened:
        vault.close()


@pytest.fixture
def vault(open_vault: Open) -> Vault:
    return open_vault()


@pytest.fixture
def order() -> OrderId:
    return OrderId.new()


def _sha256(data: bytes) -> Digest:
    return Digest(hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES + 7]
)
async def test_gives_back_what_was_put_after_a_restart(open_vault: Open, order: OrderId, size: int) -> None:
    data = os.urandom(size)
    digest = await open_vault().put(order, "id_front", "image/jpeg", data)
    assert digest == _sha256(data)
    reopened = open_vault()
    assert await reopened.get(order, digest) == data
    assert await reopened.describe(order, digest) == Stored(order, digest, "id_front", "image/jpeg", size)


async def test_takes_a_file_and_an_open_file(vault: Vault, order: OrderId, tmp_path: Path) -> None:
    data = os.urandom(CHUNK_BYTES + 100)
    path = tmp_path / "clip"
    path.write_bytes(data)
    assert await vault.put_file(order, "clip", "video/webm", path) == _sha256(data)
    short = io.BytesIO(data[:10])
    assert await vault.put_file(order, "clip", "video/webm", short) == _sha256(data[:10])
    assert not short.closed
    assert await vault.get(order, _sha256(data)) == data


async def test_the_same_bytes_twice_are_one_object(vault: Vault, order: OrderId) -> None:
    first = await vault.put(order, "frame", "image/jpeg", b"same")
    again = await asyncio.gather(*(vault.put(order, "frame", "image/jpeg", b"same") for _ in range(8)))
    assert set(again) == {first}
    assert await vault.get(order, first) == b"same"
    await vault.destroy(order, first)
    with pytest.raises(EvidenceNotFound):
        await vault.get(order, first)


async def test_an_order_sees_only_its_own(vault: Vault, order: OrderId) -> None:
    digest = await vault.put(order, "frame", "image/jpeg", b"mine")
    with pytest.raises(EvidenceNotFound):
        await vault.get(OrderId.new(), digest)
    with pytest.raises(EvidenceNotFound):
        await vault.describe(OrderId.new(), digest)


async def test_destroyed_evidence_is_gone_and_may_be_destroyed_again(vault: Vault, order: OrderId) -> None:
    digest = await vault.put(order, "frame", "image/jpeg", b"old")
    kept = await vault.put(order, "frame", "image/jpeg", b"kept")
    await vault.destroy(order, digest)
    await vault.destroy(order, digest)
    with pytest.raises(EvidenceNotFound):
        await vault.get(order, digest)
    assert await vault.get(order, kept) == b"kept"
    assert await vault.put(order, "frame", "image/jpeg", b"old") == digest
    assert await vault.get(order, digest) == b"old"


async def test_refuses_what_is_too_large_and_keeps_nothing(vault: Vault, order: OrderId) -> None:
    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            return bytes(size)

    with pytest.raises(EvidenceTooLarge):
        await vault.put_file(order, "clip", "video/webm", Endless())  # type: ignore[arg-type]
    with pytest.raises(EvidenceNotFound):
        await vault.get(order, _sha256(bytes(MAX_OBJECT_BYTES)))


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [("", "image/jpeg"), ("../up", "image/jpeg"), ("frame", "nonsense"), ("Frame", "a/b")],
)
async def test_refuses_labels_that_are_not_words(
    vault: Vault, order: OrderId, kind: str, media_type: str
) -> None:
    with pytest.raises(ValueError):
        await vault.put(order, kind, media_type, b"x")


async def test_refuses_ids_that_are_not_ids(vault: Vault) -> None:
    with pytest.raises(ValueError):
        await vault.put("../../elsewhere", "frame", "image/jpeg", b"x")  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        await vault.get(OrderId.new(), "../../elsewhere")  # type: ignore[arg-type]


async def test_many_at_once(vault: Vault, order: OrderId) -> None:
    datas = [os.urandom(1000 + number) for number in range(24)]
    digests = await asyncio.gather(*(vault.put(order, "frame", "image/jpeg", data) for data in datas))
    assert await asyncio.gather(*(vault.get(order, digest) for digest in digests)) == datas
