"""Orders' keys as the settings say: files, KMS, and the way from one to the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from activation.ids import OrderId
from activation.order_keys import OrderKey, OrderKeysFault, order_keys
from app.config import load_settings
from app.keys import load_keys
from app.order_keys import open_order_keys

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


async def key_of(folder: Path, chosen: dict[str, str]) -> OrderKey:
    """The order's key, as a server that has just started with these settings has it."""
    settings = load_settings({"KAIKA_DATA_DIR": str(folder), **chosen})
    async with AsyncExitStack() as stack:
        opened = await open_order_keys(stack, settings, load_keys(settings))
        assert order_keys() is opened
        return await opened.create(ORDER)


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
        await key_of(tmp_path, nobody)
    assert await key_of(tmp_path, kms) == made


async def test_the_key_store_lies_where_it_is_told_to(tmp_path: Path) -> None:
    elsewhere = tmp_path / "apart"
    await key_of(tmp_path / "data", {"KAIKA_KEY_STORE": str(elsewhere)})
    assert [path.name for path in elsewhere.rglob("*.key")] == [f"{ORDER}.key"]
    assert not (tmp_path / "data" / "keystore").exists()
