"""The signed ZIP, written as a stream: text deflated, media as they are, manifest and signature last."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from datetime import datetime
from typing import IO, Any, Protocol, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.compliance.casefile.standalone.reading import (
    MAX_FILE_BYTES,
    MAX_MEMBERS,
    MAX_TEXT_BYTES,
    MAX_TEXTS_BYTES,
)
from app.compliance.casefile.standalone.verifying import MANIFEST, SCHEMA, SIGNATURE, signed_text

#: Room that directory, manifest and signature may take.
_ROOM = 4 * 1024 * 1024


class CaseTooLarge(Exception):
    """More than a case file may hold; make it without media."""


class Target(Protocol):
    """Where the ZIP's bytes go; never read, never sought."""

    def write(self, data: bytes, /) -> int: ...

    def flush(self) -> None: ...


class _Outlet:
    """The target, until it is shut: a ZIP that is given up would still write its directory."""

    def __init__(self, target: Target) -> None:
        self._target, self.shut = target, False

    def write(self, data: bytes, /) -> int:
        return len(data) if self.shut else self._target.write(data)

    def flush(self) -> None:
        if not self.shut:
            self._target.flush()


class CaseZip:
    """Members one after another, then `finish`. Calls block; keep them off the event loop."""

    def __init__(self, target: Target, made_at: datetime) -> None:
        self._outlet = _Outlet(target)
        self._zip = zipfile.ZipFile(cast(Any, self._outlet), "w", allowZip64=False)
        self._open_member: Member | None = None
        self._date = made_at.timetuple()[:6]
        self._members: list[dict[str, Any]] = []
        self._size, self._texts = 0, 0

    def add_text(self, name: str, text: bytes) -> None:
        """A text member. Raises CaseTooLarge."""
        if len(text) > MAX_TEXT_BYTES:
            raise CaseTooLarge(f"{name} is too long")
        self._texts += len(text)
        if self._texts > MAX_TEXTS_BYTES - _ROOM and name not in (MANIFEST, SIGNATURE):
            raise CaseTooLarge("all text together is too long")
        member = self._open(name, zipfile.ZIP_DEFLATED)
        member.write(text)
        member.close()

    def open_media(self, name: str) -> Member:
        """Evidence itself; write it and close it before the next member. Raises CaseTooLarge."""
        return self._open(name, zipfile.ZIP_STORED)

    def finish(self, about: dict[str, Any], key: Ed25519PrivateKey) -> str:
        """Manifest and signature; SHA-256 of the manifest. about: order, made_at, by, reason …"""
        manifest = as_json({"schema": SCHEMA, **about, "members": self._members})
        signature = base64.b64encode(key.sign(signed_text(manifest))) + b"\n"
        for name, text in ((MANIFEST, manifest), (SIGNATURE, signature)):
            self.add_text(name, text)
        self._zip.close()
        return hashlib.sha256(manifest).hexdigest()

    def abandon(self) -> None:
        """What was written is no case file; nothing more is written to the target."""
        self._outlet.shut = True
        if self._open_member is not None:
            self._open_member.close()
        self._zip.close()

    def _open(self, name: str, compression: int) -> Member:
        if len(self._members) + 2 > MAX_MEMBERS:
            raise CaseTooLarge("too many members")
        info = zipfile.ZipInfo(name, self._date)
        info.compress_type, info.external_attr = compression, 0o600 << 16
        self._open_member = Member(self, name, self._zip.open(info, "w"))
        return self._open_member

    def count(self, size: int) -> None:
        """Raises CaseTooLarge once all members together are."""
        self._size += size
        if self._size > MAX_FILE_BYTES - _ROOM:
            raise CaseTooLarge("larger than a case file may be")

    def listed(self, name: str, sha256: str, size: int) -> None:
        self._open_member = None
        self._members.append({"name": name, "sha256": sha256, "size": size})


class Member:
    """One member that is being written."""

    def __init__(self, case: CaseZip, name: str, file: IO[bytes]) -> None:
        self._case, self._name, self._file = case, name, file
        self._digest, self._size = hashlib.sha256(), 0

    def write(self, piece: bytes) -> None:
        """Raises CaseTooLarge."""
        self._case.count(len(piece))
        self._digest.update(piece)
        self._size += len(piece)
        self._file.write(piece)

    def close(self) -> None:
        """The manifest will list it."""
        self._file.close()
        self._case.listed(self._name, self._digest.hexdigest(), self._size)


def as_json(value: Any) -> bytes:
    """JSON for people too: indented, UTF-8."""
    return (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
