"""Keys for orders from before orders had keys: once, before anything of theirs is written or destroyed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.sealed import FORMER
from activation.adapters.sql.tables import CaptureRow, OrderRow
from activation.ids import OrderId
from activation.order_keys import order_keys
from app.compliance.retention.face_keys import face_key_id
from app.rotation.order_keys import AT_ONCE
from app.rotation.tables import FIRST_KEYS, KeyRotationRow
from app.rotation.work import PAGE


async def make_first_keys(sessions: async_sessionmaker[AsyncSession]) -> int:
    """How many orders were given a key. Nothing to do but after the upgrade that brought keys.

    May be killed, or run beside itself: an order's key is made once.
    """
    async with sessions.begin() as session:
        row = await session.get(KeyRotationRow, (FIRST_KEYS, ""))
    if row is None or row.finished_at is not None:
        return 0
    after, made = str(row.after[0]) if row.after else "", 0
    while orders := await _without_key(sessions, after):
        faces = await _with_faces(sessions, orders)
        await _create([*orders, *map(face_key_id, faces)])
        after, made = orders[-1], made + len(orders)
        await _progress(sessions, after=[after], done=KeyRotationRow.done + len(orders))
    await _progress(sessions, finished_at=datetime.now(UTC))
    return made


async def _create(orders: list[OrderId]) -> None:
    """AT_ONCE at a time: the server listens only when all are made."""
    free = asyncio.Semaphore(AT_ONCE)

    async def create(order_id: OrderId) -> None:
        async with free:
            await order_keys().create(order_id)

    await asyncio.gather(*map(create, orders))


async def _without_key(sessions: async_sessionmaker[AsyncSession], after: str) -> list[OrderId]:
    """Whose fields are in the old format: they were written before there were keys."""
    start = sa.func.substr(OrderRow.contact_phone, 1, 1, type_=sa.LargeBinary)
    query = sa.select(OrderRow.id).where(OrderRow.id > after, start == FORMER)
    async with sessions.begin() as session:
        found = await session.scalars(query.order_by(OrderRow.id).limit(PAGE))
        return [OrderId(order) for order in found]


async def _with_faces(sessions: async_sessionmaker[AsyncSession], orders: list[OrderId]) -> list[OrderId]:
    start = sa.func.substr(CaptureRow.embeddings, 1, 1, type_=sa.LargeBinary)
    query = sa.select(CaptureRow.order_id).where(CaptureRow.order_id.in_(orders), start == FORMER).distinct()
    async with sessions.begin() as session:
        return [OrderId(order) for order in await session.scalars(query)]


async def _progress(sessions: async_sessionmaker[AsyncSession], **values: object) -> None:
    async with sessions.begin() as session:
        await session.execute(
            sa.update(KeyRotationRow).where(KeyRotationRow.part == FIRST_KEYS).values(values)
        )
