"""What every key store must do; `media.keys.ports.KeyStore` says it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from activation.ids import OrderId
from media.aws import open_s3
from media.buckets import Bucket
from media.keys.ports import MAX_ENTRY_BYTES, KeyStore, KeyStoreAway
from media.keys.store_folder import FolderKeyStore
from media.keys.store_known import KnownKeyStore
from media.keys.store_s3 import S3KeyStore
from tests.servers.radosgw import RadosGateway

Open = Callable[[], KeyStore]


@pytest.fixture(params=["folder", pytest.param("radosgw", marks=pytest.mark.radosgw)])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same store again and again, as other processes do."""
    opened: list[FolderKeyStore | S3KeyStore] = []
    bucket: Bucket | None = None
    if request.param == "radosgw":
        gateway: RadosGateway = request.getfixturevalue("radosgw")
        bucket = gateway.new_bucket()

    def open_one() -> KeyStore:
        if bucket is None:
            opened.append(FolderKeyStore(tmp_path / "keystore"))
        else:
            opened.append(S3KeyStore(bucket))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Open) -> KeyStore:
    return open_store()


@pytest.fixture
def order() -> OrderId:
    return OrderId.new()


async def test_gives_back_what_was_put_after_a_restart(open_store: Open, order: OrderId) -> None:
    entry = os.urandom(MAX_ENTRY_BYTES)
    assert await open_store().get(order) is None
    assert await open_store().put_if_absent(order, entry) == entry
    assert await open_store().get(order) == entry
    assert await open_store().get(OrderId.new()) is None


async def test_two_who_make_the_same_key_agree_on_one(open_store: Open, order: OrderId) -> None:
    one, two = open_store(), open_store()
    entries = [os.urandom(60) for _ in range(16)]
    stand = await asyncio.gather(
        *((one, two)[number % 2].put_if_absent(order, entry) for number, entry in enumerate(entries))
    )
    assert len(set(stand)) == 1
    assert await one.get(order) == stand[0]
    assert stand[0] in entries


async def test_replaces_only_what_was_expected(store: KeyStore, order: OrderId) -> None:
    await store.put_if_absent(order, b"first")
    assert not await store.replace(order, b"other", b"second")
    assert await store.get(order) == b"first"
    assert await store.replace(order, b"first", b"second")
    assert await store.get(order) == b"second"


async def test_of_two_replacements_one_wins(open_store: Open, order: OrderId) -> None:
    one, two = open_store(), open_store()
    await one.put_if_absent(order, b"first")
    entries = [b"%d" % number for number in range(8)]
    won = await asyncio.gather(
        *((one, two)[number % 2].replace(order, b"first", entry) for number, entry in enumerate(entries))
    )
    assert won.count(True) == 1
    assert await one.get(order) == entries[won.index(True)]


async def test_what_was_deleted_is_gone_and_never_comes_back(store: KeyStore, order: OrderId) -> None:
    await store.put_if_absent(order, b"entry")
    await store.delete(order)
    await store.delete(order)
    assert await store.get(order) is None
    assert not await store.replace(order, b"entry", b"anew")
    assert await store.get(order) is None
    assert await store.list(None, 10) == []


async def test_deleting_beside_replacing_leaves_nothing(open_store: Open) -> None:
    """R8.2: rotation must not bring back what retention has destroyed."""
    one, two = open_store(), open_store()
    orders = [OrderId.new() for _ in range(24)]
    for order in orders:
        await one.put_if_absent(order, b"first")
    await asyncio.gather(
        *(one.replace(order, b"first", b"second") for order in orders),
        *(two.delete(order) for order in orders),
    )
    assert [await one.get(order) for order in orders] == [None] * len(orders)


async def test_lists_in_order_and_in_pages(store: KeyStore) -> None:
    orders = sorted(OrderId.new() for _ in range(20))
    for order in reversed(orders):
        await store.put_if_absent(order, b"entry")
    found: list[OrderId] = []
    while page := await store.list(found[-1] if found else None, 7):
        assert len(page) <= 7
        found += page
    assert found == orders
    assert await store.list(OrderId("ord_" + "f" * 24), 7) == []


@pytest.mark.parametrize("size", [0, MAX_ENTRY_BYTES + 1])
async def test_refuses_entries_of_the_wrong_size(store: KeyStore, order: OrderId, size: int) -> None:
    await store.put_if_absent(order, b"entry")
    for call in (store.put_if_absent(order, bytes(size)), store.replace(order, b"entry", bytes(size))):
        with pytest.raises(ValueError):
            await call


async def test_refuses_ids_that_are_not_ids(store: KeyStore) -> None:
    elsewhere: OrderId = "../../elsewhere"  # type: ignore[assignment]
    for call in (
        store.get(elsewhere),
        store.put_if_absent(elsewhere, b"x"),
        store.replace(elsewhere, b"x", b"y"),
        store.delete(elsewhere),
    ):
        with pytest.raises(ValueError):
            await call


async def test_has_one_name_and_keeps_it(open_store: Open, order: OrderId) -> None:
    one, two = open_store(), open_store()
    assert await one.store_id() is None
    names = await asyncio.gather(one.name_once("1" * 32), two.name_once("2" * 32))
    assert names[0] == names[1] == await open_store().store_id()
    assert await one.name_once("3" * 32) == names[0]
    assert await one.list(None, 10) == []


async def test_a_store_that_lost_its_name_is_away_and_not_empty(open_store: Open, order: OrderId) -> None:
    """As the mount point of a folder that is not mounted, or another bucket."""
    store = KnownKeyStore(open_store(), "1" * 32)
    for call in (
        store.get(order),
        store.put_if_absent(order, b"x"),
        store.replace(order, b"x", b"y"),
        store.delete(order),
        store.list(None, 1),
    ):
        with pytest.raises(KeyStoreAway):
            await call
    assert await store.name_once("1" * 32) == "1" * 32
    assert await store.get(order) is None
    assert await store.put_if_absent(order, b"x") == b"x"


@pytest.mark.radosgw
async def test_a_bucket_that_does_not_answer_is_away_and_not_empty(
    radosgw: RadosGateway, order: OrderId
) -> None:
    store = S3KeyStore(Bucket(open_s3(radosgw.access, read_seconds=0.3, tries=1), radosgw.new_bucket().name))
    await store.put_if_absent(order, b"entry")
    radosgw.pause()
    try:
        for call in (store.get(order), store.put_if_absent(order, b"x"), store.list(None, 1)):
            with pytest.raises(KeyStoreAway):
                await call
    finally:
        radosgw.resume()
    assert await store.get(order) == b"entry"
    store.close()
