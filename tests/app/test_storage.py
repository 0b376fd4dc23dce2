"""Vault and key store by the settings, and what is said about settings and buckets that cannot be."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from activation.adapters.sql.fields import use_field_keys
from activation.ids import OrderId
from activation.order_keys import order_keys
from app.config import Settings, SettingsInvalid, load_settings
from app.records import open_records
from app.schema import prepare_schema
from app.storage import open_buckets, open_key_store, open_quarantine, open_vault
from app.storage_settings import LockMode, StorageUnusable, VaultChoice
from media.buckets import Bucket
from media.envelope import ObjectKeys
from media.keys.store_folder import FolderKeyStore
from media.keys.store_s3 import S3KeyStore
from media.vault_local import LocalVault
from media.vault_s3 import S3Vault
from tests.conftest import TEST_KEYS
from tests.order_keys import DerivedOrderKeys
from tests.servers.radosgw import KMS_KEY, RadosGateway


def environment(folder: Path, gateway: RadosGateway, objects: Bucket, keys: Bucket) -> dict[str, str]:
    for name, content in (("access", gateway.access_key), ("secret", gateway.secret_key)):
        (folder / name).write_text(content + "\n")
    return {
        "KAIKA_DATA_DIR": str(folder / "data"),
        "KAIKA_VAULT": "s3",
        "KAIKA_S3_ENDPOINT": gateway.endpoint,
        "KAIKA_S3_BUCKET": objects.name,
        "KAIKA_S3_KEYS_BUCKET": keys.name,
        "KAIKA_S3_ACCESS_KEY_FILE": str(folder / "access"),
        "KAIKA_S3_SECRET_KEY_FILE": str(folder / "secret"),
    }


@pytest.fixture
def environ(tmp_path: Path, radosgw: RadosGateway) -> dict[str, str]:
    return environment(tmp_path, radosgw, radosgw.new_bucket(), radosgw.new_bucket())


def problems(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(environ)
    return caught.value.problems


async def _open(settings: Settings) -> tuple[LocalVault | S3Vault, FolderKeyStore | S3KeyStore]:
    async with AsyncExitStack() as stack:
        store = await open_key_store(stack, settings)
        vault = await open_vault(stack, settings, ObjectKeys(DerivedOrderKeys()))
        order = OrderId.new()
        digest = await vault.put(order, "frame", "image/jpeg", b"kept")
        assert await vault.get(order, digest) == b"kept"
        assert await store.put_if_absent(order, b"entry") == b"entry"
        assert await store.list(None, 10) == [order]
        return vault, store


async def test_folders_by_default(tmp_path: Path) -> None:
    settings = load_settings({"KAIKA_DATA_DIR": str(tmp_path)})
    vault, store = await _open(settings)
    assert (type(vault), type(store)) == (LocalVault, FolderKeyStore)


@pytest.mark.radosgw
async def test_buckets_where_they_are_chosen(
    environ: dict[str, str], tmp_path: Path, radosgw: RadosGateway
) -> None:
    vault, store = await _open(load_settings(environ))
    assert (type(vault), type(store)) == (S3Vault, S3KeyStore)
    environ["KAIKA_KEY_STORE"] = str(tmp_path / "elsewhere")
    vault, store = await _open(load_settings(environ))
    assert (type(vault), type(store)) == (S3Vault, FolderKeyStore)
    assert (tmp_path / "elsewhere").is_dir()
    assert not (tmp_path / "data").exists()


@pytest.mark.radosgw
async def test_lock_and_encryption_are_taken_from_the_settings(
    environ: dict[str, str], radosgw: RadosGateway
) -> None:
    objects = radosgw.new_bucket(lock=True)
    environ["KAIKA_S3_BUCKET"] = objects.name
    environ["KAIKA_S3_OBJECT_LOCK_DAYS"] = "3"
    environ["KAIKA_S3_OBJECT_LOCK_MODE"] = "compliance"
    environ["KAIKA_S3_SSE_KMS_KEY"] = KMS_KEY
    await _open(load_settings(environ))
    (key,) = objects.all_keys("")
    retention = objects.client.get_object_retention(Bucket=objects.name, Key=key)["Retention"]
    assert retention["Mode"] == "COMPLIANCE"
    assert objects.client.head_object(Bucket=objects.name, Key=key)["SSEKMSKeyId"] == KMS_KEY


@pytest.mark.radosgw
@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("KAIKA_S3_BUCKET", "no-such-bucket", "KAIKA_S3_BUCKET: there is no such bucket"),
        ("KAIKA_S3_KEYS_BUCKET", "no-such-bucket", "KAIKA_S3_KEYS_BUCKET: there is no such bucket"),
        (
            "KAIKA_S3_QUARANTINE_BUCKET",
            "no-such-bucket",
            "KAIKA_S3_QUARANTINE_BUCKET: there is no such bucket",
        ),
        ("KAIKA_S3_OBJECT_LOCK_DAYS", "1", "KAIKA_S3_BUCKET: objects are to be locked"),
        ("KAIKA_S3_ENDPOINT", "http://127.0.0.1:9", "KAIKA_S3_BUCKET: the service did not answer"),
    ],
)
async def test_buckets_that_cannot_be_used_are_named_at_start(
    environ: dict[str, str], variable: str, value: str, told: str
) -> None:
    environ[variable] = value
    with pytest.raises(StorageUnusable, match=told):
        await _open(load_settings(environ))


@pytest.mark.radosgw
async def test_keys_and_evidence_are_kept_in_buckets_and_nothing_in_folders(
    environ: dict[str, str], tmp_path: Path
) -> None:
    order = OrderId.new()
    os.makedirs(environ["KAIKA_DATA_DIR"])
    await prepare_schema(load_settings(environ))
    async with open_records(load_settings(environ)) as records:
        await order_keys().create(order)
        digest = await records.vault.put(order, "frame", "image/jpeg", b"kept")
    async with open_records(load_settings(environ)) as records:
        assert await records.vault.get(order, digest) == b"kept"
    assert not {each.name for each in (tmp_path / "data").iterdir()} & {"keystore", "vault"}
    use_field_keys(TEST_KEYS)  # the root sets its own for the whole process


@pytest.mark.radosgw
async def test_phones_are_sent_to_the_address_that_they_can_reach(
    environ: dict[str, str], radosgw: RadosGateway
) -> None:
    environ["KAIKA_S3_QUARANTINE_BUCKET"] = radosgw.new_quarantine().name
    for variables, begins in (
        ({}, environ["KAIKA_S3_ENDPOINT"]),
        ({"KAIKA_S3_UPLOAD_ENDPOINT": "https://uploads.example"}, "https://uploads.example"),
    ):
        async with AsyncExitStack() as stack:
            quarantine = await open_quarantine(stack, load_settings({**environ, **variables}))
            assert quarantine is not None
            form = await quarantine.offer(OrderId.new(), "upl_" + "0" * 24, "image/jpeg")
            assert form.url == f"{begins}/{environ['KAIKA_S3_QUARANTINE_BUCKET']}"


@pytest.mark.radosgw
async def test_without_a_bucket_for_them_direct_uploads_are_not_offered(
    environ: dict[str, str], tmp_path: Path
) -> None:
    for variables in ({"KAIKA_DATA_DIR": str(tmp_path)}, environ):
        async with AsyncExitStack() as stack:
            assert await open_quarantine(stack, load_settings(variables)) is None


@pytest.mark.radosgw
async def test_a_destroyed_order_leaves_nothing_in_the_quarantine_of_the_settings(
    environ: dict[str, str], radosgw: RadosGateway
) -> None:
    waiting, order = radosgw.new_quarantine(), OrderId.new()
    environ["KAIKA_S3_QUARANTINE_BUCKET"] = waiting.name
    opened = open_buckets(load_settings(environ))
    assert opened is not None
    assert waiting.name in [each.name for each in opened.all()]  # where the privacy scan looks
    waiting.write(f"quarantine/{order}/upl_{'0' * 24}", b"a picture")
    async with AsyncExitStack() as stack:
        vault = await open_vault(stack, load_settings(environ), ObjectKeys(DerivedOrderKeys()))
        await vault.destroy_order(order)
    assert list(waiting.all_keys("")) == []


def test_s3_wants_its_buckets_and_both_halves_of_its_keys(tmp_path: Path) -> None:
    told = problems({"KAIKA_VAULT": "s3"})
    assert [each.partition(":")[0] for each in told] == ["KAIKA_S3_BUCKET", "KAIKA_S3_KEYS_BUCKET"]
    (tmp_path / "half").write_text("x")
    buckets = {"KAIKA_VAULT": "s3", "KAIKA_S3_BUCKET": "objects", "KAIKA_S3_KEYS_BUCKET": "keys"}
    chosen = load_settings(buckets).storage
    assert (chosen.vault, chosen.s3.lock_days, chosen.s3.lock_mode) == (
        VaultChoice.S3,
        None,
        LockMode.GOVERNANCE,
    )
    for given, missing in (("ACCESS", "SECRET"), ("SECRET", "ACCESS")):
        (problem,) = problems({**buckets, f"KAIKA_S3_{given}_KEY_FILE": str(tmp_path / "half")})
        assert problem.startswith(f"KAIKA_S3_{missing}_KEY_FILE: must be set")
    (problem,) = problems({**buckets, "KAIKA_S3_KEYS_BUCKET": "objects"})
    assert "another bucket" in problem
    for taken in ("objects", "keys"):
        (problem,) = problems({**buckets, "KAIKA_S3_QUARANTINE_BUCKET": taken})
        assert problem == "KAIKA_S3_QUARANTINE_BUCKET: must be a bucket of its own"
    (problem,) = problems({**buckets, "KAIKA_S3_BUCKET": "Objects/.."})
    assert problem.startswith("KAIKA_S3_BUCKET: must be the name of a bucket")


def test_production_wants_tls_to_the_storage() -> None:
    told = problems(
        {
            "KAIKA_MODE": "production",
            "KAIKA_VAULT": "s3",
            "KAIKA_S3_BUCKET": "objects",
            "KAIKA_S3_KEYS_BUCKET": "keys",
            "KAIKA_S3_ENDPOINT": "http://storage.example",
        }
    )
    assert "KAIKA_S3_ENDPOINT: production needs an https:// address" in told
