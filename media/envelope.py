"""Envelope encryption of evidence: a fresh data key for each object, wrapped by a key-encryption key.

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
from typing import BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from activation.ids import Digest, OrderId
from media.vault import MAX_OBJECT_BYTES, EvidenceTooLarge, EvidenceUnreadable

KEY_BYTES = 32
CHUNK_BYTES = 1024 * 1024
TAG_BYTES = 16
_NONCE_BYTES = 12
_COUNTER_BYTES = _NONCE_BYTES - 1
_SEALED_CHUNK = CHUNK_BYTES + TAG_BYTES
#: First bytes of every sealed object; also associated data of each chunk.
MAGIC = b"KAIKA-SEALED-1\n"


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
    """A key-encryption key: a file's today, a key service's when one is configured."""

    def wrap(self, data_key: bytes, bound: bytes) -> bytes:
        """The data key, encrypted and bound to `bound`."""

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """Inverse of `wrap`. Raises EvidenceUnreadable."""


class FileKeyWrapper:
    """AES-256-GCM under `current`, 32 bytes; what `former` wrapped can still be read."""

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


_KEY_ID_BYTES = 4


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"kaika vault key id" + key).digest()[:_KEY_ID_BYTES]


def seal(source: BinaryIO, target: BinaryIO, data_key: bytes) -> tuple[Digest, int]:
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


def unseal(source: BinaryIO, data_key: bytes, label: Label) -> Iterator[bytes]:
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


def _chunks(source: BinaryIO, length: int) -> Iterator[tuple[bytes, bool]]:
    """Chunks of `length`, the last one marked; always at least one, which may be empty."""
    chunk = _read_full(source, length)
    while True:
        following = _read_full(source, length) if len(chunk) == length else b""
        if not following:
            yield chunk, True
            return
        yield chunk, False
        chunk = following


def _read_full(source: BinaryIO, length: int) -> bytes:
    """`length` bytes, or fewer where the source ends; a raw file may give less than asked at once."""
    parts: list[bytes] = []
    missing = length
    while missing and (part := source.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(_COUNTER_BYTES, "big") + (b"\x01" if last else b"\x00")
