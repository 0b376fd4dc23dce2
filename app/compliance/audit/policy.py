"""The gate's policy in force, noted when a process starts with another one than the last that was noted."""

from __future__ import annotations

import json

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.audit import AuditEntryRow as E
from activation.adapters.sql.audit import digest_of, note
from activation.policy import Policy

IN_FORCE = "policy.in_force"
_POLICY = TypeAdapter(Policy)


async def note_policy(sessions: async_sessionmaker[AsyncSession], policy: Policy) -> bool:
    """True where it was news. The entry holds the whole policy: thresholds and limits, nothing personal."""
    written = _POLICY.dump_python(policy, mode="json")
    digest = digest_of(written)
    newest = sa.select(E.content).where(E.chain == "policy", E.event == IN_FORCE).order_by(E.seq.desc())
    async with sessions.begin() as session:
        before = await session.scalar(newest.limit(1))
        if before is not None and json.loads(before)["details"]["sha256"] == digest:
            return False
        await note(session, "policy", IN_FORCE, "R4.3", sha256=digest, policy=written)
    return True
