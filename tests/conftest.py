"""Servers and databases that tests share. What is not installed skips its tests, with the reason."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

import activation.adapters.sql.hold_tables
import activation.adapters.sql.service_ends  # noqa: F401  (its tables belong to the same metadata)
import app.access.token_tables
import app.compliance.incidents.tables
import app.compliance.retention.tables
import app.preselection.upload_tables
import app.rotation.tables
import app.tables  # noqa: F401  (its tables belong to the same metadata)
import logistics.tables  # noqa: F401  (its tables belong to the same metadata)
from activation.adapters.sql.engine import open_engine, open_readers, open_sessions
from activation.adapters.sql.fields import FieldKeys, use_field_keys
from activation.adapters.sql.tables import Row
from activation.order_keys import use_order_keys
from tests.order_keys import DerivedOrderKeys
from tests.servers import osmo_hlr as osmo_hlr_server
from tests.servers import postgres as postgres_server
from tests.servers import radosgw as radosgw_server
from tests.servers.osmo_hlr import OsmoHlrServer
from tests.servers.postgres import PostgresCluster
from tests.servers.radosgw import RadosGateway

TEST_KEYS = FieldKeys(current=b"k" * 32, index=b"i" * 32)
use_field_keys(TEST_KEYS)
use_order_keys(DerivedOrderKeys())


def pytest_runtest_setup() -> None:
    use_field_keys(TEST_KEYS)  # whatever keys the test before has used
    use_order_keys(DerivedOrderKeys())  # and destroyed


@pytest.fixture(scope="session")
def field_keys() -> FieldKeys:
    """The keys under which every test's personal fields are stored."""
    return TEST_KEYS


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of measurement data; skips where there is none."""
    folder = Path(os.environ.get("KAIKA_SHARED", Path(__file__).parents[2] / "shared"))
    if not folder.is_dir():
        pytest.skip("no measurement data: KAIKA_SHARED names no folder")
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresCluster]:
    if postgres_server.binaries() is None:
        pytest.skip(postgres_server.MISSING)
    cluster = PostgresCluster()
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def radosgw() -> Iterator[RadosGateway]:
    if not radosgw_server.installed():
        pytest.skip(radosgw_server.MISSING)
    gateway = RadosGateway()
    gateway.start()
    yield gateway
    gateway.stop()


def _create_tables(url: str) -> None:
    async def create() -> None:
        engine = open_engine(url)
        async with engine.begin() as connection:
            await connection.run_sync(Row.metadata.create_all)
        await engine.dispose()

    # In a thread, because an asynchronous fixture may ask for this one while its loop runs.
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(lambda: asyncio.run(create())).result()


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresCluster) -> str:
    """A database that has every table and no row; copying it is faster than making it."""
    name = postgres.create_database()
    _create_tables(postgres.url(name))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a SQLite file."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    _create_tables(f"sqlite:///{path}")
    return path


@pytest.fixture
def postgres_url(postgres: PostgresCluster, postgres_template: str) -> Iterator[str]:
    """A PostgreSQL database with every table, for this test alone."""
    name = postgres.create_database(template=postgres_template)
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """A SQLite database with every table, for this test alone."""
    path = tmp_path / "kaika.sqlite"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The same test on both databases."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(database_url)
    yield opened
    await opened.dispose()


@pytest.fixture
def sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """`async with sessions.begin() as session` writes."""
    return open_sessions(engine)


@pytest.fixture
def readers(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    return open_readers(engine)


@pytest.fixture
def start_osmo_hlr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], OsmoHlrServer]]:
    """Starts real osmo-hlr processes, each with a database of its own."""
    if not osmo_hlr_server.installed():
        pytest.skip(osmo_hlr_server.MISSING)
    started: list[OsmoHlrServer] = []

    def start() -> OsmoHlrServer:
        server = OsmoHlrServer(tmp_path_factory.mktemp("osmo-hlr"))
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def osmo_hlr(start_osmo_hlr: Callable[[], OsmoHlrServer]) -> OsmoHlrServer:
    """One real osmo-hlr."""
    return start_osmo_hlr()
