"""One way to open the database: SQLite (WAL) by default, PostgreSQL when the address says so."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from activation.adapters.sql.audit_chain import link

BUSY_TIMEOUT_MS = 30_000
POOL_SIZE = 20
#: PostgreSQL ends a transaction in which nothing was asked for so long: a frozen process keeps no locks.
IDLE_IN_TRANSACTION_MS = 15_000
_READS_ONLY = "kaika_reads_only"


def open_engine(url: str) -> AsyncEngine:
    """An engine for `sqlite:///PATH` or `postgresql://…`. Dispose it, or the process hangs at exit.

    Errors do not show the values of statements: they may be personal, and durable work stores errors.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_async_engine(parsed.set(drivername="sqlite+aiosqlite"), hide_parameters=True)
        _make_sqlite_serious(engine)
        return engine
    return create_async_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"options": f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MS}"},
    )


def _make_sqlite_serious(engine: AsyncEngine) -> None:
    @sa.event.listens_for(engine.sync_engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten (R8.2)
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.close()
        connection.create_function("kaika_link", 4, link, deterministic=True)

    # A deferred BEGIN fails on its first write when another writer was faster; IMMEDIATE waits its turn.
    @sa.event.listens_for(engine.sync_engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        reads_only = connection.get_execution_options().get(_READS_ONLY, False)
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def open_sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Sessions that write: `async with sessions.begin() as session`."""
    return async_sessionmaker(engine, expire_on_commit=False)


def open_readers(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Sessions that only read; on SQLite they do not wait for the one writer, nor it for them."""
    return async_sessionmaker(engine.execution_options(**{_READS_ONLY: True}), expire_on_commit=False)


def reads_only(session: AsyncSession) -> bool:
    """Whether it is a session of `open_readers`."""
    options = session.sync_session.get_bind().get_execution_options()
    return bool(options.get(_READS_ONLY, False))


async def insert_if_absent(session: AsyncSession, row: type[Any], **values: Any) -> bool:
    """Insert one row unless a unique constraint already forbids it; True where it was inserted.

    A concurrent insert of the same key is waited for, never an error.
    """
    dialect = session.get_bind().dialect.name
    insert = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(row).values(**values)
    first = sa.inspect(row).primary_key[0]
    inserted = await session.execute(insert.on_conflict_do_nothing().returning(first))
    return inserted.first() is not None
