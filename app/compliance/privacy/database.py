"""Every table and column of every schema, DBOS's among them, and the raw files that hold them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

#: Rows fetched at once.
ROWS = 500
#: Between values, so that no needle is found across two of them.
_BETWEEN = b"\x00\x00"
_SQLITE_FILES = ("", "-wal", "-shm", "-journal")
_SYSTEM_SCHEMAS = frozenset({"information_schema", "pg_catalog", "pg_toast"})


@dataclass(frozen=True)
class Column:
    """schema is None where the database has none."""

    schema: str | None
    table: str
    name: str

    @property
    def shown(self) -> str:
        return ".".join(part for part in (self.schema, self.table, self.name) if part)


def open_for_reading(url: str) -> sa.Engine:
    """A synchronous engine; dispose it. Errors show no values."""
    parsed = sa.make_url(url)
    driver = "sqlite" if parsed.get_backend_name() == "sqlite" else "postgresql+psycopg"
    return sa.create_engine(parsed.set(drivername=driver), hide_parameters=True)


def columns(engine: sa.Engine) -> list[Column]:
    """All columns of all tables that the connection may see."""
    inspector = sa.inspect(engine)
    sqlite = engine.dialect.name == "sqlite"
    schemas: list[str | None] = [None]
    if not sqlite:
        schemas = [each for each in inspector.get_schema_names() if each not in _SYSTEM_SCHEMAS]
    return [
        Column(schema, table, column["name"])
        for schema in schemas
        for table in inspector.get_table_names(schema=schema)
        for column in inspector.get_columns(table, schema=schema)
    ]


def values(connection: sa.Connection, column: Column) -> Iterator[bytes]:
    """What stands in a column, row after row, as bytes: text in UTF-8, everything else as it is written."""
    quote = connection.dialect.identifier_preparer.quote
    table = ".".join(quote(part) for part in (column.schema, column.table) if part)
    name = quote(column.name)
    if connection.dialect.name != "sqlite":
        kind = connection.exec_driver_sql(f"SELECT pg_typeof({name})::text FROM {table} LIMIT 1").scalar()  # noqa: S608
        name = name if kind == "bytea" else f"{name}::text"
    # Identifiers come from the database itself and are quoted by its dialect.
    query = f"SELECT {name} FROM {table} WHERE {quote(column.name)} IS NOT NULL"  # noqa: S608
    options = {"stream_results": True, "yield_per": ROWS}
    for rows in connection.execution_options(**options).exec_driver_sql(query).partitions():
        yield b"".join(as_bytes(row[0]) + _BETWEEN for row in rows)


def as_bytes(value: Any) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    return str(value).encode(errors="surrogatepass")


#: What the database's own files are told as; both always, also where this user may not read them.
FILES, LOG = "database files", "write-ahead log"


def raw_files(engine: sa.Engine) -> dict[str, list[Path] | None]:
    """The database's own files by FILES and LOG; None: PostgreSQL's that this user may not read."""
    if engine.dialect.name != "sqlite":
        return _postgres_files(engine)
    main = engine.url.database or ""
    found = [Path(main + suffix) for suffix in _SQLITE_FILES if Path(main + suffix).is_file()]
    return {
        FILES: [path for path in found if not path.name.endswith("-wal")],
        LOG: [path for path in found if path.name.endswith("-wal")],
    }


def _postgres_files(engine: sa.Engine) -> dict[str, list[Path] | None]:
    """Of this database, and the cluster's write-ahead log."""
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("CHECKPOINT")  # what is only in memory would not be seen
    except sa.exc.DBAPIError:
        pass
    try:
        with engine.connect() as connection:
            folder = Path(str(connection.exec_driver_sql("SHOW data_directory").scalar()))
            query = "SELECT oid FROM pg_database WHERE datname = current_database()"
            oid = connection.exec_driver_sql(query).scalar()
    except sa.exc.DBAPIError:
        return {FILES: None, LOG: None}
    return {FILES: _files_in(folder / "base" / str(oid)), LOG: _files_in(folder / "pg_wal")}


def _files_in(folder: Path) -> list[Path] | None:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return None
