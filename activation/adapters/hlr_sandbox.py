"""A home location register in our own database, for development: the same states as OsmoHLR's."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.engine import insert_if_absent
from activation.adapters.sql.tables import HlrSubscriberRow as H
from activation.ids import Imsi, Msisdn
from activation.ports import HlrFault, Subscriber


class SandboxHlr:
    """`activation.ports.Hlr`. Counts how often each subscriber was switched on. Not for production."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def create_off(self, imsi: Imsi, msisdn: Msisdn) -> Subscriber:
        try:
            async with self._sessions.begin() as session:
                await insert_if_absent(session, H, imsi=imsi, cs_enabled=False, ps_enabled=False)
                await session.execute(
                    sa.update(H)
                    .where(H.imsi == imsi)
                    .values(msisdn=msisdn, cs_enabled=False, ps_enabled=False)
                )
                return await _certain(session, imsi)
        except IntegrityError:
            raise HlrFault("the number belongs to another subscriber") from None

    async def switch_on(self, imsi: Imsi) -> Subscriber:
        async with self._sessions.begin() as session:
            await session.execute(
                sa.update(H)
                .where(H.imsi == imsi, sa.not_(sa.and_(H.cs_enabled, H.ps_enabled)))
                .values(cs_enabled=True, ps_enabled=True, switched_on=H.switched_on + 1)
            )
            return await _certain(session, imsi)

    async def switch_off(self, imsi: Imsi) -> Subscriber:
        async with self._sessions.begin() as session:
            await session.execute(
                sa.update(H).where(H.imsi == imsi).values(cs_enabled=False, ps_enabled=False)
            )
            return await _certain(session, imsi)

    async def read(self, imsi: Imsi) -> Subscriber | None:
        async with self._sessions.begin() as session:
            return await _read(session, imsi)

    async def remove(self, imsi: Imsi) -> None:
        async with self._sessions.begin() as session:
            await session.execute(sa.delete(H).where(H.imsi == imsi))

    async def switched_on(self, imsi: Imsi) -> int:
        """How often the subscriber was switched from off to on; for tests."""
        async with self._sessions.begin() as session:
            return await session.scalar(sa.select(H.switched_on).where(H.imsi == imsi)) or 0


async def _certain(session: AsyncSession, imsi: Imsi) -> Subscriber:
    subscriber = await _read(session, imsi)
    if subscriber is None:
        raise HlrFault("the HLR does not know a subscriber that it should know")
    return subscriber


async def _read(session: AsyncSession, imsi: Imsi) -> Subscriber | None:
    row = (
        await session.execute(sa.select(H.msisdn, H.cs_enabled, H.ps_enabled).where(H.imsi == imsi))
    ).first()
    if row is None:
        return None
    return Subscriber(imsi, Msisdn(row.msisdn) if row.msisdn else None, row.cs_enabled, row.ps_enabled)
