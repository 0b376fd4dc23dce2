"""Who a carrier's event comes from: HMAC-SHA256 over time and body, with keys that can be rotated.

    Kaika-Signature: t=1767225600,v1=HEX[,v1=HEX]

`t` is the sender's clock in Unix seconds; each `v1` is the HMAC of `t`, a full stop and the body's bytes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

HEADER = "Kaika-Signature"
TOLERANCE = timedelta(minutes=5)
MIN_SECRET_BYTES = 32
#: Secrets of one carrier that are valid at the same time, and signatures that one request may carry.
MAX_SECRETS = 4
MAX_SIGNATURES = 4
MAX_HEADER = 512
MAX_FILE_BYTES = 64 * 1024

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_TIME = re.compile(r"[0-9]{1,12}")
_HEX = re.compile(r"[0-9a-f]{64}")


class CarriersInvalid(ValueError):
    """The file of carriers is not as `load_carriers` wants it. Never shows a secret."""


class SignatureRefusal(StrEnum):
    """Why an event is not taken. All but STALE look the same from outside."""

    MISSING = "missing"
    MALFORMED = "malformed"
    UNKNOWN_CARRIER = "unknown_carrier"
    WRONG = "wrong"
    STALE = "stale"


@dataclass(frozen=True)
class Carriers:
    """Secrets of each carrier, newest first."""

    secrets: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict, repr=False)

    def verify(self, carrier: str, header: str, body: bytes, now: datetime) -> SignatureRefusal | None:
        """None where the carrier has signed exactly this body within TOLERANCE of `now`."""
        if not header:
            return SignatureRefusal.MISSING
        parsed = _parse(header)
        if parsed is None:
            return SignatureRefusal.MALFORMED
        sent, signatures = parsed
        # An unknown carrier costs as much time as a known one.
        known = self.secrets.get(carrier, ())
        expected = [sign(secret, sent, body) for secret in known or (bytes(MIN_SECRET_BYTES),)]
        matches = [hmac.compare_digest(one, other) for one in expected for other in signatures]
        if not known:
            return SignatureRefusal.UNKNOWN_CARRIER
        if not any(matches):
            return SignatureRefusal.WRONG
        if abs(now.timestamp() - sent) > TOLERANCE.total_seconds():
            return SignatureRefusal.STALE
        return None


def sign(secret: bytes, sent: int, body: bytes) -> str:
    """One `v1`: 64 hex digits."""
    return hmac.new(secret, f"{sent}.".encode() + body, hashlib.sha256).hexdigest()


def signature_header(secret: bytes, sent: int, body: bytes) -> str:
    """What a carrier puts into the header."""
    return f"t={sent},v1={sign(secret, sent, body)}"


def load_carriers(path: Path) -> Carriers:
    """Reads `{"CARRIER": ["SECRET", …], …}`: each secret at least 32 characters. Raises CarriersInvalid."""
    try:
        with path.open("rb") as file:
            told = json.loads(file.read(MAX_FILE_BYTES))
    except (OSError, ValueError):
        raise CarriersInvalid("the file of carriers is not JSON") from None
    if not isinstance(told, dict):
        raise CarriersInvalid("the file of carriers must hold one object")
    return Carriers({name: _secrets(name, given) for name, given in told.items()})


def _secrets(name: str, given: object) -> tuple[bytes, ...]:
    if not _NAME.fullmatch(name):
        raise CarriersInvalid("a carrier's name is a lower-case word of at most 32 characters")
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_SECRETS:
        raise CarriersInvalid(f"{name}: wants a list of 1 to {MAX_SECRETS} secrets")
    secrets = tuple(each.encode() for each in given if isinstance(each, str))
    if len(secrets) != len(given) or any(len(each) < MIN_SECRET_BYTES for each in secrets):
        raise CarriersInvalid(f"{name}: a secret has at least {MIN_SECRET_BYTES} characters")
    return secrets


def _parse(header: str) -> tuple[int, list[str]] | None:
    if len(header) > MAX_HEADER:
        return None
    times: list[str] = []
    signatures: list[str] = []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            times.append(value)
        elif name == "v1":
            signatures.append(value)
    if len(times) != 1 or not _TIME.fullmatch(times[0]) or not 1 <= len(signatures) <= MAX_SIGNATURES:
        return None
    return (int(times[0]), signatures) if all(map(_HEX.fullmatch, signatures)) else None
