"""Keys, database and vault without the server around them, for a command that reads or seals records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.engine import open_engine, open_readers, open_sessions
from activation.adapters.sql.fields import use_field_keys
from app.config import Settings
from app.keys import Keys, load_keys
from app.order_keys import object_keys, open_order_keys
from app.storage import open_vault
from media.vault import Vault


@dataclass(frozen=True, repr=False)
class Records:
    """Open until the block of `open_records` ends."""

    keys: Keys
    sessions: async_sessionmaker[AsyncSession]
    readers: async_sessionmaker[AsyncSession]
    vault: Vault


@asynccontextmanager
async def open_records(settings: Settings) -> AsyncIterator[Records]:
    """Raises KeyUnusable, StorageUnusable or OSError where something is not there."""
    async with AsyncExitStack() as stack:
        keys = await asyncio.to_thread(load_keys, settings)
        use_field_keys(keys.fields)
        engine = open_engine(settings.database_url)
        stack.push_async_callback(engine.dispose)
        order_keys = await open_order_keys(stack, settings, keys, open_sessions(engine))
        vault = await open_vault(stack, settings, object_keys(order_keys, keys))
        yield Records(keys, open_sessions(engine), open_readers(engine), vault)
