"""Access tokens: JWTs (RFC 7519, RFC 9068) signed with Ed25519, and nothing else.

One algorithm, all of `REQUIRED` present, a short life, revocable, good on one device only. A token says which
order or which member of staff it is for, and holds nothing personal.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from activation.ids import OrderId, StaffId
from app.access.devices import CONFIRMATION, device_digest, is_of
from app.access.principals import STAFF_ROLES, Applicant, Role, Staff
from app.access.revocations import Revocations

ALGORITHM = "EdDSA"
ISSUER = "kaika"
AUDIENCE = "kaika-api"
TYPE = "at+jwt"
REQUIRED = ("exp", "iat", "nbf", "aud", "iss", "sub", "jti", "sid", "cnf")
LIFETIME = {
    Role.APPLICANT: timedelta(minutes=15),
    Role.COURIER: timedelta(minutes=15),
    Role.REVIEWER: timedelta(minutes=15),
    Role.OPERATOR: timedelta(minutes=10),
}
"""Short: `app.access.families` gives new ones for as long as a sign-in lasts."""
#: What a header may hold. Keys that a token brings along (jwk, jku, x5c …) are never looked at.
HEADER_MEMBERS = frozenset({"alg", "kid", "typ"})
#: Longest token that is looked at, characters.
MAX_LENGTH = 2048


@dataclass(frozen=True, repr=False)
class IssuedToken:
    """A token in clear; `expires_in`: seconds."""

    text: str
    expires_in: int


@dataclass(frozen=True)
class Bearer:
    """A verified token: who, and what is needed to revoke it. family: the sign-in it comes from."""

    principal: Applicant | Staff
    jti: str
    family: str
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

    def issue(
        self, principal: Applicant | Staff, device: str, family: str, until: datetime | None = None
    ) -> IssuedToken:
        """A new token for `principal` on the device with this secret, for its role's lifetime or `until`."""
        now, life = self._clock(), LIFETIME[principal.role]
        end = now + life if until is None else min(now + life, until)
        issued = int(now.timestamp())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": principal.subject,
            "scope": str(principal.role),
            "iat": issued,
            "nbf": issued,
            "exp": int(end.timestamp()),
            "jti": secrets.token_urlsafe(16),
            "sid": family,
            "cnf": {CONFIRMATION: device_digest(device)},
        }
        head = {"kid": self._kid, "typ": TYPE}
        text = jwt.encode(claims, self._key, algorithm=ALGORITHM, headers=head)
        return IssuedToken(text, int((end - now).total_seconds()))

    async def verify(self, text: str, device: str | None) -> Bearer | None:
        """Who holds `text` on the device with this secret; None for anything else, without saying why."""
        bearer = self._read(text, device)
        if bearer is None or await self.revocations.holds(
            bearer.jti, bearer.principal.subject, bearer.family
        ):
            return None
        return bearer

    async def revoke(self, bearer: Bearer) -> None:
        """Ends the token before its time."""
        await self.revocations.revoke(bearer.jti, bearer.expires_at)

    def _read(self, text: str, device: str | None) -> Bearer | None:
        if len(text) > MAX_LENGTH or not text.isascii():
            return None
        try:
            public = self._by_kid.get(_key_named_by(text))
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
            return self._bearer(claims, device)
        except (jwt.PyJWTError, ValueError, OverflowError, RecursionError):
            return None

    def _bearer(self, claims: Mapping[str, Any], device: str | None) -> Bearer | None:
        jti, subject, family = claims["jti"], claims["sub"], claims["sid"]
        if not all(isinstance(each, str) and 1 <= len(each) <= 64 for each in (jti, subject, family)):
            return None
        role = Role(str(claims.get("scope")))
        if not self._in_time(claims, role) or not _on_device(claims["cnf"], device):
            return None
        principal = Staff(StaffId(subject), role) if role in STAFF_ROLES else Applicant(OrderId(subject))
        return Bearer(principal, jti, family, datetime.fromtimestamp(claims["exp"], UTC))

    def _in_time(self, claims: Mapping[str, Any], role: Role) -> bool:
        issued, begins, expires = claims["iat"], claims["nbf"], claims["exp"]
        if any(type(each) is not int for each in (issued, begins, expires)):
            return False
        life, now = LIFETIME.get(role), self._clock().timestamp()
        return (
            life is not None
            and max(issued, begins) <= now + 1
            and now < expires <= issued + life.total_seconds()
        )


def _on_device(confirmation: object, device: str | None) -> bool:
    digest = confirmation.get(CONFIRMATION) if isinstance(confirmation, dict) else None
    return isinstance(digest, str) and is_of(digest, device)


def _key_named_by(text: str) -> str:
    """The header's kid. Raises ValueError where the header is not exactly one of ours."""
    head = text.partition(".")[0]
    try:
        members = json.loads(
            base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)), object_pairs_hook=_without_twins
        )
    except (binascii.Error, UnicodeDecodeError):
        raise ValueError("not a header") from None
    if not isinstance(members, dict) or set(members) != HEADER_MEMBERS:
        raise ValueError("not our header")
    if members["alg"] != ALGORITHM or members["typ"] != TYPE:
        raise ValueError("not our algorithm")
    return str(members["kid"])


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two members of one name are read differently by different readers."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members


def key_id(public: Ed25519PublicKey) -> str:
    """Short public name of a key: the start of the SHA-256 of its 32 bytes."""
    return hashlib.sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]
