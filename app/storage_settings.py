"""Settings of the vault: a folder, or buckets of S3."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from app import environment as parse
from app.environment import Reader

MAX_LOCK_DAYS = 3650
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class StorageUnusable(Exception):
    """The buckets cannot be used as they are; named by their variable."""


class VaultChoice(StrEnum):
    FOLDER = "folder"
    S3 = "s3"


class LockMode(StrEnum):
    GOVERNANCE = "governance"
    COMPLIANCE = "compliance"


@dataclass(frozen=True)
class S3Settings:
    """endpoint: None: Amazon's own of the region. Key files: None: the role of the machine.

    quarantine_bucket: for direct uploads; None: not offered.
    upload_endpoint: address by which phones reach the storage; None: the same.

    lock_days: each object stays undeletable for so long after it was written; None: no object lock.
    sse_kms_key: the service encrypts everything with this key of its own as well.
    """

    endpoint: str | None = None
    upload_endpoint: str | None = None
    region: str = "us-east-1"
    bucket: str = ""
    keys_bucket: str = ""
    quarantine_bucket: str | None = None
    access_key_file: Path | None = None
    secret_key_file: Path | None = None
    lock_days: int | None = None
    lock_mode: LockMode = LockMode.GOVERNANCE
    sse_kms_key: str | None = None


@dataclass(frozen=True)
class StorageSettings:
    vault: VaultChoice = VaultChoice.FOLDER
    s3: S3Settings = field(default_factory=S3Settings)


def read_storage_settings(env: Reader) -> StorageSettings:
    vault = env.take("KAIKA_VAULT", VaultChoice, VaultChoice.FOLDER)
    on_s3 = vault is VaultChoice.S3
    endpoint = env.take("KAIKA_S3_ENDPOINT", parse.web_address, "") or None
    secret_given = env.given("KAIKA_S3_SECRET_KEY_FILE")
    # At an endpoint of one's own there is no role of the machine.
    access = env.take(
        "KAIKA_S3_ACCESS_KEY_FILE", parse.file, None, wanted=on_s3 and (endpoint is not None or secret_given)
    )
    found = S3Settings(
        endpoint=endpoint,
        upload_endpoint=env.take("KAIKA_S3_UPLOAD_ENDPOINT", parse.web_address, "") or None,
        region=env.take("KAIKA_S3_REGION", parse.word, "us-east-1"),
        bucket=env.take("KAIKA_S3_BUCKET", _bucket, "", wanted=on_s3),
        keys_bucket=env.take("KAIKA_S3_KEYS_BUCKET", _bucket, "", wanted=on_s3),
        quarantine_bucket=env.take("KAIKA_S3_QUARANTINE_BUCKET", _bucket, "") or None,
        access_key_file=access,
        secret_key_file=env.take(
            "KAIKA_S3_SECRET_KEY_FILE", parse.file, None, wanted=on_s3 and access is not None
        ),
        lock_days=env.take("KAIKA_S3_OBJECT_LOCK_DAYS", parse.count(0, MAX_LOCK_DAYS), 0) or None,
        lock_mode=env.take("KAIKA_S3_OBJECT_LOCK_MODE", LockMode, LockMode.GOVERNANCE),
        sse_kms_key=env.take("KAIKA_S3_SSE_KMS_KEY", str, "") or None,
    )
    if on_s3 and found.bucket and found.bucket == found.keys_bucket:
        env.problems.append("KAIKA_S3_KEYS_BUCKET: must be another bucket than KAIKA_S3_BUCKET")
    if on_s3 and found.quarantine_bucket in (found.bucket, found.keys_bucket):
        env.problems.append("KAIKA_S3_QUARANTINE_BUCKET: must be a bucket of its own")
    return StorageSettings(vault, found)


def storage_problems(storage: StorageSettings) -> list[tuple[bool, str]]:
    """What production wants of them: whether it holds, and what is said where it does not."""
    addresses = {
        "KAIKA_S3_ENDPOINT": storage.s3.endpoint,
        "KAIKA_S3_UPLOAD_ENDPOINT": storage.s3.upload_endpoint,
    }
    folder = storage.vault is VaultChoice.FOLDER
    return [
        (
            folder or address is None or parse.is_https(address),
            f"{variable}: production needs an https:// address",
        )
        for variable, address in addresses.items()
    ]


def _bucket(raw: str) -> str:
    if not _BUCKET.fullmatch(raw):
        raise ValueError("must be the name of a bucket: 3 to 63 lower-case letters, digits, '-' or '.'")
    return raw
