"""Settings of key service and key store: what wraps the orders' keys, and where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app import environment as parse
from app.environment import Reader
from media.keys.arns import is_key_arn


class KeyServiceChoice(StrEnum):
    FILE = "file"
    KMS = "kms"


@dataclass(frozen=True)
class KeySettings:
    """kms_key: ARN of a key or alias. kms_endpoint: None: Amazon's own address in the region of the ARN.

    store: folder of the key store; None: in the data folder. allow_files: production takes key files.
    """

    service: KeyServiceChoice = KeyServiceChoice.FILE
    kms_key: str = ""
    kms_endpoint: str | None = None
    store: Path | None = None
    allow_files: bool = False


def read_key_settings(env: Reader) -> KeySettings:
    service = env.take("KAIKA_KEY_SERVICE", KeyServiceChoice, KeyServiceChoice.FILE)
    return KeySettings(
        service=service,
        kms_key=env.take("KAIKA_KMS_KEY", _key_arn, "", wanted=service is KeyServiceChoice.KMS),
        kms_endpoint=env.take("KAIKA_KMS_ENDPOINT", parse.web_address, "") or None,
        store=env.take("KAIKA_KEY_STORE", _folder, None),
        allow_files=env.take("KAIKA_ALLOW_FILE_KEYS", parse.yes_or_no, False),
    )


def key_problems(keys: KeySettings) -> list[tuple[bool, str]]:
    """What production wants of them: whether it holds, and what is said where it does not."""
    return [
        (
            keys.service is KeyServiceChoice.KMS or keys.allow_files,
            "KAIKA_KEY_SERVICE: key files lie on the machine that they protect; use kms, or set "
            "KAIKA_ALLOW_FILE_KEYS=yes",
        ),
        (
            keys.kms_endpoint is None or parse.is_https(keys.kms_endpoint),
            "KAIKA_KMS_ENDPOINT: production needs an https:// address",
        ),
    ]


def key_warnings(keys: KeySettings) -> list[str]:
    """What production allows but should know."""
    if keys.service is KeyServiceChoice.FILE:
        return ["KAIKA_KEY_SERVICE: file; whoever copies this machine's disk can read what is on it"]
    return []


def _key_arn(raw: str) -> str:
    if not is_key_arn(raw):
        raise ValueError("must be the ARN of a KMS key or alias")
    return raw


def _folder(raw: str) -> Path | None:
    return parse.folder(raw)
