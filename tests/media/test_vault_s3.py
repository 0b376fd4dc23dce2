"""The vault on buckets with versions, object lock and the storage's own encryption."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from activation.ids import OrderId
from media.aws import AwsRefused, aws_faults
from media.buckets import PART_BYTES, Bucket, Protection
from media.envelope import ObjectKeys
from media.vault import EvidenceNotFound
from media.vault_s3 import S3Vault
from tests.order_keys import DerivedOrderKeys
from tests.servers.radosgw import KMS_KEY, RadosGateway

pytestmark = pytest.mark.radosgw

LOCK = Protection(lock_days=7, kms_key=KMS_KEY)
#: In one piece, and in parts.
SIZES = (1000, PART_BYTES + 1000)


@pytest.fixture
def objects(radosgw: RadosGateway) -> Bucket:
    return radosgw.new_bucket(lock=True)


@pytest.fixture
def keys(radosgw: RadosGateway) -> Bucket:
    return radosgw.new_bucket()


@pytest.fixture
def vault(objects: Bucket, keys: Bucket) -> Iterator[S3Vault]:
    opened = S3Vault(objects, keys, ObjectKeys(DerivedOrderKeys()), LOCK)
    yield opened
    opened.close()


@pytest.fixture
def order() -> OrderId:
    return OrderId.new()


def _versions(objects: Bucket) -> list[tuple[str, str]]:
    listed = objects.client.list_object_versions(Bucket=objects.name)
    return [(each["Key"], each["VersionId"]) for each in listed.get("Versions", ())]


@pytest.mark.parametrize("size", SIZES)
async def test_objects_are_locked_and_encrypted_by_the_storage_as_well(
    vault: S3Vault, objects: Bucket, keys: Bucket, order: OrderId, size: int
) -> None:
    data = os.urandom(size)
    digest = await vault.put(order, "clip", "video/webm", data)
    ((key, version),) = _versions(objects)
    about = objects.client.head_object(Bucket=objects.name, Key=key, VersionId=version)
    assert about["ServerSideEncryption"] == "aws:kms"
    retention = objects.client.get_object_retention(Bucket=objects.name, Key=key, VersionId=version)
    until = retention["Retention"]["RetainUntilDate"]
    assert abs(until - datetime.now(UTC) - timedelta(days=7)) < timedelta(minutes=5)
    with pytest.raises(AwsRefused, match="AccessDenied"), aws_faults():
        objects.client.delete_object(Bucket=objects.name, Key=key, VersionId=version)
    (key_file,) = keys.all_keys("")
    assert keys.client.head_object(Bucket=keys.name, Key=key_file).get("ServerSideEncryption") == "aws:kms"
    assert await vault.get(order, digest) == data


async def test_overwriting_or_deleting_does_not_hide_what_was_sealed(
    vault: S3Vault, objects: Bucket, order: OrderId
) -> None:
    digest = await vault.put(order, "clip", "video/webm", b"kept")
    ((key, _),) = _versions(objects)
    objects.client.put_object(Bucket=objects.name, Key=key, Body=b"noise")
    assert await vault.get(order, digest) == b"kept"
    objects.client.delete_object(Bucket=objects.name, Key=key)
    assert await vault.get(order, digest) == b"kept"


async def test_the_same_bytes_twice_lock_nothing_twice(
    vault: S3Vault, objects: Bucket, order: OrderId
) -> None:
    for _ in range(2):
        for size in SIZES:
            await vault.put(order, "clip", "video/webm", bytes(size))
    assert len(_versions(objects)) == len(SIZES)
    assert not objects.client.list_multipart_uploads(Bucket=objects.name).get("Uploads")


@pytest.mark.parametrize("whole_order", [False, True])
async def test_what_is_locked_and_destroyed_is_noise_that_waits_for_its_day(
    vault: S3Vault, objects: Bucket, keys: Bucket, order: OrderId, whole_order: bool
) -> None:
    digest = await vault.put(order, "clip", "video/webm", b"destroyed")
    for _ in range(2):
        await (vault.destroy_order(order) if whole_order else vault.destroy(order, digest))
    with pytest.raises(EvidenceNotFound):
        await vault.get(order, digest)
    assert list(keys.all_keys("")) == []
    assert list(objects.all_keys("")) == []  # under a delete marker, which the lifecycle looks for
    assert len(_versions(objects)) == 1


async def test_without_a_lock_every_version_goes(objects: Bucket, keys: Bucket, order: OrderId) -> None:
    vault = S3Vault(objects, keys, ObjectKeys(DerivedOrderKeys()))
    digest = await vault.put(order, "clip", "video/webm", b"one")
    await vault.put(order, "clip", "video/webm", b"two")
    objects.client.put_object(Bucket=objects.name, Key=f"objects/{order}/stray", Body=b"noise")
    await vault.destroy(order, digest)
    assert len(_versions(objects)) == 2
    await vault.destroy_order(order)
    assert _versions(objects) == []
    vault.close()
