"""What order keys must do, the tests' own ones too; `activation.order_keys.OrderKeys` says it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from activation.ids import OrderId
from activation.order_keys import OrderKeyGone, OrderKeys, Unreadable
from media.keys.order_keys import StoredOrderKeys
from media.keys.service_file import FileKeyService
from media.keys.store_folder import FolderKeyStore
from tests.order_keys import DerivedOrderKeys

ORDER = OrderId.new()


@pytest.fixture(params=["stored", "derived"])
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OrderKeys]:
    if request.param == "derived":
        yield DerivedOrderKeys()
        return
    store = FolderKeyStore(tmp_path / "keystore")
    yield StoredOrderKeys(store, FileKeyService(os.urandom(32)))
    store.close()


async def test_a_key_is_made_once(keys: OrderKeys) -> None:
    made = await keys.create(ORDER)
    assert made.order == ORDER
    assert await keys.create(ORDER) == await keys.of(ORDER) == made
    assert await keys.create(OrderId.new()) != made


async def test_a_destroyed_key_is_gone(keys: OrderKeys) -> None:
    await keys.create(ORDER)
    for _ in range(2):
        await keys.destroy(ORDER)
        with pytest.raises(OrderKeyGone):
            await keys.of(ORDER)


async def test_a_key_made_after_destruction_is_another_one(keys: OrderKeys) -> None:
    sealed = (await keys.create(ORDER)).seal("orders.name", b"name")
    await keys.destroy(ORDER)
    made = await keys.create(ORDER)
    assert await keys.of(ORDER) == made
    with pytest.raises(Unreadable):
        made.open("orders.name", sealed)
    await keys.destroy(ORDER)
    with pytest.raises(OrderKeyGone):
        await keys.of(ORDER)
