"""What the commands of retention share: records opened, the room put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

    from app.compliance.retention.routine import Retention
    from media.vault import Vault


@dataclass(frozen=True)
class Keeping:
    retention: Retention
    sessions: async_sessionmaker[AsyncSession]
    readers: async_sessionmaker[AsyncSession]
    vault: Vault


@asynccontextmanager
async def keeping() -> AsyncIterator[Keeping]:
    """Database, vault and keys of the settings. What the mission engine remembers is forgotten as well."""
    from datetime import UTC, datetime

    from activation.adapters.durable import DurableWork
    from app.compliance.retention.opening import open_retention
    from app.compliance.retention.plainly import PlainWork, held_by_the_server
    from app.config import load_settings
    from app.records import open_records

    settings = load_settings()
    async with open_records(settings) as records:
        engine = records.sessions.kw["bind"]
        work = DurableWork(settings.database_url, engine, "command")
        try:
            retention = open_retention(
                engine=engine,
                work=PlainWork(records.sessions),
                clock=lambda: datetime.now(UTC),
                vault=records.vault,
                faces_limit=settings.faces_limit,
                release=held_by_the_server,
                forget=work.forget,
            )
            yield Keeping(retention, records.sessions, records.readers, records.vault)
        finally:
            await work.stop()
