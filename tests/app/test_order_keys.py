"""Orders' keys as the settings say: files, KMS, and the way from one to the other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from activation.adapters.sql.engine import open_engine, open_sessions
from activation.ids import OrderId
from activation.order_keys import OrderKey, OrderKeysFault, order_keys
from app.config import load_settings
from app.keys import load_keys
from app.order_keys import open_order_keys
from app.rotation.tables import KeyRotationRow
from app.storage_settings import StorageUnusable

ORDER = OrderId.new()


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Settings that choose KMS."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("kms", region_name="cn-north-1")
        key = client.create_key()["KeyMetadata"]
        client.create_alias(AliasName="alias/kaika", TargetKeyId=key["KeyId"])
        alias = key["Arn"].rpartition(":")[0] + ":alias/kaika"
        yield {"KAIKA_KEY_SERVICE": "kms", "KAIKA_KMS_KEY": alias}


async def key_of(folder: Path, chosen: dict[str, str], order: OrderId = ORDER) -> OrderKey:
    """The order's key, as a server that has just started with these settings has it."""
    settings = load_settings({"KAIKA_DATA_DIR": str(folder), **chosen})
    os.makedirs(folder, exist_ok=True)
    async with AsyncExitStack() as stack:
        engine = open_engine(settings.database_url)
        stack.push_async_callback(engine.dispose)
        async with engine.begin() as connection:
            await connection.run_sync(KeyRotationRow.metadata.create_all)
        opened = await open_order_keys(stack, settings, load_keys(settings), open_sessions(engine))
        assert order_keys() is opened
        return await opened.create(order)


async def test_with_files_and_with_kms_a_key_stays_what_it_is(tmp_path: Path, kms: dict[str, str]) -> None:
    files, wrapped = tmp_path / "files", tmp_path / "kms"
    assert await key_of(files, {}) == await key_of(files, {})
    assert await key_of(wrapped, kms) == await key_of(wrapped, kms)
    assert not (wrapped / "keys" / "vault.key").exists()
    entry = next((wrapped / "keystore").rglob("*.key")).read_bytes()
    assert entry.startswith(b"kms1\narn:")


async def test_whoever_moves_to_kms_still_opens_what_files_wrapped(
    tmp_path: Path, kms: dict[str, str]
) -> None:
    before = await key_of(tmp_path, {})
    assert await key_of(tmp_path, kms) == before


async def test_without_kms_its_keys_cannot_be_had_and_are_not_made_anew(
    tmp_path: Path, kms: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await key_of(tmp_path, kms)
    nobody = kms | {"KAIKA_KMS_KEY": kms["KAIKA_KMS_KEY"] + "-deleted"}
    with pytest.raises(OrderKeysFault):
        await key_of(tmp_path, nobody, OrderId.new())
    assert await key_of(tmp_path, kms) == made


async def test_the_key_store_lies_where_it_is_told_to(tmp_path: Path) -> None:
    elsewhere = tmp_path / "apart"
    await key_of(tmp_path / "data", {"KAIKA_KEY_STORE": str(elsewhere)})
    assert [path.name for path in elsewhere.rglob("*.key")] == [f"{ORDER}.key"]
    assert not (tmp_path / "data" / "keystore").exists()


async def test_without_its_key_store_nothing_starts(tmp_path: Path) -> None:
    """The volume is not mounted: the folder is there, and empty."""
    made, store = await key_of(tmp_path, {}), tmp_path / "keystore"
    store.rename(tmp_path / "apart")
    store.mkdir()
    with pytest.raises(StorageUnusable, match="KAIKA_KEY_STORE"):
        await key_of(tmp_path, {})
    assert list(store.iterdir()) == []
    store.rmdir()
    (tmp_path / "apart").rename(store)
    assert await key_of(tmp_path, {}) == made


async def test_with_the_key_store_of_another_database_nothing_starts(tmp_path: Path) -> None:
    await key_of(tmp_path / "one", {})
    await key_of(tmp_path / "two", {})
    with pytest.raises(StorageUnusable, match="another"):
        await key_of(tmp_path / "one", {"KAIKA_KEY_STORE": str(tmp_path / "two" / "keystore")})


async def test_a_key_store_that_is_unmounted_while_the_server_runs_is_away(tmp_path: Path) -> None:
    await key_of(tmp_path, {})
    settings = load_settings({"KAIKA_DATA_DIR": str(tmp_path)})
    async with AsyncExitStack() as stack:
        engine = open_engine(settings.database_url)
        stack.push_async_callback(engine.dispose)
        opened = await open_order_keys(stack, settings, load_keys(settings), open_sessions(engine))
        (tmp_path / "keystore").rename(tmp_path / "apart")
        (tmp_path / "keystore").mkdir()
        for call in (opened.of(ORDER), opened.create(OrderId.new()), opened.destroy(ORDER)):
            with pytest.raises(OrderKeysFault):
                await call
