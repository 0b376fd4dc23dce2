"""Case files that the operator's pages ask for: written straight into the vault, given from there."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, cast

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit import note
from activation.adapters.sql.engine import insert_if_absent
from activation.adapters.sql.tables import EvidenceRow
from activation.ids import Digest, OrderId
from app.compliance.casefile.making import CaseFiles, CaseMade, CaseRefusal, CaseRequest
from app.compliance.casefile.members import EXPORT

MEDIA_TYPE = "application/zip"
#: Made at once in one process: each holds one of the vault's threads for as long as it takes.
AT_ONCE = 1
#: Bytes on their way from the packer to the vault.
PIPE_BYTES = 4 * 1024 * 1024
#: The longest that one end waits for the other.
PIPE_SECONDS = 60.0


class PipeBroken(OSError):
    """The other end gave up, or does nothing any more."""


class Pipe:
    """Bytes from a thread that writes to one that reads, a few megabytes at most between them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pieces: deque[bytes] = deque()
        self._waiting, self._ended, self._broken = 0, False, False

    def write(self, data: bytes, /) -> int:
        if not data:
            return 0  # an empty piece would look like the end
        with self._changed:
            self._wait(lambda: self._waiting < PIPE_BYTES)
            self._pieces.append(bytes(data))
            self._waiting += len(data)
            self._changed.notify_all()
        return len(data)

    def flush(self) -> None:
        """Nothing: the reader takes what is there."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes; none once everything was read and the writer has ended."""
        with self._changed:
            self._wait(lambda: bool(self._pieces) or self._ended)
            if not self._pieces:
                return b""
            piece = self._pieces.popleft()
            if 0 <= size < len(piece):
                self._pieces.appendleft(piece[size:])
                piece = piece[:size]
            self._waiting -= len(piece)
            self._changed.notify_all()
        return piece

    def end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def abort(self) -> None:
        """Both ends fail from now on, so that half a file is never taken for a whole one."""
        with self._changed:
            self._broken = not self._ended
            self._changed.notify_all()

    def _wait(self, ready: Callable[[], bool]) -> None:
        holds = self._changed.wait_for(lambda: self._broken or ready(), PIPE_SECONDS)
        if self._broken or not holds:
            raise PipeBroken("the case file was given up")


@dataclass(frozen=True)
class Export:
    """A case file in the vault. digest: SHA-256 of the ZIP. missing: evidence that is not there any more."""

    digest: Digest
    size: int
    made_at: datetime
    missing: int


class ExportBusy(Exception):
    """AT_ONCE case files are being made already."""


class Exports:
    """Makes and gives case files for the API."""

    def __init__(self, files: CaseFiles) -> None:
        self._files = files
        self._room = asyncio.BoundedSemaphore(AT_ONCE)

    async def make(self, request: CaseRequest) -> Export | CaseRefusal:
        """Sealed under the order's key. Raises like `CaseFiles.make`, and ExportBusy."""
        if self._room.locked():
            raise ExportBusy
        async with self._room:
            digest, made = await self._into_vault(request)
        if isinstance(made, CaseRefusal):
            return made
        stored = await self._files.vault.describe(request.order, digest)
        async with self._files.sessions.begin() as session:
            await insert_if_absent(
                session,
                EvidenceRow,
                digest=digest,
                order_id=request.order,
                kind=EXPORT,
                media_type=MEDIA_TYPE,
                size=stored.size,
                at=made.made_at,
            )
            about = {"order": str(request.order), "digest": digest, "manifest": made.manifest}
            await note(session, "exports", "export.stored", "R10.3", request.reason, **about)
        return Export(digest, stored.size, made.made_at, made.missing)

    async def give(self, session: AsyncSession, order_id: OrderId, digest: Digest) -> bool:
        """Records that a case file is handed out. False: there is none of this digest."""
        kept = sa.select(EvidenceRow.digest).where(
            EvidenceRow.order_id == order_id, EvidenceRow.digest == digest, EvidenceRow.kind == EXPORT
        )
        if await session.scalar(kept) is None:
            return False
        await note(session, order_id, "export.given", "R10.3", digest=str(digest))
        return True

    async def _into_vault(self, request: CaseRequest) -> tuple[Digest, CaseMade | CaseRefusal]:
        """The packer writes while the vault reads; where one fails, the other gives up too."""
        pipe = Pipe()
        storing = asyncio.ensure_future(
            self._files.vault.put_file(request.order, EXPORT, MEDIA_TYPE, cast(BinaryIO, pipe))
        )
        storing.add_done_callback(lambda _: pipe.abort())
        try:
            made = await self._files.make(request, pipe)
        except PipeBroken:
            await storing  # says why the vault gave up
            raise
        except BaseException:
            pipe.abort()
            await asyncio.gather(storing, return_exceptions=True)
            raise
        if isinstance(made, CaseRefusal):
            pipe.abort()
            await asyncio.gather(storing, return_exceptions=True)
            return Digest("0" * 64), made
        pipe.end()
        return await storing, made
