"""Objects from before orders had keys: of destroyed orders, damaged ones, and many of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest

import app.rotation.objects as objects
from activation.ids import Digest, OrderId
from app.rotation.objects import BEFORE, UNREADABLE, ObjectsPart
from media.envelope import FileKeyWrapper, ObjectKeys
from media.vault_local import LocalVault
from tests.media.test_vault_local import put_under
from tests.order_keys import DerivedOrderKeys

WRAPPER = FileKeyWrapper(b"v" * 32)


@pytest.fixture
def keys() -> DerivedOrderKeys:
    return DerivedOrderKeys()


@pytest.fixture
def vault(tmp_path: Path, keys: DerivedOrderKeys) -> Iterator[LocalVault]:
    opened = LocalVault(tmp_path, ObjectKeys(keys, WRAPPER))
    yield opened
    opened.close()


async def from_before(vault: LocalVault, folder: Path, order: OrderId, data: bytes = b"data") -> Digest:
    digest = await vault.put(order, "clip", "video/webm", data)
    put_under(WRAPPER, folder, order, digest, await DerivedOrderKeys().of(order))
    return digest


async def test_what_still_opens_of_a_destroyed_order_is_counted(
    vault: LocalVault, keys: DerivedOrderKeys, tmp_path: Path
) -> None:
    order = OrderId.new()
    await from_before(vault, tmp_path, order)
    await keys.destroy(order)
    part = ObjectsPart(vault, keys)
    assert (await part.page(None)).changed == 0
    assert (await part.left())[BEFORE] == 1


async def test_one_damaged_object_stops_nothing(
    vault: LocalVault, keys: DerivedOrderKeys, tmp_path: Path
) -> None:
    order, other = sorted((OrderId.new(), OrderId.new()))
    damaged = await from_before(vault, tmp_path, order)
    await from_before(vault, tmp_path, order, b"whole")
    await from_before(vault, tmp_path, other)
    (tmp_path / "keys" / order / f"{damaged}.json").write_bytes(b"{")
    part = ObjectsPart(vault, keys)
    assert await part.total() == 2
    assert (await part.page(None)).changed == 2
    assert await part.left() == {BEFORE: 0, UNREADABLE: 1}


async def test_the_vault_is_listed_once_for_all_pages(
    vault: LocalVault, keys: DerivedOrderKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "PAGE", 2)
    orders = sorted(OrderId.new() for _ in range(5))
    for order in orders:
        await from_before(vault, tmp_path, order)
    part, look = ObjectsPart(vault, keys), Mock(wraps=vault._orders)
    monkeypatch.setattr(vault, "_orders", look)
    await part.total()
    after, changed = None, 0
    while (page := await part.page(after)).last is not None:
        after, changed = page.last, changed + page.changed
    assert (changed, look.call_count) == (5, 1)
