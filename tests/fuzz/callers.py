"""Everybody who asks: each role with a token that is renewed, from ever new addresses."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import Any

import requests

from app.access.devices import HEADER, new_device

RENEW_BEFORE_SECONDS = 120.0
FRESH = 2
"""Sign-ins for tokens that are ended; one more would end the caller's own (`MAX_FAMILIES`)."""
PROXY = "127.0.0.1"
"""Trusted by the server, so that limits per address do not end the run."""


@dataclass
class FuzzCaller:
    """One role. sign_in: path and body that give a token; None: anybody."""

    role: str
    base: str
    sign_in: tuple[str, dict[str, Any]] | None = None
    device: str = field(default_factory=new_device)
    session: requests.Session = field(default_factory=requests.Session)
    _token: str = ""
    _refresh: str = ""
    _renew_at: float = 0.0
    _fresh: int = 0

    def headers(self, chance: random.Random) -> dict[str, str]:
        """Of one request."""
        address = ".".join(str(chance.randrange(1, 224)) for _ in range(4))
        sent = {"X-Forwarded-For": address}
        if self.role == "anyone":
            return sent
        if time.monotonic() > self._renew_at:
            self.renew()
        return {**sent, HEADER: self.device, "Authorization": f"Bearer {self._token}"}

    def keep(self, made: dict[str, Any]) -> None:
        self._token, self._refresh = made["access_token"], made["refresh_token"]
        self._renew_at = time.monotonic() + made["expires_in"] - RENEW_BEFORE_SECONDS

    def fresh(self) -> FuzzCaller:
        """The same role signed in anew, for a token that may be ended; nobody where that takes a code."""
        self._fresh += 1
        if self.sign_in is None or self._fresh > FRESH:
            return FuzzCaller("anyone", self.base, session=self.session)
        return FuzzCaller(self.role, self.base, self.sign_in, self.device, self.session)

    def renew(self) -> None:
        """A new token: from the one before, or by signing in."""
        path, body = "/v1/tokens/refresh", {"refresh_token": self._refresh}
        if not self._refresh:
            assert self.sign_in is not None
            path, body = self.sign_in
        answer = self.session.post(self.base + path, json=body, headers={HEADER: self.device}, timeout=60)
        answer.raise_for_status()
        self.keep(answer.json())
