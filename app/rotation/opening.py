"""What a rotation works on, by the settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

import app.tables  # noqa: F401  (its tables belong to the same metadata)
from activation.adapters.sql.engine import open_engine, open_sessions
from activation.adapters.sql.fields import use_field_keys
from activation.adapters.sql.tables import MessageRow, Row
from app.config import Settings
from app.keys import load_keys
from app.order_keys import object_keys, open_order_keys
from app.rotation.columns import ColumnPart, column_parts
from app.rotation.fields import field_parts
from app.rotation.objects import ObjectsPart
from app.rotation.order_keys import OrderKeysPart
from app.rotation.work import Part
from app.schema import prepare_schema
from media.vault_local import LocalVault


@dataclass(frozen=True)
class Rotation:
    """parts: in the order in which they have to be done."""

    sessions: async_sessionmaker[AsyncSession]
    parts: Sequence[Part]


@asynccontextmanager
async def open_rotation(settings: Settings) -> AsyncIterator[Rotation]:
    """Raises KeyUnusable, SchemaOutdated."""
    async with AsyncExitStack() as stack:
        keys = await asyncio.to_thread(load_keys, settings)
        use_field_keys(keys.fields)
        await prepare_schema(settings)
        engine = open_engine(settings.database_url)
        stack.push_async_callback(engine.dispose)
        sessions = open_sessions(engine)
        order_keys = await open_order_keys(stack, settings, keys, sessions)
        vault = LocalVault(settings.vault_dir, object_keys(order_keys, keys))
        stack.push_async_callback(asyncio.to_thread, vault.close)
        text = Row.metadata.tables[MessageRow.__tablename__].c.text
        messages = ColumnPart(sessions, keys.fields, text, "sandbox_messages.text")
        parts: list[Part] = [
            OrderKeysPart(order_keys.store, order_keys.service),
            ObjectsPart(vault, order_keys),
            *field_parts(sessions),
            *column_parts(sessions, keys.fields, Row.metadata),
            messages,
        ]
        yield Rotation(sessions, parts)
