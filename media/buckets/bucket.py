"""One bucket of S3, as vault, key store and quarantine use it. Blocking: call it in a thread.

Every call may raise AwsAway or AwsRefused.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from media.aws import AwsAway, AwsRefused, aws_faults

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

#: Where uploads lie until they were looked at, in a bucket of their own.
QUARANTINE = "quarantine/"
#: A delete that lost against a write at the same moment is said to have been done; so it is looked at.
DELETE_TRIES = 5
_MISSING = frozenset({"NoSuchKey", "NoSuchVersion", "404"})
_EXISTS = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


@dataclass(frozen=True)
class Found:
    """An entry with the service's tag of it."""

    data: bytes
    tag: str


@dataclass(frozen=True)
class Protection:
    """What the service does on top of our own sealing.

    lock_mode: GOVERNANCE | COMPLIANCE: nobody, or nobody without a special right, deletes it for `lock_days`.
    kms_key: encrypt it with this key of the key service as well (SSE-KMS).
    """

    lock_days: int | None = None
    lock_mode: str = "GOVERNANCE"
    kms_key: str | None = None

    def encryption(self) -> dict[str, Any]:
        """Arguments of a write."""
        if self.kms_key is None:
            return {}
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key}

    def retention(self, now: datetime) -> dict[str, Any] | None:
        if self.lock_days is None:
            return None
        return {"Mode": self.lock_mode, "RetainUntilDate": now + timedelta(days=self.lock_days)}


NOTHING_MORE = Protection()


class Bucket:
    """name: of a bucket that exists (`media.buckets.checks`)."""

    def __init__(self, client: S3Client, name: str) -> None:
        self.client = client
        self.name = name

    def read(self, key: str, most: int) -> Found | None:
        """At most `most` bytes and one more of the object; None where there is none."""
        try:
            with aws_faults():
                answer = self.client.get_object(Bucket=self.name, Key=key)
                with answer["Body"] as body:
                    return Found(body.read(most + 1), answer["ETag"])
        except AwsRefused as refused:
            if refused.code in _MISSING:
                return None
            raise

    def exists(self, key: str) -> bool:
        try:
            with aws_faults():
                self.client.head_object(Bucket=self.name, Key=key)
        except AwsRefused as refused:
            if refused.code in _MISSING:
                return False
            raise
        return True

    def write(self, key: str, data: bytes, **how: Any) -> None:
        """A small object, over what stands there. how: further arguments, of `Protection.encryption`."""
        with aws_faults():
            self.client.put_object(Bucket=self.name, Key=key, Body=data, ContentMD5=content_md5(data), **how)

    def write_if_absent(self, key: str, data: bytes, **how: Any) -> bool:
        """False, and nothing done, where something stands. Of several at once one is told True."""
        try:
            self.write(key, data, IfNoneMatch="*", **how)
        except AwsRefused as refused:
            if refused.code in _EXISTS:
                return False
            raise
        return True

    def replace(self, key: str, tag: str, data: bytes, **how: Any) -> bool:
        """False, and nothing done, unless what stands there has `tag`."""
        for spelling in (tag, tag.strip('"')):  # Ceph compares without the quotation marks
            try:
                self.write(key, data, IfMatch=spelling, **how)
            except AwsRefused as refused:
                if refused.code not in _EXISTS | _MISSING:
                    raise
            else:
                return True
        return False

    def delete(self, key: str) -> None:
        """Of a bucket without versions: nothing is there afterwards. Deleting nothing does nothing."""
        for _ in range(DELETE_TRIES):
            with aws_faults():
                self.client.delete_object(Bucket=self.name, Key=key)
            if not self.exists(key):
                return
        raise AwsAway("the object is written again and again")

    def delete_all(self, prefix: str) -> None:
        """Of a bucket without versions: every object whose key begins with `prefix`."""
        for key in list(self.all_keys(prefix)):
            self.delete(key)

    def delete_versions(self, prefix: str) -> None:
        """Every version of every object whose key begins with `prefix`.

        A locked one stays, under a delete marker, so that the bucket's lifecycle removes it once it may.
        """
        locked = set()
        for page in self._pages("list_object_versions", prefix):
            for version in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                if not self._delete(version["Key"], version["VersionId"]):
                    locked.add(version["Key"])
        for key in locked:
            with aws_faults():
                self.client.delete_object(Bucket=self.name, Key=key)

    def delete_version(self, key: str, version: str | None) -> None:
        """This one version; of a bucket without versions the object. Locked: as `delete_versions`."""
        if not self._delete(key, version):
            with aws_faults():
                self.client.delete_object(Bucket=self.name, Key=key)

    def _delete(self, key: str, version: str | None) -> bool:
        """False where object lock forbids it."""
        which: dict[str, Any] = {} if version is None else {"VersionId": version}
        try:
            with aws_faults():
                self.client.delete_object(Bucket=self.name, Key=key, **which)
        except AwsRefused as refused:
            if refused.code != "AccessDenied" or version is None:
                raise
            return False
        return True

    def keys(self, prefix: str, after: str, limit: int) -> Sequence[str]:
        """Up to `limit` (at most 1000) keys in ascending order, those after `after`."""
        with aws_faults():
            answer = self.client.list_objects_v2(
                Bucket=self.name, Prefix=prefix, StartAfter=after, MaxKeys=limit
            )
        return [each["Key"] for each in answer.get("Contents", ())]

    def all_keys(self, prefix: str) -> Iterator[str]:
        for page in self._pages("list_objects_v2", prefix):
            yield from (each["Key"] for each in page.get("Contents", ()))

    def folders(self, prefix: str) -> Iterator[str]:
        """What stands between `prefix` and the next slash, each once, in ascending order."""
        for page in self._pages("list_objects_v2", prefix, Delimiter="/"):
            for each in page.get("CommonPrefixes", ()):
                yield str(each["Prefix"])[len(prefix) : -1]

    def older_than(self, prefix: str, moment: datetime) -> Iterator[str]:
        """Keys of objects written before `moment`, by the service's clock."""
        for page in self._pages("list_objects_v2", prefix):
            yield from (each["Key"] for each in page.get("Contents", ()) if each["LastModified"] < moment)

    def abort_uploads(self, before: datetime) -> int:
        """Ends uploads in parts that began before `moment` and never became an object; how many."""
        ended = 0
        for page in self._pages("list_multipart_uploads", ""):
            for upload in page.get("Uploads", ()):
                if upload["Initiated"] < before:
                    with aws_faults():
                        self.client.abort_multipart_upload(
                            Bucket=self.name, Key=upload["Key"], UploadId=upload["UploadId"]
                        )
                    ended += 1
        return ended

    def _pages(self, operation: Any, prefix: str, **how: str) -> Iterator[dict[str, Any]]:
        with aws_faults():
            yield from self.client.get_paginator(operation).paginate(Bucket=self.name, Prefix=prefix, **how)


def content_md5(data: bytes) -> str:
    """For the header of this name: against accidents on the way. Against people there is the seal."""
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
