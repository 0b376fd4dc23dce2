"""Run by alembic. The address comes from whoever calls `migrations.upgrade`, else from DATABASE_URL."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

import activation.adapters.sql.audit_tables
import activation.adapters.sql.hold_tables
import activation.adapters.sql.service_ends  # noqa: F401  (its tables belong to the same metadata)
import app.access.token_tables
import app.compliance.incidents.tables
import app.compliance.retention.tables
import app.preselection.upload_tables
import app.rotation.tables
import app.tables  # noqa: F401  (its tables belong to the same metadata)
import logistics.tables  # noqa: F401  (its tables belong to the same metadata)
from activation.adapters.sql.engine import open_engine
from activation.adapters.sql.fields import Encrypted, Instant
from activation.adapters.sql.tables import Row


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Migrations name plain column types, so that they stay what they were when ours change."""
    if kind == "type" and isinstance(item, Encrypted):
        return "sa.LargeBinary()"
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    return False


def include_object(_item: Any, name: str | None, kind: str, reflected: bool, _compare_to: Any) -> bool:
    """On SQLite the tables of DBOS lie beside ours; they are not ours to drop."""
    return not (kind == "table" and reflected and name not in Row.metadata.tables)


def _migrate(connection: sa.Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Row.metadata,
        render_as_batch=True,
        render_item=render_item,
        include_object=include_object,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _online(url: str) -> None:
    engine = open_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(_migrate)
    await engine.dispose()


def _url() -> str:
    given: str | None = context.config.attributes.get("url")
    if given is None:
        from app.config import load_settings

        given = load_settings().database_url
    return given


if context.is_offline_mode():
    raise SystemExit("migrations run against a database: alembic upgrade head, without --sql")
asyncio.run(_online(_url()))
