"""Tokens and accounts that are no longer good, known to every process within a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.engine import insert_if_absent
from app.access.token_tables import TokenFamilyRow
from app.tables import RevokedTokenRow, StaffRow

#: How long another process may still honour what was revoked here, seconds.
LAG_S = 1.0
#: No access token lives longer; a family that ended before that has none left.
LONGEST_ACCESS = timedelta(hours=1)


class Revocations:
    """What was revoked, read from the database at most once per `LAG_S`; one's own at once."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        readers: async_sessionmaker[AsyncSession],
        clock: Callable[[], datetime],
    ) -> None:
        self._sessions = sessions
        self._readers = readers
        self._clock = clock
        self._tokens: frozenset[str] = frozenset()
        self._families: frozenset[str] = frozenset()
        self._staff: frozenset[str] = frozenset()
        self._read_at = float("-inf")
        self._forgotten = 0
        self._reading = asyncio.Lock()

    async def holds(self, jti: str, subject: str, family: str) -> bool:
        """True where this token, its sign-in, or the account it speaks for, is no longer good."""
        if time.monotonic() - self._read_at > LAG_S:
            async with self._reading:
                if time.monotonic() - self._read_at > LAG_S:
                    await self._read()
        return jti in self._tokens or family in self._families or subject in self._staff

    async def revoke(self, jti: str, expires_at: datetime) -> None:
        """Ends one token; a second time changes nothing. Forgets those that have expired by themselves."""
        async with self._sessions.begin() as session:
            await session.execute(
                sa.delete(RevokedTokenRow).where(RevokedTokenRow.expires_at < self._clock())
            )
            await insert_if_absent(session, RevokedTokenRow, jti=jti, expires_at=expires_at)
        self.forget()

    def forget(self) -> None:
        """Read again at the next question, whatever is being read now; after an account was disabled here."""
        self._read_at = float("-inf")
        self._forgotten += 1

    async def _read(self) -> None:
        now, forgotten = self._clock(), self._forgotten
        async with self._readers() as session:
            tokens = await session.scalars(
                sa.select(RevokedTokenRow.jti).where(RevokedTokenRow.expires_at >= now)
            )
            self._tokens = frozenset(tokens)
            families = await session.scalars(
                sa.select(TokenFamilyRow.id).where(TokenFamilyRow.ended_at >= now - LONGEST_ACCESS)
            )
            self._families = frozenset(families)
            staff = await session.scalars(sa.select(StaffRow.id).where(StaffRow.disabled.is_(True)))
            self._staff = frozenset(staff)
        if forgotten == self._forgotten:
            self._read_at = time.monotonic()
