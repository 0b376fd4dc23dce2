"""Checkpoints as they are signed: what a verifier without a database needs.

A checkpoint's content is canonical JSON: `number` from 1, `at`, `previous` (hash of the checkpoint before),
`root` and `chains` (the Merkle tree over the heads of all chains in the order of their names), `entries` (in
all chains), `changed` and `changes` (how many heads are new since the one before, and the digest of their
list), `key` (id of the key that signed).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from activation.adapters.sql.audit_chain import START, canonical

_SIGNED_AS = b"kaika.audit.checkpoint.1\n"
MEMBERS = frozenset(
    {"number", "at", "previous", "root", "chains", "entries", "changed", "changes", "key"},
)

#: Public keys by id.
PublicKeys = Mapping[str, Ed25519PublicKey]


class PublicKeyUnusable(ValueError):
    """A file is no Ed25519 public key in PEM."""


@dataclass(frozen=True)
class Signed:
    """One checkpoint. content: canonical JSON; hash: SHA-256 of it; signature: Ed25519, hex."""

    content: str
    hash: str
    signature: str

    @property
    def told(self) -> dict[str, Any]:
        """The content. Raises ValueError."""
        told = json.loads(self.content)
        if not isinstance(told, dict) or set(told) != MEMBERS:
            raise ValueError("not the content of a checkpoint")
        return told

    def faults(self, keys: PublicKeys) -> list[str]:
        """What is wrong with it by itself; keys: those that are trusted."""
        found = []
        if sha256(self.content.encode()).hexdigest() != self.hash:
            found.append("its hash is another")
        try:
            key = keys.get(str(self.told["key"]))
            if canonical(self.told) != self.content:
                found.append("its content is not in canonical form")
        except ValueError:
            return [*found, "its content is not a checkpoint's"]
        if key is None:
            return [*found, "it is signed by a key that was not given (--public-key)"]
        try:
            signature = bytes.fromhex(self.signature)
            key.verify(signature, _SIGNED_AS + self.content.encode())
            if signature.hex() != self.signature:
                found.append("its signature is not in lower-case hex")
        except (InvalidSignature, ValueError):
            found.append("its signature is wrong")
        return found


def sign(key: Ed25519PrivateKey, content: Mapping[str, Any]) -> Signed:
    text = canonical({**content, "key": key_id(key.public_key())})
    signature = key.sign(_SIGNED_AS + text.encode()).hex()
    return Signed(text, sha256(text.encode()).hexdigest(), signature)


def key_id(public: Ed25519PublicKey) -> str:
    """The start of the SHA-256 of the key's 32 bytes, 16 hex digits."""
    return sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def public_pem(public: Ed25519PublicKey) -> str:
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def read_public_pem(text: str) -> Ed25519PublicKey:
    """Raises PublicKeyUnusable."""
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, TypeError):
        raise PublicKeyUnusable("not a public key in PEM") from None
    if not isinstance(key, Ed25519PublicKey):
        raise PublicKeyUnusable("not an Ed25519 key")
    return key


def read_public_keys(paths: Iterable[Path]) -> dict[str, Ed25519PublicKey]:
    """The keys in these files, by id. Raises PublicKeyUnusable, OSError."""
    keys = [read_public_pem(path.read_text("ascii", "replace")) for path in paths]
    return {key_id(key): key for key in keys}


class Changes:
    """The digest of the heads that one checkpoint has seen for the first time, in the order of chains."""

    def __init__(self) -> None:
        self._digest, self.count = sha256(), 0

    def add(self, chain: str, seq: int, entry_hash: str) -> None:
        self._digest.update(f"{chain}\n{seq}\n{entry_hash}\n".encode())
        self.count += 1

    def digest(self) -> str:
        return self._digest.hexdigest()


#: What the first checkpoint follows.
FIRST = START
