"""Quarantine is emptied by the clock: an upload that nobody took is gone after 70 minutes at most (R9.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.ports import Routine
from app.preselection.upload_tables import UploadRow
from app.preselection.uploading import TAKE_WITHIN
from media.uploads import Quarantine
from media.vault import Vault, VaultFault
from media.vault_s3 import S3Vault

#: Every ten minutes.
NAME, CRON = "uploads_sweep", "30 */10 * * * *"
#: An object that is still written after so long has lost its writer.
PARTS_WITHIN = timedelta(hours=24)

_log = structlog.get_logger("kaika.uploads")


def upload_routines(
    quarantine: Quarantine | None,
    vault: Vault,
    sessions: async_sessionmaker[AsyncSession],
    clock: Callable[[], datetime],
) -> tuple[Routine, ...]:
    """The sweep, where there is anything to sweep: in buckets, also where no direct upload is offered."""
    if not isinstance(vault, S3Vault):
        return ()
    return (UploadSweep(sessions, clock, quarantine, vault).routine(),)


@dataclass(frozen=True)
class UploadSweep:
    """Has no steps: begun again, it finds what is left."""

    sessions: async_sessionmaker[AsyncSession]
    clock: Callable[[], datetime]
    quarantine: Quarantine | None
    vault: S3Vault

    def routine(self) -> Routine:
        async def by_the_clock() -> None:
            await self.sweep()

        return Routine(NAME, CRON, by_the_clock)

    async def sweep(self) -> int:
        """How many uploads were removed; a storage that is away is asked again next time."""
        old = self.clock() - TAKE_WITHIN
        try:
            swept = 0 if self.quarantine is None else await self.quarantine.sweep(old)
            await self.vault.sweep(self.clock() - PARTS_WITHIN)
        except VaultFault as fault:
            _log.warning("quarantine not swept", reason=str(fault))
            return 0
        async with self.sessions.begin() as session:
            await session.execute(sa.delete(UploadRow).where(UploadRow.opened_at < old))
        if swept:
            _log.info("quarantine swept", uploads=swept)
        return swept
