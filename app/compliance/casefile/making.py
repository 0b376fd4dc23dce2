"""Makes a case file (R10.3): who asked and why is recorded first, then everything is gathered and packed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.acting import acting
from activation.adapters.sql.audit import note
from activation.adapters.sql.store import Store
from activation.ids import Digest, OrderId
from app.compliance.audit.checkpoints import Checkpoints
from app.compliance.audit.proofs import prove
from app.compliance.casefile.members import read_evidence, read_identity, read_members
from app.compliance.casefile.packing import CaseZip, Target, as_json
from app.compliance.casefile.readme import TEXT
from media.vault import EvidenceNotFound, EvidenceUnreadable, Vault

#: Ends of file names; everything else is `.bin`.
_ENDS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "video/webm": "webm",
    "video/mp4": "mp4",
    "video/x-matroska": "mkv",
}


class CaseRefusal(StrEnum):
    NOT_FOUND = "not_found"


@dataclass(frozen=True)
class CaseRequest:
    """What is asked for. reason: becomes part of the record. to: whom it is for, nothing personal."""

    order: OrderId
    reason: str
    with_media: bool
    with_identity: bool
    to: str


@dataclass(frozen=True)
class CaseMade:
    """manifest: its SHA-256. missing: objects of evidence that are not there any more, or do not open."""

    manifest: str
    made_at: datetime
    missing: int


@dataclass(frozen=True, repr=False)
class CaseFiles:
    """What case files are made from. readers: sessions that only read; key: the audit key."""

    sessions: async_sessionmaker[AsyncSession]
    readers: async_sessionmaker[AsyncSession]
    vault: Vault
    key: Ed25519PrivateKey
    clock: Callable[[], datetime]

    async def make(self, request: CaseRequest, target: Target) -> CaseMade | CaseRefusal:
        """Writes the ZIP to `target`; on an exception what was written is no case file.

        Raises CaseTooLarge, TooMuch, media.vault.VaultFault, activation.order_keys.OrderKeysFault.
        """
        if not await self._record(request):
            return CaseRefusal.NOT_FOUND
        made_at = self.clock()
        proof = await self._prove(request.order)
        documents, objects = await self._gather(request)
        documents["proof.json"] = proof
        packed = await asyncio.to_thread(CaseZip, target, made_at)
        try:
            missing = await self._add_media(packed, request.order, objects) if request.with_media else 0
            documents["evidence.json"] = {"order": str(request.order), "objects": objects}
            manifest = await asyncio.to_thread(self._finish, packed, documents, request, acting(), made_at)
        except BaseException:
            await asyncio.to_thread(packed.abandon)
            raise
        return CaseMade(manifest, made_at, missing)

    def _finish(
        self,
        packed: CaseZip,
        documents: dict[str, Any],
        request: CaseRequest,
        by: str,
        made_at: datetime,
    ) -> str:
        packed.add_text("README.txt", TEXT.encode())
        for name, document in sorted(documents.items()):
            packed.add_text(name, as_json(document))
        about = {
            "order": str(request.order),
            "made_at": made_at.isoformat(),
            "by": by,
            "reason": request.reason,
            "to": request.to,
            "with_media": request.with_media,
            "with_identity": request.with_identity,
        }
        return packed.finish(about, self.key)

    async def _record(self, request: CaseRequest) -> bool:
        """Before anything is read, so that nobody gets a case file of which the trail knows nothing."""
        async with self.sessions.begin() as session:
            if await Store().orders.read(session, request.order) is None:
                return False
            about = {"media": request.with_media, "identity": request.with_identity, "to": request.to}
            await note(session, request.order, "export.made", "R10.3", request.reason, **about)
            if request.with_identity:
                await note(session, request.order, "identity.revealed", "R9.1", request.reason, to=request.to)
        return True

    async def _gather(self, request: CaseRequest) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """All members at one moment: whoever changes the order waits until they are read."""
        async with self.sessions.begin() as session:
            await Store().orders.lock(session, request.order)
            documents: dict[str, Any] = await read_members(session, request.order)
            objects = await read_evidence(session, request.order)
            if request.with_identity:
                documents["identity.json"] = await read_identity(session, request.order)
        return documents, objects

    async def _prove(self, order: OrderId) -> dict[str, Any]:
        """From a checkpoint of this moment, so that it covers the making of this file too."""
        await Checkpoints(self.sessions, self.readers, self.key, self.clock).take()
        async with self.readers() as session:
            proof = await prove(session, order)
        if proof is None:
            raise LookupError("a checkpoint that was just made does not have the order's chain")
        return {"order": str(order), **proof.as_json()}

    async def _add_media(self, packed: CaseZip, order: OrderId, objects: list[dict[str, Any]]) -> int:
        """Puts in what the vault still has, a piece in memory at a time; how many it has not."""
        missing = 0
        for each in objects:
            digest = Digest(each["sha256"])
            if (absent := await self._absent(order, digest)) is not None:
                each["absent"] = absent
                missing += 1
                continue
            each["member"] = f"media/{digest}.{_ENDS.get(each['media_type'], 'bin')}"
            member = await asyncio.to_thread(packed.open_media, each["member"])
            async for piece in self.vault.read(order, digest):
                await asyncio.to_thread(member.write, piece)
            await asyncio.to_thread(member.close)
        return missing

    async def _absent(self, order: OrderId, digest: Digest) -> str | None:
        """Why an object cannot be put in; None: it opens to its end. Half of one would spoil the file."""
        try:
            async for _ in self.vault.read(order, digest):
                pass
        except EvidenceNotFound:
            return "destroyed"
        except EvidenceUnreadable:
            return "damaged"
        return None
