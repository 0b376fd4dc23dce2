"""The signed ZIP, written as a stream: text deflated, media as they are, manifest and signature last."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.compliance.casefile.standalone.reading import MAX_FILE_BYTES, MAX_MEMBERS, MAX_TEXT_BYTES
from app.compliance.casefile.standalone.verifying import MANIFEST, SCHEMA, SIGNATURE, signed_text

#: Room that directory, manifest and signature may take.
_ROOM = 4 * 1024 * 1024


class CaseTooLarge(Exception):
    """More than a case file may hold; make it without media."""


class Target(Protocol):
    """Where the ZIP's bytes go; never read, never sought."""

    def write(self, data: bytes, /) -> int: ...

    def flush(self) -> None: ...


class CaseZip:
    """Members one after another, then `finish`. Calls block; keep them off the event loop."""

    def __init__(self, target: Target, made_at: datetime) -> None:
        self._zip = zipfile.ZipFile(cast(Any, target), "w", allowZip64=False)
        self._date = made_at.timetuple()[:6]
        self._members: list[dict[str, Any]] = []
        self._size = 0

    def add_text(self, name: str, text: bytes) -> None:
        """A text member. Raises CaseTooLarge."""
        if len(text) > MAX_TEXT_BYTES:
            raise CaseTooLarge(f"{name} is too long")
        self._add(name, zipfile.ZIP_DEFLATED, (text,))

    def add_media(self, name: str, pieces: Iterable[bytes]) -> None:
        """Evidence itself. Raises CaseTooLarge."""
        self._add(name, zipfile.ZIP_STORED, pieces)

    def finish(self, about: dict[str, Any], key: Ed25519PrivateKey) -> str:
        """Manifest and signature; SHA-256 of the manifest. about: order, made_at, by, reason …"""
        manifest = as_json({"schema": SCHEMA, **about, "members": self._members})
        signature = base64.b64encode(key.sign(signed_text(manifest))) + b"\n"
        self._add(MANIFEST, zipfile.ZIP_DEFLATED, (manifest,))
        self._add(SIGNATURE, zipfile.ZIP_DEFLATED, (signature,))
        self._zip.close()
        return hashlib.sha256(manifest).hexdigest()

    def _add(self, name: str, compression: int, pieces: Iterable[bytes]) -> None:
        if len(self._members) + 2 > MAX_MEMBERS:
            raise CaseTooLarge("too many members")
        info = zipfile.ZipInfo(name, self._date)
        info.compress_type, info.external_attr = compression, 0o600 << 16
        digest, size = hashlib.sha256(), 0
        with self._zip.open(info, "w") as member:
            for piece in pieces:
                self._size += len(piece)
                if self._size > MAX_FILE_BYTES - _ROOM:
                    raise CaseTooLarge("larger than a case file may be")
                digest.update(piece)
                size += len(piece)
                member.write(piece)
        self._members.append({"name": name, "sha256": digest.hexdigest(), "size": size})


def as_json(value: Any) -> bytes:
    """JSON for people too: indented, UTF-8."""
    return (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
