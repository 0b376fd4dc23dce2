"""How the entries of one audit chain hang together; what a verifier without a database needs as well."""

from __future__ import annotations

import hashlib
import json
from typing import Any

#: What the first entry of a chain follows.
START = "0" * 64


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def canonical(content: Any) -> str:
    """JSON in one form: sorted keys, no spaces, ASCII."""
    return _ENCODER.encode(content)


def link(previous: str, chain: str, seq: int, content: str) -> str:
    """Hash of an entry, 64 hex digits. `content` comes last, so nothing can be moved between the parts."""
    return hashlib.sha256(f"{previous}\n{chain}\n{seq}\n{content}".encode()).hexdigest()


def digest_of(value: Any) -> str:
    """SHA-256 of a JSON value in its one form: how entries speak of rows that lie elsewhere."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()
