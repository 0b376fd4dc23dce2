"""A case file sealed for one recipient: MAGIC | ephemeral X25519 key | chunks of AES-256-GCM.

The content key comes from X25519 and HKDF-SHA256, bound to both public keys. A chunk's nonce is its number
and whether it is the last (STREAM), so that none can be changed, left out, moved or repeated.
"""

from __future__ import annotations

import io
import os
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"KAIKA-CASE-1\n"
CHUNK, TAG = 1024 * 1024, 16
HEADER_BYTES = len(MAGIC) + 32


class Unusable(Exception):
    """The file cannot be read as a case file; the text says why."""


def sealing_key(shared: bytes, header: bytes, recipient: bytes) -> AESGCM:
    """The content key. shared: X25519 secret; header: MAGIC and ephemeral key; recipient: raw public key."""
    return AESGCM(HKDF(SHA256(), 32, None, header + recipient).derive(shared))


def chunk_nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


class SealedFile(io.RawIOBase):
    """The clear bytes of a sealed case file, readable anywhere; one chunk is in memory at a time."""

    def __init__(self, file: BinaryIO, size: int, private: X25519PrivateKey) -> None:
        header = file.read(HEADER_BYTES)
        body = size - HEADER_BYTES
        if len(header) < HEADER_BYTES or not header.startswith(MAGIC) or body < TAG:
            raise Unusable("not a sealed case file")
        try:
            shared = private.exchange(X25519PublicKey.from_public_bytes(header[len(MAGIC) :]))
        except ValueError:
            raise Unusable("the file's key is no key") from None
        self._cipher = sealing_key(shared, header, private.public_key().public_bytes_raw())
        self._file, self._header = file, header
        self._chunks = -(-body // (CHUNK + TAG))
        self._size, self._at, self._held = body - TAG * self._chunks, 0, (-1, b"")
        self._open(self._chunks - 1)  # its mark says that the file ends here

    def _open(self, number: int) -> bytes:
        if self._held[0] != number:
            self._file.seek(HEADER_BYTES + number * (CHUNK + TAG))
            sealed, last = self._file.read(CHUNK + TAG), number == self._chunks - 1
            try:
                clear = self._cipher.decrypt(chunk_nonce(number, last), sealed, self._header)
            except (InvalidTag, ValueError):
                raise Unusable("does not open: another recipient's, changed, or cut short") from None
            self._held = (number, clear)
        return self._held[1]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._size:
            return 0
        number, offset = divmod(self._at, CHUNK)
        piece = self._open(number)[offset : offset + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
