"""That database and key store belong together: the store has a random name, and the database knows it."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.rotation.tables import KEY_STORE, KeyRotationRow
from app.storage_settings import StorageUnusable
from media.keys.ports import KeyStore
from media.keys.store_known import KnownKeyStore

_NAME_BYTES = 16


async def known_key_store(sessions: async_sessionmaker[AsyncSession], store: KeyStore) -> KnownKeyStore:
    """The store, from now on only as the one that the database knows; both learn of each other once.

    Raises StorageUnusable where the database knows another one, or the store has lost its name.
    """
    async with sessions.begin() as session:
        known = await _known(session)
    there = await store.store_id()
    if known is None:
        # The store decides between two servers that start at once.
        known = there or await store.name_once(secrets.token_hex(_NAME_BYTES))
        await _write_down(sessions, known)
    elif there != known:
        what = "has no name: not mounted, or empty" if there is None else "belongs to another database"
        raise StorageUnusable(
            f"KAIKA_KEY_STORE: the key store {what}; without its keys every order would pass for destroyed"
        )
    return KnownKeyStore(store, known)


async def _known(session: AsyncSession) -> str | None:
    row = sa.select(KeyRotationRow.target).where(KeyRotationRow.part == KEY_STORE)
    return (await session.execute(row)).scalar()


async def _write_down(sessions: async_sessionmaker[AsyncSession], store_id: str) -> None:
    now = datetime.now(UTC)
    async with sessions.begin() as session:
        if await _known(session) is None:
            session.add(
                KeyRotationRow(
                    part=KEY_STORE, target=store_id, done=0, total=0, begun_at=now, finished_at=now
                )
            )
