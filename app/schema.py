"""The database's schema: brought up to date in development, only compared in production.

In production the role must not be able to change the audit trail either.
"""

from __future__ import annotations

import migrations
from activation.adapters.sql.engine import open_engine
from activation.adapters.sql.roles import powers
from app.config import Settings


class SchemaOutdated(Exception):
    """Production does not change the schema by itself."""

    def __init__(self) -> None:
        super().__init__("the database is not at the newest schema; run: python -m app migrate")


class RoleTooMighty(Exception):
    """Production's database role could make a hole in the audit trail."""

    def __init__(self, has: tuple[str, ...]) -> None:
        super().__init__(
            "DATABASE_URL: its role could change the audit trail; it " + ", ".join(has) + ".\n"
            "Run the server as another role (python -m app database roles --app NAME), or set "
            "KAIKA_ACCEPT_DATABASE_OWNER=yes"
        )


async def prepare_schema(settings: Settings) -> None:
    """Upgrades a development database.

    In production raises SchemaOutdated where it is not the newest, RoleTooMighty where the role is.
    """
    if await migrations.is_current(settings.database_url):
        if settings.production and not settings.sqlite and not settings.accept_database_owner:
            await _refuse_owner(settings)
        return
    if settings.production:
        raise SchemaOutdated
    await migrations.upgrade(settings.database_url)


async def _refuse_owner(settings: Settings) -> None:
    engine = open_engine(settings.database_url)
    try:
        async with engine.connect() as connection:
            has = await connection.run_sync(powers)
    finally:
        await engine.dispose()
    if has:
        raise RoleTooMighty(has)
