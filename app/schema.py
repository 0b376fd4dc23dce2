"""The database's schema: brought up to date in development, only compared in production."""

from __future__ import annotations

import migrations
from app.config import Settings


class SchemaOutdated(Exception):
    """Production does not change the schema by itself."""

    def __init__(self) -> None:
        super().__init__("the database is not at the newest schema; run: python -m app migrate")


async def prepare_schema(settings: Settings) -> None:
    """Upgrades a development database; raises SchemaOutdated where production's is not the newest."""
    if await migrations.is_current(settings.database_url):
        return
    if settings.production:
        raise SchemaOutdated
    await migrations.upgrade(settings.database_url)
