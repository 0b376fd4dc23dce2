"""Envelope encryption of evidence: a fresh data key for each object, wrapped under the key of its order.

Bytes are sealed in chunks, each with AES-256-GCM under the object's own key. A chunk's nonce is its number
and whether it is the last (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015), so
that a chunk which was changed, left out, repeated or put elsewhere does not open, nor does a stream that
ends early. The wrapped key binds order, kind, media type, size and digest (`Label`), so that an object
cannot pass for another.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from activation.ids import Digest, OrderId
from activation.order_keys import OrderKey, OrderKeyGone, OrderKeys, OrderKeysFault, Unreadable
from media.vault import (
    MAX_OBJECT_BYTES,
    EvidenceNotFound,
    EvidenceTooLarge,
    EvidenceUnreadable,
    VaultKeysAway,
)

KEY_BYTES = 32
CHUNK_BYTES = 1024 * 1024
TAG_BYTES = 16
_NONCE_BYTES = 12
_COUNTER_BYTES = _NONCE_BYTES - 1
_SEALED_CHUNK = CHUNK_BYTES + TAG_BYTES
#: First bytes of every sealed object; also associated data of each chunk.
MAGIC = b"KAIKA-SEALED-1\n"


class Readable(Protocol):
    """A file to read from where it stands."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none at the end."""


class Writable(Protocol):
    """A file to write to."""

    def write(self, data: bytes, /) -> int:
        """All of `data`."""


@dataclass(frozen=True)
class Label:
    """What an object is; the associated data of its wrapped key. `name`: under which it is stored."""

    order: OrderId
    digest: Digest
    kind: str
    media_type: str
    size: int
    name: str

    def bound(self) -> bytes:
        """One unambiguous form, for the associated data."""
        return json.dumps(
            ["kaika.vault.1", self.order, self.digest, self.kind, self.media_type, self.size, self.name]
        ).encode()


class KeyWrapper(Protocol):
    """What the data keys of one order's objects are wrapped under."""

    def wrap(self, data_key: bytes, bound: bytes) -> bytes:
        """The data key, encrypted and bound to `bound`."""

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """Inverse of `wrap`. Raises EvidenceUnreadable."""

    def is_former(self, wrapped: bytes) -> bool:
        """True where rotation is to wrap it anew: it was wrapped before orders had keys."""


class ObjectKeys:
    """The wrapper of each order: its key, and `former` for what was wrapped before orders had keys."""

    def __init__(self, keys: OrderKeys, former: FileKeyWrapper | None = None) -> None:
        self._keys, self._former = keys, former

    async def of(self, order_id: OrderId) -> KeyWrapper:
        """Raises EvidenceNotFound where the order's key was destroyed, VaultKeysAway, EvidenceUnreadable."""
        try:
            return OrderWrapper(await self._keys.of(order_id), self._former)
        except OrderKeyGone:
            raise EvidenceNotFound("the order's key was destroyed") from None
        except OrderKeysFault:
            raise VaultKeysAway("the order's key cannot be had just now") from None
        except Unreadable:
            raise EvidenceUnreadable("the order's key was changed") from None

    def opens_without(self, wrapped: bytes, bound: bytes) -> bool:
        """Whether a data key from before orders had keys opens still; no order's key is asked for."""
        if self._former is None or wrapped.startswith(UNDER_ORDER):
            return False
        try:
            self._former.unwrap(wrapped, bound)
        except EvidenceUnreadable:
            return False
        return True


class OrderWrapper:
    """AES-256-GCM under the order's key."""

    def __init__(self, key: OrderKey, former: FileKeyWrapper | None = None) -> None:
        self._key, self._former = key, former

    def wrap(self, data_key: bytes, bound: bytes) -> bytes:
        """UNDER_ORDER | what `OrderKey.seal` makes."""
        return UNDER_ORDER + self._key.seal(bound.decode(), data_key)

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        if self.is_former(wrapped):
            if self._former is None:
                raise EvidenceUnreadable("a data key from before orders had keys, and no former key")
            return self._former.unwrap(wrapped, bound)
        try:
            return self._key.open(bound.decode(), wrapped[len(UNDER_ORDER) :])
        except Unreadable:
            raise EvidenceUnreadable("a data key does not unwrap for this object") from None

    def is_former(self, wrapped: bytes) -> bool:
        return not wrapped.startswith(UNDER_ORDER)


class FileKeyWrapper:
    """Data keys directly under a key-encryption key, 32 bytes: how it was before orders had keys."""

    def __init__(self, current: bytes, former: tuple[bytes, ...] = ()) -> None:
        if any(len(key) != KEY_BYTES for key in (current, *former)):
            raise ValueError("key-encryption keys are 32 bytes long")
        self._current = current
        self._by_id = {_key_id(key): key for key in (*former, current)}

    def wrap(self, data_key: bytes, bound: bytes) -> bytes:
        """key id | nonce | ciphertext and tag."""
        nonce = os.urandom(_NONCE_BYTES)
        return _key_id(self._current) + nonce + AESGCM(self._current).encrypt(nonce, data_key, bound)

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        key = self._by_id.get(wrapped[:_KEY_ID_BYTES])
        if key is None:
            raise EvidenceUnreadable("no key-encryption key of this id")
        nonce, sealed = wrapped[_KEY_ID_BYTES:][:_NONCE_BYTES], wrapped[_KEY_ID_BYTES + _NONCE_BYTES :]
        try:
            return AESGCM(key).decrypt(nonce, sealed, bound)
        except (InvalidTag, ValueError):
            raise EvidenceUnreadable("a data key does not unwrap for this object") from None

    def is_former(self, _wrapped: bytes) -> bool:
        return False


_KEY_ID_BYTES = 4
#: Begins what was wrapped under an order's key, where the id of a key-encryption key stood before.
UNDER_ORDER = b"ord1"


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"kaika vault key id" + key).digest()[:_KEY_ID_BYTES]


def seal(source: Readable, target: Writable, data_key: bytes) -> tuple[Digest, int]:
    """Everything that `source` still holds, sealed into `target`; digest and size of the clear bytes.

    `data_key` must never seal a second object. Raises EvidenceTooLarge.
    """
    cipher, digest, size = AESGCM(data_key), hashlib.sha256(), 0
    target.write(MAGIC)
    for number, (chunk, last) in enumerate(_chunks(source, CHUNK_BYTES)):
        size += len(chunk)
        if size > MAX_OBJECT_BYTES:
            raise EvidenceTooLarge(f"evidence is longer than {MAX_OBJECT_BYTES} bytes")
        digest.update(chunk)
        target.write(cipher.encrypt(_nonce(number, last), chunk, MAGIC))
    return Digest(digest.hexdigest()), size


def unseal(source: Readable, data_key: bytes, label: Label) -> Iterator[bytes]:
    """The clear chunks of a sealed object. Raises EvidenceUnreadable, at the latest after the last chunk.

    What was yielded is only good once the iterator has ended: the digest is compared at the end.
    """
    if source.read(len(MAGIC)) != MAGIC:
        raise EvidenceUnreadable("not a sealed object")
    cipher, digest, size = AESGCM(data_key), hashlib.sha256(), 0
    for number, (sealed, last) in enumerate(_chunks(source, _SEALED_CHUNK)):
        try:
            chunk = cipher.decrypt(_nonce(number, last), sealed, MAGIC)
        except (InvalidTag, ValueError):
            raise EvidenceUnreadable("a sealed object was changed, cut short or lengthened") from None
        digest.update(chunk)
        size += len(chunk)
        if size > label.size:
            break
        yield chunk
    if size != label.size or digest.hexdigest() != label.digest:
        raise EvidenceUnreadable("a sealed object holds other bytes than its digest says")


def _chunks(source: Readable, length: int) -> Iterator[tuple[bytes, bool]]:
    """Chunks of `length`, the last one marked; always at least one, which may be empty."""
    chunk = _read_full(source, length)
    while True:
        following = _read_full(source, length) if len(chunk) == length else b""
        if not following:
            yield chunk, True
            return
        yield chunk, False
        chunk = following


def _read_full(source: Readable, length: int) -> bytes:
    """`length` bytes, or fewer where the source ends; a raw file may give less than asked at once."""
    parts: list[bytes] = []
    missing = length
    while missing and (part := source.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(_COUNTER_BYTES, "big") + (b"\x01" if last else b"\x00")
