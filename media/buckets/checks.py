"""What must be true of buckets before anything is kept in them; asked at start, not found out late."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from media.aws import AwsFault, AwsRefused, aws_faults
from media.buckets.bucket import QUARANTINE, Bucket, Protection

_PROBE = "probe/"
#: What the service itself removes from quarantine after so many days, should no server be there to sweep.
QUARANTINE_DAYS = 1
#: How services say that something is not switched on.
_NOT_SET = frozenset(
    {
        "ObjectLockConfigurationNotFoundError",
        "ReplicationConfigurationNotFoundError",
        "NoSuchReplicationConfiguration",
    }
)
#: How they say that they do not have it at all, or do not tell us.
_NOT_KNOWN = frozenset({"NotImplemented", "MethodNotAllowed", "AccessDenied", "XNotImplemented"})


class BucketUnfit(Exception):
    """A bucket is not there, not ours, or has something switched on that it must not; the text says what."""


def check_objects(bucket: Bucket, protection: Protection) -> None:
    """Raises BucketUnfit, AwsFault."""
    _exists(bucket)
    lock = _asked(lambda: bucket.client.get_object_lock_configuration(Bucket=bucket.name))
    locks = lock.get("ObjectLockConfiguration", {})
    if protection.lock_days is not None and locks.get("ObjectLockEnabled") != "Enabled":
        raise BucketUnfit("objects are to be locked, and the bucket was made without object lock")
    if "Rule" in locks:
        raise BucketUnfit("the bucket locks all by itself, for longer than we say; take its rule away")


def check_keys(bucket: Bucket) -> None:
    """What is destroyed here must be gone (R8.2). Raises BucketUnfit, AwsFault."""
    _forgets(bucket, "the bucket of keys", "destroyed keys")
    _agrees_on_one(bucket)


def check_quarantine(bucket: Bucket) -> None:
    """Pictures lie here unsealed: what is removed must be gone, here and everywhere (R9.1).

    Raises BucketUnfit, AwsFault.
    """
    _forgets(bucket, "the bucket of quarantine", "removed pictures")
    try:
        with aws_faults():
            answer = bucket.client.get_bucket_lifecycle_configuration(Bucket=bucket.name)
    except AwsRefused as refused:
        if refused.code != "NoSuchLifecycleConfiguration":
            raise
        rules: Iterable[Any] = ()
    else:
        rules = answer.get("Rules", ())
    if not any(_expires_uploads(rule) for rule in rules):
        raise BucketUnfit(f"the bucket of quarantine has no rule that expires {QUARANTINE} after one day")
    probe = _PROBE + secrets.token_hex(16)
    bucket.write(probe, b"")
    _remove(bucket, probe)


def _forgets(bucket: Bucket, which: str, what: str) -> None:
    """It has neither versions nor lock nor replication: a replica never learns that a version was deleted."""
    _exists(bucket)
    # Not asked softly: whoever may not know whether there are versions cannot promise destruction.
    with aws_faults():
        versions = bucket.client.get_bucket_versioning(Bucket=bucket.name).get("Status")
    if versions is not None:
        raise BucketUnfit(f"{which} keeps versions, or did: {what} would live on")
    lock = _asked(lambda: bucket.client.get_object_lock_configuration(Bucket=bucket.name))
    if "ObjectLockConfiguration" in lock:
        raise BucketUnfit(f"{which} has object lock: {what} would live on")
    copies = _asked(lambda: bucket.client.get_bucket_replication(Bucket=bucket.name))
    if copies.get("ReplicationConfiguration", {}).get("Rules"):  # Ceph answers with an empty one
        raise BucketUnfit(f"{which} is copied to another: {what} would live on")


def _expires_uploads(rule: Mapping[str, Any]) -> bool:
    """Whether a lifecycle rule removes everything in quarantine, whatever else it removes."""
    only = rule.get("Filter", {})
    if rule.get("Status") != "Enabled" or not only.keys() <= {"Prefix"}:
        return False
    prefix = rule.get("Prefix") or only.get("Prefix") or ""
    return QUARANTINE.startswith(prefix) and rule.get("Expiration", {}).get("Days") == QUARANTINE_DAYS


def _exists(bucket: Bucket) -> None:
    try:
        with aws_faults():
            bucket.client.head_bucket(Bucket=bucket.name)
    except AwsRefused as refused:
        raise BucketUnfit(f"there is no such bucket, or it is not ours ({refused.status})") from None


def _asked(ask: Callable[[], Any]) -> dict[str, Any]:
    """What is switched on; nothing where it is not, where the service does not have it or does not say."""
    try:
        with aws_faults():
            answer: dict[str, Any] = ask()
    except AwsRefused as refused:
        if refused.code in _NOT_SET | _NOT_KNOWN:
            return {}
        raise
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def _agrees_on_one(bucket: Bucket) -> None:
    """Two processes that make the key of one order must end with the same: the second write is refused."""
    probe = _PROBE + secrets.token_hex(16)
    try:
        if not bucket.write_if_absent(probe, b"first") or bucket.write_if_absent(probe, b"second"):
            raise BucketUnfit("the service ignores If-None-Match: two keys could be made for one order")
    finally:
        _remove(bucket, probe)


def _remove(bucket: Bucket, probe: str) -> None:
    try:
        bucket.delete(probe)
    except AwsFault as fault:
        raise BucketUnfit(f"nothing can be deleted in the bucket: {fault}") from None
