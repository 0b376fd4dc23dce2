"""Which buckets are refused at start, asked of a real S3 server."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from media.aws import AwsRefused, open_s3
from media.buckets import NOTHING_MORE, Bucket, Protection
from media.buckets.checks import BucketUnfit, check_keys, check_objects, check_quarantine
from tests.servers.radosgw import RadosGateway

pytestmark = pytest.mark.radosgw


def test_plain_buckets_are_fit_and_nothing_is_left_in_them(radosgw: RadosGateway) -> None:
    objects, keys = radosgw.new_bucket(), radosgw.new_bucket()
    check_objects(objects, NOTHING_MORE)
    check_keys(keys)
    quarantine = radosgw.new_quarantine()
    check_quarantine(quarantine)
    assert list(quarantine.all_keys("")) == []
    check_objects(radosgw.new_bucket(lock=True), Protection(lock_days=30))
    assert list(keys.all_keys("")) == []


def test_a_bucket_that_is_not_there_is_refused(radosgw: RadosGateway) -> None:
    nowhere = Bucket(open_s3(radosgw.access), "no-such-bucket")
    with pytest.raises(BucketUnfit, match="no such bucket"):
        check_objects(nowhere, NOTHING_MORE)
    with pytest.raises(BucketUnfit, match="no such bucket"):
        check_keys(nowhere)
    with pytest.raises(BucketUnfit, match="no such bucket"):
        check_quarantine(nowhere)


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


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_pictures_in_versions_would_live_on(radosgw: RadosGateway, status: str) -> None:
    quarantine = radosgw.new_quarantine()
    for each in ("Enabled", status):
        quarantine.client.put_bucket_versioning(
            Bucket=quarantine.name,
            VersioningConfiguration={"Status": each},  # type: ignore[typeddict-item]
        )
    with pytest.raises(BucketUnfit, match="removed pictures would live on"):
        check_quarantine(quarantine)


@pytest.mark.parametrize(
    ("operation", "answer", "told"),
    [
        (
            "get_object_lock_configuration",
            {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}},
            "object lock",
        ),
        (
            "get_bucket_replication",
            {"ReplicationConfiguration": {"Rules": [{"Status": "Enabled"}]}},
            "copied to another",
        ),
    ],
)
def test_buckets_that_must_forget_are_not_locked_and_not_copied(
    radosgw: RadosGateway, monkeypatch: pytest.MonkeyPatch, operation: str, answer: object, told: str
) -> None:
    """As Amazon says it; Ceph has neither without versions, which are refused already."""
    for bucket, check in ((radosgw.new_bucket(), check_keys), (radosgw.new_quarantine(), check_quarantine)):
        monkeypatch.setattr(bucket.client, operation, lambda **_: answer)
        with pytest.raises(BucketUnfit, match=told):
            check(bucket)


@pytest.mark.parametrize(
    "rule",
    [
        None,
        {"Status": "Disabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}},
        {"Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 2}},
        {"Status": "Enabled", "Filter": {"Prefix": "elsewhere/"}, "Expiration": {"Days": 1}},
        {"Status": "Enabled", "Filter": {"Tag": {"Key": "a", "Value": "b"}}, "Expiration": {"Days": 1}},
        {
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        },
    ],
)
def test_a_quarantine_that_the_service_does_not_empty_is_refused(radosgw: RadosGateway, rule: Any) -> None:
    bucket = radosgw.new_bucket()
    _rules(bucket, rule)
    with pytest.raises(BucketUnfit, match="after one day"):
        check_quarantine(bucket)
    _rules(bucket, {"Status": "Enabled", "Filter": {"Prefix": "quarantine/"}, "Expiration": {"Days": 1}})
    check_quarantine(bucket)


def _rules(bucket: Bucket, rule: Any) -> None:
    if rule is not None:
        rules: Any = {"Rules": [{"ID": "one", **rule}]}
        bucket.client.put_bucket_lifecycle_configuration(Bucket=bucket.name, LifecycleConfiguration=rules)


def test_a_quarantine_of_whose_rules_nothing_is_said_is_refused(
    radosgw: RadosGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = radosgw.new_quarantine()

    def silent(**_: str) -> None:
        answer: Any = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        raise ClientError(answer, "GetBucketLifecycleConfiguration")

    monkeypatch.setattr(bucket.client, "get_bucket_lifecycle_configuration", silent)
    with pytest.raises(AwsRefused, match="AccessDenied"):
        check_quarantine(bucket)


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
    with pytest.raises(BucketUnfit, match="all by itself"):
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
