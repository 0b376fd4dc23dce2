"""Which STUN and TURN servers a peer may use, with coturn's time-limited credentials.

coturn's `use-auth-secret`: the user name is `EXPIRY:ID`, the password the HMAC-SHA1 of it under the
shared secret. An expired name gives no candidates and no error, so each check gets fresh ones.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime

CREDENTIAL_SECONDS = 300
"""Longer than a check may last, so that a relay allocation can be refreshed until its end."""


@dataclass(frozen=True)
class IceServer:
    """One entry of `RTCConfiguration.iceServers`, for the browser and for our side alike."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, object]:
        """The shape that `new RTCPeerConnection` takes."""
        entry: dict[str, object] = {"urls": list(self.urls)}
        if self.username is not None:
            entry |= {"username": self.username, "credential": self.credential}
        return entry


@dataclass(frozen=True)
class IceSettings:
    """What the operator configured. relay_only: our side uses the relay's port range alone.

    private_candidates: phones in private networks are spoken to (`candidates`).
    """

    stun_urls: tuple[str, ...] = ()
    turn_urls: tuple[str, ...] = ()
    turn_secret: bytes | None = field(default=None, repr=False)
    relay_only: bool = False
    private_candidates: bool = True

    def __post_init__(self) -> None:
        if bool(self.turn_urls) != (self.turn_secret is not None):
            raise ValueError("TURN needs both its addresses and its secret")
        if self.relay_only and not self.turn_urls:
            raise ValueError("relay only needs a TURN server")

    def servers(self, user: str, now: datetime, seconds: int = CREDENTIAL_SECONDS) -> tuple[IceServer, ...]:
        """Servers for one peer; `user` names the check in coturn's log and must not be personal."""
        found = [IceServer(self.stun_urls)] if self.stun_urls else []
        if self.turn_secret is not None:
            name = f"{int(now.timestamp()) + seconds}:{user}"
            # SHA-1 is what the TURN REST convention prescribes; as an HMAC it is not weakened by collisions.
            mac = hmac.new(self.turn_secret, name.encode(), hashlib.sha1).digest()
            found.append(IceServer(self.turn_urls, name, base64.b64encode(mac).decode()))
        return tuple(found)
