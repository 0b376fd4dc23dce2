"""Access tokens: JWTs (RFC 7519) signed with Ed25519, and nothing else.

One algorithm, all of `REQUIRED` present, a short life, revocable. A token says which order or which member
of staff it is for, and holds nothing personal.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from activation.ids import OrderId, StaffId
from app.access.principals import STAFF_ROLES, Applicant, Role, Staff
from app.access.revocations import Revocations

ALGORITHM = "EdDSA"
ISSUER = "kaika"
AUDIENCE = "kaika-api"
REQUIRED = ("exp", "iat", "aud", "iss", "sub", "jti")
LIFETIME = {
    Role.APPLICANT: timedelta(minutes=60),
    Role.COURIER: timedelta(hours=10),  # one shift: couriers work where signing in again may not be possible
    Role.REVIEWER: timedelta(hours=2),
    Role.OPERATOR: timedelta(minutes=30),
}
#: Longest token that is looked at, characters.
MAX_LENGTH = 2048


@dataclass(frozen=True, repr=False)
class IssuedToken:
    """A token in clear; `expires_in`: seconds."""

    text: str
    expires_in: int


@dataclass(frozen=True)
class Bearer:
    """A verified token: who, and what is needed to revoke it."""

    principal: Applicant | Staff
    jti: str
    expires_at: datetime


class Tokens:
    """Issues with `key`; verifies what `key` or one of `former` has signed, chosen by the header's kid."""

    def __init__(
        self,
        key: Ed25519PrivateKey,
        revocations: Revocations,
        clock: Callable[[], datetime],
        former: tuple[Ed25519PublicKey, ...] = (),
    ) -> None:
        self._key = key
        self._kid = key_id(key.public_key())
        self._by_kid = {key_id(public): public for public in (key.public_key(), *former)}
        self._clock = clock
        self.revocations = revocations

    def issue(self, principal: Applicant | Staff) -> IssuedToken:
        """A new token for `principal`, good for the lifetime of its role."""
        now, life = self._clock(), LIFETIME[principal.role]
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": principal.subject,
            "scope": str(principal.role),
            "iat": int(now.timestamp()),
            "exp": int((now + life).timestamp()),
            "jti": secrets.token_urlsafe(16),
        }
        text = jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"kid": self._kid})
        return IssuedToken(text, int(life.total_seconds()))

    async def verify(self, text: str) -> Bearer | None:
        """Who holds `text`; None for anything that is not a good token, without saying why."""
        bearer = self._read(text)
        if bearer is None or await self.revocations.holds(bearer.jti, bearer.principal.subject):
            return None
        return bearer

    async def revoke(self, bearer: Bearer) -> None:
        """Ends the token before its time."""
        await self.revocations.revoke(bearer.jti, bearer.expires_at)

    def _read(self, text: str) -> Bearer | None:
        if len(text) > MAX_LENGTH or not text.isascii():
            return None
        try:
            public = self._by_kid.get(str(jwt.get_unverified_header(text).get("kid")))
            if public is None:
                return None
            # Times are compared below, with the server's own clock.
            claims = jwt.decode(
                text,
                public,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={
                    "require": list(REQUIRED),
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            return self._bearer(claims)
        except (jwt.PyJWTError, ValueError, OverflowError):
            return None

    def _bearer(self, claims: Mapping[str, Any]) -> Bearer | None:
        issued, expires = claims["iat"], claims["exp"]
        jti, subject = claims["jti"], claims["sub"]
        if type(issued) is not int or type(expires) is not int:
            return None
        if not isinstance(jti, str) or not isinstance(subject, str) or not 1 <= len(jti) <= 64:
            return None
        role = Role(str(claims.get("scope")))
        life = LIFETIME.get(role)
        now = self._clock().timestamp()
        if life is None or not issued <= now + 1 or not now < expires <= issued + life.total_seconds():
            return None
        principal = Staff(StaffId(subject), role) if role in STAFF_ROLES else Applicant(OrderId(subject))
        return Bearer(principal, jti, datetime.fromtimestamp(expires, UTC))


def key_id(public: Ed25519PublicKey) -> str:
    """Short public name of a key: the start of the SHA-256 of its 32 bytes."""
    return hashlib.sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]
