"""Production on PostgreSQL does not start as a role that could change the audit trail."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import psycopg
import pytest
import sqlalchemy as sa

import migrations
from app.cli import main
from app.config import Mode, Settings
from app.schema import RoleTooMighty, SchemaOutdated, prepare_schema
from tests.servers.postgres import PostgresCluster

pytestmark = pytest.mark.postgres


async def test_the_owner_is_refused_and_the_applications_role_is_not(
    postgres: PostgresCluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    owner = postgres.url(postgres.create_database())
    settings = Settings(mode=Mode.PRODUCTION, database_url=owner)
    with pytest.raises(SchemaOutdated):
        await prepare_schema(settings)
    await migrations.upgrade(owner)
    with pytest.raises(RoleTooMighty, match="owns audit_entries"):
        await prepare_schema(settings)
    await prepare_schema(replace(settings, accept_database_owner=True))
    await prepare_schema(replace(settings, mode=Mode.DEVELOPMENT))
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(b"DROP ROLE IF EXISTS kaika_serves")
        connection.execute(b"CREATE ROLE kaika_serves LOGIN")
    serves = sa.make_url(owner).set(username="kaika_serves").render_as_string(hide_password=False)
    monkeypatch.setenv("DATABASE_URL", owner)
    assert await _command("database", "roles", "--app", "kaika_serves", "--print") == 0
    assert "GRANT EXECUTE ON FUNCTION audit_append(jsonb)" in capsys.readouterr().out
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        psycopg.connect(serves).execute(b"SELECT 1 FROM orders")
    assert await _command("database", "roles", "--app", "kaika_serves") == 0
    assert await _command("database", "roles", "--app", "kaika_nobody") == 1
    await prepare_schema(replace(settings, database_url=serves))
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(b"DROP OWNED BY kaika_serves; DROP ROLE kaika_serves")


async def _command(*arguments: str) -> int:
    return await asyncio.to_thread(main, arguments)
