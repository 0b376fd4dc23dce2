"""A small trail as the application writes it, and what is needed to attack it as the tables' owner."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.acting import acting_as
from activation.adapters.sql.audit import note
from activation.adapters.sql.audit_guards import APPEND_ONLY
from activation.adapters.sql.decisions import Question
from activation.adapters.sql.orders import NewOrder
from activation.adapters.sql.store import Store
from activation.evidence import Hold, QuotaPlace, RegistryAnswer, RegistryVerdict
from activation.findings import Reason
from activation.gate import Pass, Wait
from activation.ids import Msisdn, OrderId, StaffId
from activation.order import OrderState
from app.compliance.audit.checkpoints import Checkpoints
from app.compliance.audit.signed import key_id
from tests.activation.stand_ins import POLICY

Sessions = async_sessionmaker[AsyncSession]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.generate()
KEYS = {key_id(KEY.public_key()): KEY.public_key()}
STORE = Store()


async def furnish(sessions: Sessions, readers: Sessions, orders: int = 5) -> list[OrderId]:
    """Orders with facts and decisions, staff, two checkpoints, and as much again after them."""
    checkpoints = Checkpoints(sessions, readers, KEY)
    made: list[OrderId] = []
    for _ in range(2):
        for number in range(len(made), len(made) + orders):
            made.append(await _order(sessions, number))
        async with sessions.begin() as session:
            await note(session, StaffId.new(), "staff.created", "R9.1", role="reviewer")
            await note(session, "sign_in", "sign_in.refused", "R9.1")
        await checkpoints.take()
        await _further(sessions, made[-2:])
    return made


async def _order(sessions: Sessions, number: int) -> OrderId:
    order = OrderId.new()
    new = NewOrder(order, Msisdn(f"138{number:08}"), Msisdn(f"139{number:08}"), "样本路 1 号")
    async with sessions.begin() as session:
        await STORE.orders.create(session, new, NOW, NOW + timedelta(minutes=30))
    with acting_as("mission:accept"):
        async with sessions.begin() as session:
            await STORE.orders.move(session, order, OrderState.SUBMITTED, NOW)
            view = await STORE.orders.lock(session, order)
            registry = RegistryAnswer(NOW, RegistryVerdict.MATCH, view.identity, f"reference-{number}")
            await STORE.facts.append(session, order, registry)
            await STORE.facts.append(session, order, QuotaPlace(NOW, 1 + number % 5, 5))
            facts = await STORE.facts.load(session, order)
            waits = Wait((Reason.CAPTURES_MISSING,))
            await STORE.decisions.record(session, Question.MAY_SHIP, facts, POLICY, waits, NOW)
    return order


async def _further(sessions: Sessions, orders: list[OrderId]) -> None:
    for order in orders:
        async with sessions.begin() as session:
            hold = Hold(NOW, f"order:{order}", True, StaffId.new(), "asked")
            await STORE.facts.append(session, order, hold)
            facts = await STORE.facts.load(session, order)
            await STORE.decisions.record(session, Question.MAY_SHIP, facts, POLICY, Pass(), NOW)


async def without_guards(sessions: Sessions) -> None:
    """What the owner of the tables, or of SQLite's file, can do."""
    async with sessions.begin() as session:
        if session.get_bind().dialect.name == "postgresql":
            for table in (*APPEND_ONLY, "audit_heads"):
                await session.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
            return
        triggers = await session.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
        for name in list(triggers):
            await session.execute(sa.text(f"DROP TRIGGER {name}"))
