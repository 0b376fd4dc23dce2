"""Seals what is written for one recipient, as it is written; `standalone.SealedFile` opens it.

X25519 with a key made for this file alone, HKDF-SHA256, AES-256-GCM in chunks whose nonce says which one it
is and whether it is the last (STREAM), so that none can be changed, left out, moved or repeated.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from app.compliance.casefile.standalone.sealed import CHUNK, MAGIC, chunk_nonce, sealing_key

MAX_KEY_FILE_BYTES = 4096


class RecipientUnusable(Exception):
    """The file named as the recipient's key is not an X25519 public key in PEM."""


def read_recipient(path: Path) -> X25519PublicKey:
    """The key of whoever may open the case file. Raises RecipientUnusable."""
    try:
        with path.open("rb") as file:
            key = load_pem_public_key(file.read(MAX_KEY_FILE_BYTES))
    except (OSError, ValueError):
        raise RecipientUnusable("the recipient's key cannot be read: a PEM public key is wanted") from None
    if not isinstance(key, X25519PublicKey):
        raise RecipientUnusable("the recipient's key is not an X25519 key")
    return key


class Sealer:
    """Takes bytes, writes sealed ones to `target`; whole only after `finish`."""

    def __init__(self, target: BinaryIO, recipient: X25519PublicKey) -> None:
        ephemeral = X25519PrivateKey.generate()
        self._header = MAGIC + ephemeral.public_key().public_bytes_raw()
        shared = ephemeral.exchange(recipient)
        self._cipher = sealing_key(shared, self._header, recipient.public_bytes_raw())
        self._target = target
        self._number = 0
        self._waiting = bytearray()
        target.write(self._header)

    def write(self, data: bytes | bytearray | memoryview) -> int:
        self._waiting += data
        # The last chunk is marked, so one is held back until more has come.
        while len(self._waiting) > CHUNK:
            self._emit(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]
        return len(data)

    def flush(self) -> None:
        """Nothing: a chunk leaves when it is full."""

    def finish(self) -> None:
        """Writes the last chunk."""
        self._emit(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _emit(self, clear: bytes, *, last: bool) -> None:
        self._target.write(self._cipher.encrypt(chunk_nonce(self._number, last), clear, self._header))
        self._number += 1
