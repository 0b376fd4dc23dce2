"""The history leads from nothing to exactly what the models say, and back, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.ext.asyncio import AsyncEngine

import migrations
from activation.adapters.sql.engine import open_engine
from activation.adapters.sql.tables import Row
from tests.servers.postgres import PostgresCluster


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty % folder.sqlite'}"
    cluster: PostgresCluster = request.getfixturevalue("postgres")
    return cluster.url(cluster.create_database())


@pytest.fixture
async def engine(empty_url: str) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(empty_url)
    yield opened
    await opened.dispose()


async def _tables(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        return set(await connection.run_sync(lambda c: sa.inspect(c).get_table_names()))


async def test_up_down_and_up_again(empty_url: str, engine: AsyncEngine) -> None:
    assert not await migrations.is_current(empty_url)
    await migrations.upgrade(empty_url)
    assert await migrations.is_current(empty_url)
    assert await _tables(engine) == {*Row.metadata.tables, "alembic_version"}
    await migrations.downgrade(empty_url, "base")
    assert await _tables(engine) == {"alembic_version"}
    assert not await migrations.is_current(empty_url)
    await migrations.upgrade(empty_url)
    await migrations.upgrade(empty_url)
    assert await migrations.is_current(empty_url)


def _differences(connection: sa.Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, Row.metadata))


async def test_migrations_make_what_the_models_say(empty_url: str, engine: AsyncEngine) -> None:
    await migrations.upgrade(empty_url)
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []


async def test_the_open_case_index_is_partial_in_the_migrated_database(
    empty_url: str, engine: AsyncEngine
) -> None:
    """Autogeneration does not compare conditions; without it no order could ever have a second case."""
    await migrations.upgrade(empty_url)
    async with engine.connect() as connection:
        indexes = await connection.run_sync(lambda c: sa.inspect(c).get_indexes("review_cases"))
    options = {index["name"]: index.get("dialect_options", {}) for index in indexes}["uq_review_cases_open"]
    assert any(name.endswith("_where") for name in options)


async def test_five_places_are_kept_by_the_database_itself(empty_url: str, engine: AsyncEngine) -> None:
    """R2.1"""
    await migrations.upgrade(empty_url)
    sixth = sa.text(
        "INSERT INTO card_places (number_digest, place, order_id, taken_at) "
        "VALUES ('d', 6, 'o', '2026-01-01')"
    )
    with pytest.raises(sa.exc.IntegrityError):
        async with engine.begin() as connection:
            await connection.execute(sixth)
