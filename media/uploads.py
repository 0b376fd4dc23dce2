"""Pictures that phones upload to the storage themselves: a signed form in, a bounded look, and away again.

    quarantine/ORDER/UPLOAD    in a bucket of its own; nobody reads it but the server that takes it

The form is good for one key, one content type, a bounded length and a short time; the storage refuses all
else. What lies here is not yet sealed by us, so nothing stays longer than it takes to look (`sweep`), and
the bucket keeps no versions, locks nothing and is copied nowhere (`media.buckets.checks.check_quarantine`).
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from activation.ids import Digest, OrderId
from media.aws import AwsAway, AwsRefused, aws_faults
from media.buckets import QUARANTINE, Bucket, Protection
from media.images import MAX_BYTES
from media.threads import BoundedThreads
from media.vault import VaultAway, VaultBusy, VaultFault

T = TypeVar("T")

#: So long a form may be used.
FORM_SECONDS = 600
THREADS = 4
#: Calls that may run or wait at once.
MAX_CALLS = 32
#: Pictures in memory at once, each MAX_BYTES at most.
MAX_HELD = 16


@dataclass(frozen=True)
class UploadForm:
    """A POST of multipart/form-data to `url`: all `fields`, then `file`. Good for whoever has it."""

    url: str
    fields: dict[str, str] = field(repr=False)


class Quarantine:
    """Every call may raise VaultFault. Close it, or its threads stay.

    signing: the same bucket under the address by which phones reach it.
    """

    def __init__(self, bucket: Bucket, signing: Bucket, protection: Protection) -> None:
        self._bucket, self._signing, self._protection = bucket, signing, protection
        self._threads = BoundedThreads("uploads", THREADS, MAX_CALLS, VaultBusy)
        self._held = 0

    async def offer(
        self,
        order_id: OrderId,
        upload_id: str,
        media_type: str,
        digest: Digest | None = None,
        *,
        seconds: int = FORM_SECONDS,
    ) -> UploadForm:
        """digest: SHA-256 of the picture, which storage that knows of it compares; the server does anyway."""
        key = _key(order_id, upload_id)
        return await self._run(lambda: self._sign(key, self._wanted(media_type, digest), seconds))

    @asynccontextmanager
    async def fetched(self, order_id: OrderId, upload_id: str) -> AsyncIterator[bytes | None]:
        """What was uploaded, at most MAX_BYTES and one more; None: nothing was.

        It counts as held until the block is left. Raises VaultBusy where MAX_HELD are.
        """
        if self._held >= MAX_HELD:
            raise VaultBusy("too many uploads are being looked at")
        self._held += 1
        try:
            found = await self._run(lambda: self._bucket.read(_key(order_id, upload_id), MAX_BYTES))
            yield None if found is None else found.data
        finally:
            self._held -= 1

    async def remove(self, order_id: OrderId, upload_id: str) -> None:
        """Removing what is not there does nothing."""
        await self._run(lambda: self._bucket.delete(_key(order_id, upload_id)))

    async def remove_all(self, order_id: OrderId) -> None:
        """Everything that waits for one order."""
        await self._run(lambda: self._bucket.delete_all(_key(order_id, "")))

    async def sweep(self, before: datetime) -> int:
        """Removes what was uploaded before then; how many."""
        return await self._run(lambda: self._sweep(before))

    def close(self) -> None:
        """Waits for calls that run."""
        self._threads.close()

    def _wanted(self, media_type: str, digest: Digest | None) -> dict[str, str]:
        """Fields whose values the form fixes."""
        wanted = {"Content-Type": media_type, "success_action_status": "201"}
        if digest is not None:
            wanted["x-amz-checksum-algorithm"] = "SHA256"
            wanted["x-amz-checksum-sha256"] = base64.b64encode(bytes.fromhex(digest)).decode()
        if self._protection.kms_key is not None:
            wanted["x-amz-server-side-encryption"] = "aws:kms"
            wanted["x-amz-server-side-encryption-aws-kms-key-id"] = self._protection.kms_key
        return wanted

    def _sign(self, key: str, wanted: dict[str, str], seconds: int) -> UploadForm:
        conditions: list[Any] = [{name: value} for name, value in wanted.items()]
        with aws_faults():
            signed = self._signing.client.generate_presigned_post(
                Bucket=self._signing.name,
                Key=key,
                Fields=dict(wanted),
                Conditions=[*conditions, ["content-length-range", 1, MAX_BYTES]],
                ExpiresIn=seconds,
            )
        return UploadForm(signed["url"], signed["fields"])

    def _sweep(self, before: datetime) -> int:
        old = list(self._bucket.older_than(QUARANTINE, before))
        for key in old:
            self._bucket.delete(key)
        return len(old)

    async def _run(self, work: Callable[[], T]) -> T:
        with _faults():
            return await self._threads.run(work)


def _key(order_id: OrderId, upload_id: str) -> str:
    return f"{QUARANTINE}{OrderId(order_id)}/{upload_id}"


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except AwsAway as away:
        raise VaultAway(f"the quarantine: {away}") from None
    except AwsRefused as refused:
        raise VaultFault(f"the quarantine: {refused}") from None
