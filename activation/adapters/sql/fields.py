"""Column types: times that stay aware, personal data that is never stored in clear, keyed hashes."""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from activation.ids import Digest

_NONCE_BYTES = 12
_KEY_ID_BYTES = 4
_FORMAT = b"\x01"


class FieldUnreadable(Exception):
    """A stored field does not decrypt: wrong key, wrong column, or changed bytes."""


@dataclass(frozen=True, repr=False)
class FieldKeys:
    """Keys for personal fields: `current` encrypts, all of `by_id` decrypt, `index` makes keyed hashes.

    Keys are 32 bytes; a key's id is the first 4 bytes of its SHA-256.
    """

    current: bytes
    index: bytes
    former: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if any(len(key) != 32 for key in (self.current, self.index, *self.former)):
            raise ValueError("field keys are 32 bytes long")

    def by_id(self, key_id: bytes) -> bytes:
        for key in (self.current, *self.former):
            if key_identifier(key) == key_id:
                return key
        raise FieldUnreadable("no key with the id of a stored field")

    def digest(self, purpose: str, value: str) -> Digest:
        """Keyed hash of a personal datum: equality without reading. purpose separates kinds of data."""
        message = purpose.encode() + b"\x00" + value.encode()
        return Digest(hmac.new(self.index, message, hashlib.sha256).hexdigest())

    def secret(self, purpose: str, value: str, length: int) -> bytes:
        """`length` bytes (at most 32) that only the keys' holder can derive again; same input, same bytes.

        For codes that a durable step hands out: derived once more after a crash, they need not be stored.
        """
        message = b"secret\x00" + purpose.encode() + b"\x00" + value.encode()
        return hmac.new(self.index, message, hashlib.sha256).digest()[:length]

    def encrypt(self, field: str, value: bytes) -> bytes:
        """format | key id | nonce | AES-256-GCM ciphertext and tag, bound to the field's name."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self.current).encrypt(nonce, value, field.encode())
        return _FORMAT + key_identifier(self.current) + nonce + sealed

    def decrypt(self, field: str, stored: bytes) -> bytes:
        """Inverse of `encrypt`. Raises FieldUnreadable."""
        start = len(_FORMAT) + _KEY_ID_BYTES
        if not stored.startswith(_FORMAT):
            raise FieldUnreadable("unknown format of a stored field")
        key = self.by_id(stored[len(_FORMAT) : start])
        try:
            return AESGCM(key).decrypt(
                stored[start : start + _NONCE_BYTES], stored[start + _NONCE_BYTES :], field.encode()
            )
        except InvalidTag:
            raise FieldUnreadable("a stored field does not decrypt") from None


def key_identifier(key: bytes) -> bytes:
    """Short public id of a key."""
    return hashlib.sha256(b"kaika key id" + key).digest()[:_KEY_ID_BYTES]


_keys: FieldKeys | None = None


def use_field_keys(keys: FieldKeys) -> None:
    """Set once by the composition root, before the first query."""
    global _keys
    _keys = keys


def field_keys() -> FieldKeys:
    """The keys in use. Raises RuntimeError before `use_field_keys`."""
    if _keys is None:
        raise RuntimeError("use_field_keys was not called")
    return _keys


class Encrypted(sa.types.TypeDecorator[str]):
    """Text encrypted under the field keys; `name` (table.column) is bound in, so values cannot be moved."""

    impl = sa.LargeBinary
    cache_ok = True

    def __init__(self, name: str = "") -> None:
        super().__init__()
        self.name = name

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> bytes | None:
        return None if value is None else field_keys().encrypt(self.name, value.encode())

    def process_result_value(self, value: bytes | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else field_keys().decrypt(self.name, bytes(value)).decode()


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime on every database; SQLite alone would give it back naive."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        stored: datetime = value
        return stored.replace(tzinfo=UTC) if stored.tzinfo is None else stored.astimezone(UTC)
