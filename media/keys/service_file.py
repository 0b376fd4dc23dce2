"""The key service of one machine: key-encryption keys from files, held in memory."""

from __future__ import annotations

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from activation.ids import OrderId
from activation.order_keys import KEY_BYTES, Unreadable

#: First bytes of what this service wrapped.
FORMAT = b"file1\n"
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12


class FileKeyService:
    """`media.keys.ports.KeyService`: `current`, 32 bytes, wraps; it and `former` unwrap. Never away."""

    def __init__(self, current: bytes, former: tuple[bytes, ...] = ()) -> None:
        if any(len(key) != KEY_BYTES for key in (current, *former)):
            raise ValueError("key-encryption keys are 32 bytes long")
        self._current = current
        self._by_id = {_key_id(key): key for key in (*former, current)}

    async def wrap(self, order_id: OrderId, secret: bytes) -> bytes:
        """FORMAT | key id | nonce | AES-256-GCM ciphertext and tag."""
        if len(secret) != KEY_BYTES:
            raise ValueError(f"an order's key is {KEY_BYTES} bytes long")
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self._current).encrypt(nonce, secret, _bound(order_id))
        return FORMAT + _key_id(self._current) + nonce + sealed

    async def unwrap(self, order_id: OrderId, wrapped: bytes) -> bytes:
        key = self._by_id.get(_id_of(wrapped))
        if key is None:
            raise Unreadable("no key-encryption key of this id")
        rest = wrapped[len(FORMAT) + _KEY_ID_BYTES :]
        try:
            return AESGCM(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], _bound(order_id))
        except (InvalidTag, ValueError):
            raise Unreadable("an order's key does not unwrap for this order") from None

    async def current(self) -> str:
        return f"file:{_key_id(self._current).hex()}"

    def wrapped_by(self, wrapped: bytes) -> str:
        return f"file:{_id_of(wrapped).hex()}"


def _id_of(wrapped: bytes) -> bytes:
    if not wrapped.startswith(FORMAT) or len(wrapped) < len(FORMAT) + _KEY_ID_BYTES:
        raise Unreadable("not a key that files have wrapped")
    return wrapped[len(FORMAT) :][:_KEY_ID_BYTES]


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"kaika key-encryption key id" + key).digest()[:_KEY_ID_BYTES]


def _bound(order_id: OrderId) -> bytes:
    return f"kaika.order-key.1\n{order_id}".encode()
