"""Long objects of S3, a part at a time: written in parts that become an object all at once, read by range."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from media.aws import AwsFault, AwsRefused, aws_faults
from media.buckets.bucket import Bucket, Protection, content_md5

#: Bytes of a part; S3 wants 5 MiB or more, and at most 10,000 parts. One part is in memory at a time.
PART_BYTES = 8 * 1024 * 1024
_NO_SUCH_RANGE = 416


class PartWriter:
    """Takes sealed bytes. Nothing can be read before `commit`; `abort`, before or after it, leaves nothing.

    What a killed process leaves is an upload in parts, which is no object; `Bucket.abort_uploads` ends it.
    """

    def __init__(self, bucket: Bucket, key: str, protection: Protection) -> None:
        self._bucket, self._key, self._protection = bucket, key, protection
        self._waiting = bytearray()
        self._upload: str | None = None
        self._parts: list[dict[str, Any]] = []
        self._stands: tuple[str | None] | None = None  # the object's version, once there is an object

    def write(self, data: bytes) -> int:
        self._waiting += data
        while len(self._waiting) >= PART_BYTES:
            part = bytes(memoryview(self._waiting)[:PART_BYTES])
            del self._waiting[:PART_BYTES]
            self._send(part)
        return len(data)

    def commit(self) -> str | None:
        """The object stands, on stable storage. Its version; None where the bucket has none."""
        version = self._put_whole() if self._upload is None else self._complete(self._upload)
        self._stands = (version,)
        self._lock(version)
        return version

    def abort(self) -> None:
        """After a fault, or where the object is not wanted. A fault here costs only room."""
        self._waiting.clear()
        with suppress(AwsFault):
            if self._stands is not None:
                self._bucket.delete_version(self._key, *self._stands)
            elif self._upload is not None:
                with aws_faults():
                    self._client.abort_multipart_upload(**self._place, UploadId=self._upload)

    @property
    def _client(self) -> Any:
        return self._bucket.client

    @property
    def _place(self) -> dict[str, str]:
        return {"Bucket": self._bucket.name, "Key": self._key}

    def _send(self, part: bytes) -> None:
        with aws_faults():
            if self._upload is None:
                begun = self._client.create_multipart_upload(**self._place, **self._protection.encryption())
                self._upload = str(begun["UploadId"])
            number = len(self._parts) + 1
            sent = self._client.upload_part(
                **self._place,
                UploadId=self._upload,
                PartNumber=number,
                Body=part,
                ContentMD5=content_md5(part),
            )
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})

    def _put_whole(self) -> str | None:
        data = bytes(self._waiting)
        with aws_faults():
            answer = self._client.put_object(
                **self._place, Body=data, ContentMD5=content_md5(data), **self._protection.encryption()
            )
        return _version(answer)

    def _complete(self, upload: str) -> str | None:
        if self._waiting:
            self._send(bytes(self._waiting))
            self._waiting.clear()
        with aws_faults():
            answer = self._client.complete_multipart_upload(
                **self._place, UploadId=upload, MultipartUpload={"Parts": self._parts}
            )
        return _version(answer)

    def _lock(self, version: str | None) -> None:
        """Afterwards, and not with the write: Ceph forgets the lock of what came in parts."""
        retention = self._protection.retention(datetime.now(UTC))
        if retention is not None:
            which = {} if version is None else {"VersionId": version}
            with aws_faults():
                self._client.put_object_retention(**self._place, **which, Retention=retention)


class RangeReader:
    """A file to read from start to end. No connection is kept between reads, so a slow reader keeps none.

    An object that is not there is FileNotFoundError at the first read; AwsAway, AwsRefused at any.
    """

    def __init__(self, bucket: Bucket, key: str, version: str | None = None) -> None:
        self._bucket, self._key, self._version = bucket, key, version
        self._waiting = memoryview(b"")
        self._position = 0
        self._ended = False

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, fewer than asked for within the object too; b"" at its end."""
        if not self._waiting and not self._ended:
            self._waiting = memoryview(self._fetch())
            self._position += len(self._waiting)
            self._ended = len(self._waiting) < PART_BYTES
        given, self._waiting = self._waiting[:size], self._waiting[size:]
        return bytes(given)

    def _fetch(self) -> bytes:
        which: dict[str, Any] = {} if self._version is None else {"VersionId": self._version}
        span = f"bytes={self._position}-{self._position + PART_BYTES - 1}"
        try:
            with aws_faults():
                answer = self._bucket.client.get_object(
                    Bucket=self._bucket.name, Key=self._key, Range=span, **which
                )
                with answer["Body"] as body:
                    return body.read(PART_BYTES)
        except AwsRefused as refused:
            if refused.status == _NO_SUCH_RANGE:
                return b""
            if refused.code in ("NoSuchKey", "NoSuchVersion"):
                raise FileNotFoundError from None
            raise


def _version(answer: Any) -> str | None:
    found = answer.get("VersionId")
    return None if found is None else str(found)
