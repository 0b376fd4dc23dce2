"""The secret of one device: a token works only together with the secret of the device it was given to.

A browser gets it as a cookie that scripts cannot read; other clients make one themselves and send it in the
header `Kaika-Device`. It authorises nothing by itself. Tokens hold its digest, which is what RFC 7800
calls a confirmation.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

HEADER = "Kaika-Device"
SECRET_BYTES = 32
CONFIRMATION = "device#S256"
"""Member of the claim `cnf`."""

_FORM = re.compile(r"[A-Za-z0-9_-]{43}")
#: Fewer different characters than this were not drawn at random.
_MIN_DIFFERENT = 8


def new_device() -> str:
    """256 random bits, 43 characters."""
    return secrets.token_urlsafe(SECRET_BYTES)


def is_device(text: str) -> bool:
    """Whether `text` has the form of a device's secret and is not plainly a made-up one."""
    return _FORM.fullmatch(text) is not None and len(set(text)) >= _MIN_DIFFERENT


def device_digest(secret: str) -> str:
    """SHA-256 of the secret in base64url, 43 characters. 256 random bits need no key."""
    digest = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_of(digest: str, secret: str | None) -> bool:
    """Whether `secret` is the one behind `digest`; constant in time, False for None."""
    shown = device_digest(secret or "")
    return hmac.compare_digest(digest.encode("utf-8", "surrogatepass"), shown.encode()) and secret is not None
