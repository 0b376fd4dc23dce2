"""Names of KMS keys."""

from __future__ import annotations

import re

#: `arn:aws-cn:kms:cn-north-1:123456789012:key/…` or `…:alias/kaika`.
_KEY_ARN = re.compile(r"(arn:aws[a-z-]*:kms:([a-z0-9-]+):[0-9]{12}:)(?:key/[A-Za-z0-9-]+|alias/[\w/-]+)")
#: Longest ARN, bytes.
MAX_ARN = 512


def is_key_arn(text: str) -> bool:
    return len(text) <= MAX_ARN and text.isascii() and _KEY_ARN.fullmatch(text) is not None


def account_of(key: str) -> str:
    """What the ARNs of all keys of the same account and region begin with. Raises ValueError."""
    return _parts(key)[0]


def region_of(key: str) -> str:
    """Raises ValueError."""
    return _parts(key)[1]


def _parts(key: str) -> tuple[str, str]:
    found = _KEY_ARN.fullmatch(key) if is_key_arn(key) else None
    if found is None:
        raise ValueError("not the ARN of a KMS key or alias")
    return found[1], found[2]
