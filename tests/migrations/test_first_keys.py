"""A database with orders from before orders had keys says so, until each of them has one."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

import migrations
from activation.ids import OrderId
from app.rotation.tables import FIRST_KEYS
from tests.activation.stand_ins import now
from tests.migrations.test_migrations import empty_url, engine

__all__ = ("empty_url", "engine")

_ORDER = sa.text(
    "INSERT INTO orders (id, state, msisdn, contact_phone, contact_digest, address, region, locale, "
    "created_at, changed_at) VALUES (:id, 'draft', '13800000001', :sealed, '', :sealed, '', 'en', :at, :at)"
)
_OPEN = sa.text("SELECT part FROM key_rotations WHERE finished_at IS NULL")


async def _waiting(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return list(await connection.scalars(_OPEN))


async def test_orders_that_were_there_wait_for_their_keys(empty_url: str, engine: AsyncEngine) -> None:
    await migrations.upgrade(empty_url, "0003")
    async with engine.begin() as connection:
        at = now() if engine.dialect.name == "postgresql" else now().isoformat(" ")
        await connection.execute(_ORDER, {"id": OrderId.new(), "sealed": b"\x01", "at": at})
    await migrations.upgrade(empty_url)
    assert await _waiting(engine) == [FIRST_KEYS]


async def test_a_new_database_waits_for_nothing(empty_url: str, engine: AsyncEngine) -> None:
    await migrations.upgrade(empty_url)
    assert await _waiting(engine) == []
