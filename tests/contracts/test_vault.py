"""What every vault adapter must do; `media.vault.Vault` says it. See also `test_vault_attacks`."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

import media.envelope
import media.vault
from activation.ids import Digest, OrderId
from media.envelope import CHUNK_BYTES
from media.vault import EvidenceNotFound, EvidenceTooLarge, Stored, Vault
from tests.contracts.vaults import Endless, VaultUnderTest
from tests.order_keys import DerivedOrderKeys

Open = Callable[[], Vault]


@pytest.fixture
def open_vault(under: VaultUnderTest, keys: DerivedOrderKeys) -> Open:
    """Opens the same vault again and again, as restarts do."""
    return lambda: under.open(keys)


@pytest.fixture
def vault(open_vault: Open) -> Vault:
    return open_vault()


def _sha256(data: bytes) -> Digest:
    return Digest(hashlib.sha256(data).hexdigest())


async def _read(vault: Vault, order: OrderId, digest: Digest) -> bytes:
    return b"".join([chunk async for chunk in vault.read(order, digest)])


def _calls(vault: Vault) -> tuple[Callable[[OrderId, Digest], Awaitable[object]], ...]:
    """Everything that asks for one object."""
    return vault.get, vault.describe, lambda order, digest: _read(vault, order, digest)


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 9 * CHUNK_BYTES + 7]
)
async def test_gives_back_what_was_put_after_a_restart(open_vault: Open, order: OrderId, size: int) -> None:
    data = os.urandom(size)
    digest = await open_vault().put(order, "id_front", "image/jpeg", data)
    assert digest == _sha256(data)
    reopened = open_vault()
    assert await reopened.get(order, digest) == data
    assert await _read(reopened, order, digest) == data
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


async def test_the_same_bytes_twice_are_one_object(
    vault: Vault, under: VaultUnderTest, order: OrderId
) -> None:
    first = await vault.put(order, "frame", "image/jpeg", b"same")
    again = await asyncio.gather(*(vault.put(order, "frame", "image/jpeg", b"same") for _ in range(8)))
    assert set(again) == {first}
    assert len(under.stored()) == 2
    assert await vault.get(order, first) == b"same"
    await vault.destroy(order, first)
    with pytest.raises(EvidenceNotFound):
        await vault.get(order, first)


async def test_an_order_sees_only_its_own(vault: Vault, order: OrderId) -> None:
    digest = await vault.put(order, "frame", "image/jpeg", b"mine")
    for call in _calls(vault):
        with pytest.raises(EvidenceNotFound):
            await call(OrderId.new(), digest)


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


async def test_a_destroyed_order_leaves_nothing_and_takes_nothing_along(
    vault: Vault, under: VaultUnderTest, order: OrderId
) -> None:
    other = OrderId.new()
    for number in range(3):
        await vault.put(order, "frame", "image/jpeg", b"%d" % number)
    kept = await vault.put(other, "frame", "image/jpeg", b"kept")
    assert await vault.orders() == sorted((order, other))
    assert await vault.orders(order[:12]) == [order]
    assert await vault.orders("ord_none") == []
    assert len(await vault.digests(order)) == 3
    await vault.destroy_order(order)
    await vault.destroy_order(order)
    assert await vault.orders() == [other]
    assert await vault.digests(order) == []
    assert not [place for place in under.stored() if order in place]
    assert await vault.get(other, kept) == b"kept"


async def test_without_the_orders_key_nothing_can_be_had_but_all_removed(
    under: VaultUnderTest, keys: DerivedOrderKeys, order: OrderId
) -> None:
    vault = under.open(keys)
    digest = await vault.put(order, "frame", "image/jpeg", b"old")
    await keys.destroy(order)
    for call in _calls(vault):
        with pytest.raises(EvidenceNotFound):
            await call(order, digest)
    with pytest.raises(EvidenceNotFound):
        await vault.put(order, "frame", "image/jpeg", b"late")
    assert await vault.digests(order) == [digest]
    await vault.destroy_order(order)
    assert under.stored() == {}


async def test_refuses_what_is_too_large_and_keeps_nothing(
    vault: Vault, under: VaultUnderTest, order: OrderId, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 10 * CHUNK_BYTES
    monkeypatch.setattr(media.envelope, "MAX_OBJECT_BYTES", most)
    with pytest.raises(EvidenceTooLarge):
        await vault.put_file(order, "clip", "video/webm", Endless())  # type: ignore[arg-type]
    with pytest.raises(EvidenceNotFound):
        await vault.get(order, _sha256(bytes(most)))
    assert under.stored() == {}


async def test_what_is_too_large_for_memory_is_only_streamed(
    vault: Vault, order: OrderId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media.vault, "MAX_WHOLE_BYTES", CHUNK_BYTES)
    data = os.urandom(CHUNK_BYTES + 1)
    with pytest.raises(EvidenceTooLarge):
        await vault.put(order, "clip", "video/webm", data)
    digest = await vault.put_file(order, "clip", "video/webm", io.BytesIO(data))
    with pytest.raises(EvidenceTooLarge):
        await vault.get(order, digest)
    assert await _read(vault, order, digest) == data


async def test_readers_that_stop_half_way_leave_their_places(vault: Vault, order: OrderId) -> None:
    data = os.urandom(3 * CHUNK_BYTES)
    digest = await vault.put(order, "clip", "video/webm", data)
    for _ in range(20):
        async with aclosing(vault.read(order, digest)) as chunks:
            assert await anext(chunks) == data[:CHUNK_BYTES]
    assert await _read(vault, order, digest) == data


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
    for call in (*_calls(vault), vault.destroy):
        with pytest.raises(ValueError):
            await call(OrderId.new(), "../../elsewhere")  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        await vault.destroy_order("../../elsewhere")  # type: ignore[arg-type]


async def test_many_at_once(vault: Vault, order: OrderId) -> None:
    datas = [os.urandom(1000 + number) for number in range(24)]
    digests = await asyncio.gather(*(vault.put(order, "frame", "image/jpeg", data) for data in datas))
    assert await asyncio.gather(*(vault.get(order, digest) for digest in digests)) == datas
