"""Passwords of staff: scrypt (RFC 7914) in a few threads, so that guessing is slow and signing in is not.

Stored as `scrypt$LOG2N$R$P$SALT$KEY`, salt and key in base64.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

LOG2_N, BLOCK, PARALLEL = 15, 8, 3
"""32 MB and three rounds of it for each password."""
SALT_BYTES = 16
KEY_BYTES = 32
MIN_LENGTH = 12
MAX_LENGTH = 128
THREADS = 2
WAITING = 16
"""Passwords that may be worked on or wait at once; one more is told to come back later."""
_MAX_MEMORY = 256 * 1024 * 1024
_MAX_LOG2_N = 17


class PasswordsBusy(Exception):
    """Too many passwords wait to be checked."""


class Passwords:
    """Bounded work; close it at the end."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
        self._under_way = 0

    async def hash(self, password: str) -> str:
        """What may be stored of `password`. Raises PasswordsBusy."""
        return await self._run(hash_password, password)

    async def verify(self, password: str, stored: str | None) -> bool:
        """True where `password` made `stored`; takes as long for None, somebody who does not exist.

        Raises PasswordsBusy.
        """
        matches = await self._run(matches_password, password, stored or _NOBODY)
        return matches and stored is not None

    def close(self) -> None:
        self._pool.shutdown(wait=True)

    async def _run(self, work: Callable[..., T], *arguments: str) -> T:
        if self._under_way >= WAITING:
            raise PasswordsBusy
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
        finally:
            self._under_way -= 1


def hash_password(password: str) -> str:
    """Slow; for threads and the command line."""
    salt = secrets.token_bytes(SALT_BYTES)
    key = _derive(password, salt, LOG2_N, BLOCK, PARALLEL)
    return _encode(salt, key)


def matches_password(password: str, stored: str) -> bool:
    """Slow, and constant in time as to where they differ. False for anything that is not such a hash."""
    try:
        scheme, log2_n, block, parallel, salt, key = stored.split("$")
        expected = base64.b64decode(key, validate=True)
        if scheme != "scrypt" or int(log2_n) > _MAX_LOG2_N:
            return False
        derived = _derive(password, base64.b64decode(salt), int(log2_n), int(block), int(parallel))
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(expected, derived)


def _derive(password: str, salt: bytes, log2_n: int, block: int, parallel: int) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=2**log2_n,
        r=block,
        p=parallel,
        maxmem=_MAX_MEMORY,
        dklen=KEY_BYTES,
    )


def _encode(salt: bytes, key: bytes) -> str:
    parts = (base64.b64encode(part).decode() for part in (salt, key))
    return "$".join(("scrypt", str(LOG2_N), str(BLOCK), str(PARALLEL), *parts))


_NOBODY = _encode(bytes(SALT_BYTES), bytes(KEY_BYTES))
