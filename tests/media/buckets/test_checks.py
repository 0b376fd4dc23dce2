"""Which buckets are refused at start, asked of a real S3 server."""

from __future__ import annotations

import pytest

from media.aws import open_s3
from media.buckets import NOTHING_MORE, Bucket, Protection
from media.buckets.checks import BucketUnfit, check_keys, check_objects
from tests.servers.radosgw import RadosGateway

pytestmark = pytest.mark.radosgw


def test_plain_buckets_are_fit_and_nothing_is_left_in_them(radosgw: RadosGateway) -> None:
    objects, keys = radosgw.new_bucket(), radosgw.new_bucket()
    check_objects(objects, NOTHING_MORE)
    check_keys(keys)
    check_objects(radosgw.new_bucket(lock=True), Protection(lock_days=30))
    assert list(keys.all_keys("")) == []


def test_a_bucket_that_is_not_there_is_refused(radosgw: RadosGateway) -> None:
    nowhere = Bucket(open_s3(radosgw.access), "no-such-bucket")
    with pytest.raises(BucketUnfit, match="no such bucket"):
        check_objects(nowhere, NOTHING_MORE)
    with pytest.raises(BucketUnfit, match="no such bucket"):
        check_keys(nowhere)


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_keys_in_versions_would_live_on(radosgw: RadosGateway, status: str) -> None:
    """Suspended: former versions of before are still there."""
    keys = radosgw.new_bucket()
    for each in ("Enabled", status):
        keys.client.put_bucket_versioning(
            Bucket=keys.name,
            VersioningConfiguration={"Status": each},  # type: ignore[typeddict-item]
        )
    with pytest.raises(BucketUnfit, match="live on"):
        check_keys(keys)
    with pytest.raises(BucketUnfit, match="live on"):
        check_keys(radosgw.new_bucket(lock=True))


def test_locks_that_are_wanted_must_be_there_and_no_others(radosgw: RadosGateway) -> None:
    with pytest.raises(BucketUnfit, match="without object lock"):
        check_objects(radosgw.new_bucket(), Protection(lock_days=1))
    by_itself = radosgw.new_bucket(lock=True)
    by_itself.client.put_object_lock_configuration(
        Bucket=by_itself.name,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}},
        },
    )
    with pytest.raises(BucketUnfit, match="quarantine"):
        check_objects(by_itself, Protection(lock_days=1))


def test_a_service_that_overwrites_what_it_should_refuse_is_refused(
    radosgw: RadosGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = radosgw.new_bucket()

    def deaf(key: str, data: bytes, **_: str) -> bool:
        keys.write(key, data)
        return True

    monkeypatch.setattr(keys, "write_if_absent", deaf)
    with pytest.raises(BucketUnfit, match="If-None-Match"):
        check_keys(keys)
    assert list(keys.all_keys("")) == []
