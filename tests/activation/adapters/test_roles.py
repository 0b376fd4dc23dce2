"""The application's role on a real PostgreSQL: the application works under it, and the trail is safe."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from activation.adapters.durable import DurableWork
from activation.adapters.sql.audit import note
from activation.adapters.sql.engine import open_engine, open_readers, open_sessions
from activation.adapters.sql.roles import NoSuchRole, grants, powers
from activation.order import OrderState
from app.cli.database_roles import grant
from app.compliance.audit.checkpoints import Checkpoints
from app.compliance.audit.verifying import verify
from tests.activation.stand_ins import make_bench
from tests.app.compliance.audit.trail import KEY, KEYS
from tests.servers.postgres import PostgresCluster

pytestmark = pytest.mark.postgres
ROLE = "kaika_app"


@pytest.fixture
async def app_url(postgres: PostgresCluster, postgres_url: str) -> str:
    """The address of a database as the application's role has it."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            b"DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'kaika_app') "
            b"THEN CREATE ROLE kaika_app LOGIN; END IF; END $$"
        )
    await grant(postgres_url, ROLE)
    await grant(postgres_url, ROLE)
    return str(sa.make_url(postgres_url).set(username=ROLE).render_as_string(hide_password=False))


@pytest.fixture
async def application(app_url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(app_url)
    yield engine
    await engine.dispose()


async def test_an_order_goes_the_whole_way_under_the_applications_role(
    app_url: str, application: AsyncEngine
) -> None:
    """DBOS makes its tables, missions run, facts and decisions are written, a checkpoint is signed."""
    sessions, readers = open_sessions(application), open_readers(application)
    work = DurableWork(app_url, application, "kaika-test")
    bench = make_bench(sessions, work)
    await bench.furnish()
    await work.start(bench.flow)
    try:
        order = await bench.draft()
        assert await bench.submit(order)
        await bench.reaches(order, OrderState.SHIPPED)
        await bench.handed_over(order)
        await bench.checked(order)
        await bench.reaches(order, OrderState.ACTIVE)
    finally:
        await work.stop()
    await Checkpoints(sessions, readers, KEY).take()
    verified = await verify(readers, KEYS)
    assert verified.faults == []
    assert verified.entries > 15
    async with readers() as session:
        events = set(await session.scalars(sa.text("SELECT event FROM audit_entries")))
        actors = set(await session.scalars(sa.text("SELECT actor FROM audit_entries")))
    assert {f"order.{state}" for state in ("draft", "submitted", "accepted", "shipped", "active")} <= events
    assert {"fact.registry", "decision.may_activate", "sim.active", "checkpoint.made"} <= events
    assert {"mission:accept", "mission:ship", "mission:decide"} <= actors


HOLES = {
    "change": "UPDATE audit_entries SET actor = 'nobody'",
    "change nothing": "UPDATE audit_entries SET actor = 'nobody' WHERE false",
    "remove": "DELETE FROM audit_entries",
    "empty": "TRUNCATE audit_entries",
    "empty the heads": "TRUNCATE audit_heads",
    "drop": "DROP TABLE audit_entries",
    "rename": "ALTER TABLE audit_entries RENAME TO audit_old",
    "drop a trigger": "DROP TRIGGER audit_entries_refuse ON audit_entries",
    "disable a trigger": "ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_refuse",
    "disable all triggers": "ALTER TABLE audit_entries DISABLE TRIGGER ALL",
    "act as a replica": "SET session_replication_role = replica",
    "a rule": "CREATE RULE nothing AS ON INSERT TO audit_entries DO INSTEAD NOTHING",
    "a trigger": "CREATE TRIGGER mine BEFORE INSERT ON audit_entries EXECUTE FUNCTION audit_refuse()",
    "another function": "CREATE OR REPLACE FUNCTION audit_next() RETURNS trigger LANGUAGE plpgsql "
    "AS $$ BEGIN RETURN NULL; END $$",
    "a function beside it": "CREATE FUNCTION public.forge(text) RETURNS text LANGUAGE sql AS $$ SELECT $1 $$",
    "a wrong seq": "INSERT INTO audit_entries SELECT chain, 7, at, actor, event, content, hash "
    "FROM audit_entries",
    "a forged hash": "INSERT INTO audit_entries SELECT chain, 2, at, actor, event, content, repeat('0', 64) "
    "FROM audit_entries",
    "a head": "UPDATE audit_heads SET seq = 0",
    "a checkpoint changed": "UPDATE audit_checkpoints SET content = ''",
    "a checkpoint removed": "DELETE FROM audit_checkpoint_heads",
    "own it": "ALTER TABLE audit_entries OWNER TO kaika_app",
    "grant it": "GRANT ALL ON audit_entries TO kaika_app",
    "become the owner": "SET ROLE kaika",
    "copy over it": "COPY audit_entries FROM PROGRAM 'true'",
}


async def _refusal(application: AsyncEngine, statement: str) -> str | None:
    """PostgreSQL's code of the refusal or warning; None: it was done."""
    warned: list[str | None] = []
    async with application.connect() as connection:
        raw = await connection.get_raw_connection()
        raw.driver_connection.add_notice_handler(lambda notice: warned.append(notice.sqlstate))  # type: ignore[union-attr]
        try:
            await connection.exec_driver_sql(statement)
            await connection.commit()
        except DBAPIError as refused:
            return getattr(refused.orig, "sqlstate", None)
    return warned[0] if warned else None


@pytest.mark.parametrize("hole", HOLES)
async def test_the_applications_role_makes_no_hole(application: AsyncEngine, hole: str) -> None:
    sessions, readers = open_sessions(application), open_readers(application)
    async with sessions.begin() as session:
        await note(session, "ord_a", "happened", "R9.1")
    assert await _refusal(application, HOLES[hole]) in (
        "42501",  # insufficient privilege
        "01007",  # nothing was granted, of which PostgreSQL only warns
    )
    async with sessions.begin() as session:
        await note(session, "ord_a", "happened again", "R9.1")
    verified = await verify(readers, KEYS)
    assert (verified.faults, verified.entries) == ([], 2)
    async with application.connect() as connection:
        assert await connection.run_sync(powers) == ()


async def test_temporary_tables_do_not_stand_before_the_trail(application: AsyncEngine) -> None:
    """`audit_append` looks where the tables are, whatever the caller's search path is."""
    async with open_sessions(application).begin() as session:
        await session.execute(sa.text("CREATE TEMPORARY TABLE audit_entries (chain text)"))
        await session.execute(sa.text("SET LOCAL search_path = pg_temp, public"))
        await note(session, "ord_a", "happened", "R9.1")
    async with open_readers(application)() as session:
        assert await session.scalar(sa.text("SELECT count(*) FROM public.audit_entries")) == 1


async def test_the_owner_has_powers_that_are_named(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    async with engine.connect() as connection:
        has = await connection.run_sync(powers)
        with pytest.raises(NoSuchRole):
            await connection.run_sync(grants, "nobody_at_all")
    await engine.dispose()
    assert {"is a superuser", "owns audit_entries", "may change audit_entries"} <= set(has)
