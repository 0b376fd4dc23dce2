"""The stock of SIM cards: one card per order, taken without a race, moved through its table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit import note
from activation.adapters.sql.engine import insert_if_absent
from activation.adapters.sql.tables import SimRow as R
from activation.ids import Iccid, Imsi, OrderId
from activation.sim import SimState, states_before


@dataclass(frozen=True)
class SimCard:
    iccid: Iccid
    imsi: Imsi
    batch: str
    state: SimState
    order_id: OrderId | None


class Sims:
    async def add(
        self, session: AsyncSession, cards: Iterable[tuple[Iccid, Imsi]], batch: str, at: datetime
    ) -> int:
        """Put cards into stock; how many were new (neither ICCID nor IMSI known)."""
        added = 0
        for iccid, imsi in cards:
            added += await insert_if_absent(
                session, R, iccid=iccid, imsi=imsi, batch=batch, state=SimState.IN_STOCK, changed_at=at
            )
        await note(session, "stock", "stock.cards_added", "R4.1", batch=batch, added=added)
        return added

    async def read(self, session: AsyncSession, iccid: Iccid) -> SimCard | None:
        return await _card(session, R.iccid == iccid)

    async def of_order(self, session: AsyncSession, order_id: OrderId) -> SimCard | None:
        """The card that the order holds."""
        return await _card(session, R.order_id == order_id)

    async def reserve(self, session: AsyncSession, order_id: OrderId, at: datetime) -> SimCard | None:
        """The order's card, or else a card out of stock. None: the stock is empty."""
        if held := await self.of_order(session, order_id):
            return held
        # SKIP LOCKED: two orders at once take two cards (PostgreSQL); SQLite has one writer at a time.
        first = (
            sa.select(R.iccid)
            .where(R.state == SimState.IN_STOCK)
            .order_by(R.iccid)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        iccid = await session.scalar(first)
        if iccid is None:
            return None
        taken = await self.move(session, Iccid(iccid), SimState.RESERVED, at, order_id=order_id)
        return await self.of_order(session, order_id) if taken else None

    async def move(
        self, session: AsyncSession, iccid: Iccid, to: SimState, at: datetime, **also: Any
    ) -> bool:
        """One transition of the table, noted with its order. False: no state of the card leads to `to`."""
        where = sa.select(R.state, R.order_id).where(R.iccid == iccid).with_for_update()
        found = (await session.execute(where)).first()
        if found is None or found.state not in states_before(to):
            return False
        await session.execute(
            sa.update(R)
            .where(R.iccid == iccid, R.state == found.state)
            .values(state=to, changed_at=at, **also)
        )
        chain = also.get("order_id") or found.order_id or "stock"
        await note(session, chain, f"sim.{to}", "R4.1", before=found.state, iccid=iccid)
        return True

    async def release(
        self, session: AsyncSession, order_id: OrderId, at: datetime, came_back: bool = False
    ) -> None:
        """The order ended before activation: a reserved card goes back to stock, a mailed one is blocked.

        came_back: the carrier returned it unopened.
        """
        card = await self.of_order(session, order_id)
        if card is None:
            return
        if card.state is SimState.RESERVED:
            await self.move(session, card.iccid, SimState.IN_STOCK, at, order_id=None)
        else:
            await self.move(session, card.iccid, SimState.RETURNED if came_back else SimState.BLOCKED, at)


async def _card(session: AsyncSession, where: sa.ColumnElement[bool]) -> SimCard | None:
    columns = (R.iccid, R.imsi, R.batch, R.state, R.order_id)
    row = (await session.execute(sa.select(*columns).where(where))).first()
    if row is None:
        return None
    order_id = OrderId(row.order_id) if row.order_id else None
    return SimCard(Iccid(row.iccid), Imsi(row.imsi), row.batch, SimState(row.state), order_id)
