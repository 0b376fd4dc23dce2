"""One history of the database's schema for SQLite and PostgreSQL, and how to walk it.

Tables of durable work are not here: DBOS makes and changes its own when the server starts.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from activation.adapters.sql.engine import open_engine

_HERE = Path(__file__).parent


async def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database to a revision; does nothing where it is there already."""
    await asyncio.to_thread(command.upgrade, _config(url), revision)


async def downgrade(url: str, revision: str) -> None:
    await asyncio.to_thread(command.downgrade, _config(url), revision)


async def is_current(url: str) -> bool:
    """Whether the database is at the newest revision."""
    engine = open_engine(url)
    try:
        async with engine.connect() as connection:
            found = await connection.run_sync(_revision)
    finally:
        await engine.dispose()
    return found == ScriptDirectory.from_config(_config(url)).get_current_head()


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.attributes["url"] = url
    return config
