"""A database from before the trail: what it holds is in the trail afterwards, under the models' guards."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

import migrations
from activation.adapters.sql.decisions import Question, write_answer
from activation.adapters.sql.engine import open_engine, open_readers
from activation.adapters.sql.facts import write_fact
from activation.adapters.sql.tables import DecisionRow, FactRow
from activation.evidence import QuotaPlace
from activation.findings import Reason
from activation.gate import Wait
from activation.ids import OrderId
from app.compliance.audit.verifying import verify
from tests.migrations.test_migrations import empty_url, engine

__all__ = ["empty_url", "engine"]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def test_facts_and_decisions_from_before_are_taken_into_the_trail(
    empty_url: str, engine: AsyncEngine
) -> None:
    await migrations.upgrade(empty_url, "0001")
    order, answer = OrderId.new(), write_answer(Wait((Reason.CAPTURES_MISSING,)))
    async with engine.begin() as connection:
        for seq in range(3):
            fact = QuotaPlace(NOW, 1 + seq, 5)
            values = {"order_id": order, "seq": seq, "kind": "quota", "body": write_fact(fact), "at": NOW}
            await connection.execute(sa.insert(FactRow).values(values))
        made = {"order_id": order, "question": Question.MAY_SHIP, "facts_seen": 3, "at": NOW}
        asked = {"facts": [], "policy": {"accept": 0.5}}
        await connection.execute(sa.insert(DecisionRow).values(**made, input=asked, answer=answer))
    await migrations.upgrade(empty_url)
    verified = await verify(open_readers(engine), {})
    assert (verified.faults, verified.entries) == ([], 4)
    async with engine.begin() as connection:
        changed = json.dumps({"facts": [], "policy": {"accept": 0.4}})
        await connection.execute(sa.text("UPDATE decisions SET input = :changed"), {"changed": changed})
    faults = (await verify(open_readers(engine), {})).faults
    assert [(fault.chain, fault.seq) for fault in faults] == [(order, 4)]


_GUARDS = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
    "postgresql": "SELECT proname, prosrc, prosecdef, proconfig::text, proacl::text FROM pg_proc "
    "WHERE proname LIKE 'audit%' UNION ALL SELECT tgname, pg_get_triggerdef(oid), NULL, NULL, NULL "
    "FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
}


async def test_guards_of_migrations_and_of_models_are_the_same(
    empty_url: str, engine: AsyncEngine, request: pytest.FixtureRequest
) -> None:
    await migrations.upgrade(empty_url)
    dialect = engine.dialect.name
    made = open_engine(request.getfixturevalue("sqlite_url" if dialect == "sqlite" else "postgres_url"))
    found = []
    for each in (engine, made):
        async with each.connect() as connection:
            found.append((await connection.execute(sa.text(_GUARDS[dialect]))).all())
    await made.dispose()
    assert len(found[0]) >= 9
    assert found[0] == found[1]
