"""The end of service: subscriber removed, card terminated, place and number given back (R8.1, R2.1).

    end_service  1 switch the subscriber off and remove it from the HLR, read back
                 2 the card is terminated, the order ended; the clock of retention starts

An order whose end was asked for stays `active` until the HLR knows its subscriber no longer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from activation.acting import acting
from activation.adapters.sql.audit import note
from activation.adapters.sql.service_ends import ServiceEnd, ServiceEnds
from activation.adapters.sql.store import Store
from activation.flow import Flow
from activation.ids import OrderId
from activation.order import OrderState as S
from activation.ports import Clock, HlrFault, Work
from activation.sim import SimState
from activation.steps import AGAIN_AFTER

END_SERVICE = "end_service"
#: So long nobody else gets the number: calls and codes for its former subscriber still come in.
QUARANTINE = timedelta(days=90)


class EndRefusal(StrEnum):
    NOT_FOUND = "not_found"
    NOT_ACTIVE = "not_active"


@dataclass(frozen=True)
class EndDesk:
    """Where an end of service is asked for; the mission that does it runs wherever missions run."""

    work: Work
    clock: Clock
    store: Store = field(default_factory=Store)

    async def ask(
        self, session: AsyncSession, order_id: OrderId, keep_number: bool, reason: str
    ) -> ServiceEnd | EndRefusal:
        """Written down, and the mission that does it, in one transaction. Asking twice is asking once.

        keep_number: the number left with its subscriber; it never comes back to the pool.
        """
        ends, now = ServiceEnds(), self.clock()
        if await self.store.orders.read(session, order_id) is None:
            return EndRefusal.NOT_FOUND
        order = await self.store.orders.lock(session, order_id)
        if order.state not in (S.ACTIVE, S.ENDED):
            return EndRefusal.NOT_ACTIVE
        if order.state is S.ACTIVE and await ends.ask(session, order_id, acting(), keep_number, now):
            await self.store.orders.put_off(session, order_id, now + AGAIN_AFTER)
            await self.work.enqueue(session, END_SERVICE, order_id)
            await note(session, order_id, "service.end_asked", "R8.1", reason, keep_number=keep_number)
        return await ends.read(session, order_id) or EndRefusal.NOT_ACTIVE


class Ending:
    """The mission."""

    def __init__(self, flow: Flow) -> None:
        self._steps, self._work, self._store, self._clock = flow.steps, flow.work, flow.store, flow.clock
        self._ends = ServiceEnds()

    async def end_service(self, order_id: OrderId) -> None:
        if await self._work.ask("end_service.1 remove", lambda: self._remove(order_id)):
            await self._work.write("end_service.2 ended", lambda s: self._ended(s, order_id))

    async def _remove(self, order_id: OrderId) -> bool:
        """Nobody can call with this card any more. False: the order is not being ended."""
        hlr = self._steps.hlr
        async with self._steps.sessions.begin() as session:
            order = await self._steps.order_in(session, order_id, {S.ACTIVE})
            asked = await self._ends.read(session, order_id)
            card = await self._store.sims.of_order(session, order_id)
        if order is None or asked is None or card is None:
            return False
        if await hlr.read(card.imsi) is not None:
            await hlr.switch_off(card.imsi)
            await hlr.remove(card.imsi)
        if await hlr.read(card.imsi) is not None:
            raise HlrFault("a subscriber was removed and is still there")
        return True

    async def _ended(self, session: AsyncSession, order_id: OrderId) -> bool:
        order = await self._steps.order_in(session, order_id, {S.ACTIVE})
        asked = await self._ends.read(session, order_id)
        card = await self._store.sims.of_order(session, order_id)
        if order is None or asked is None or card is None:
            return False
        now = self._clock()
        await self._store.orders.move(session, order_id, S.ENDED, now)
        await self._store.sims.move(session, card.iccid, SimState.TERMINATED, now)
        await self._store.quota.release(session, order_id)
        if not asked.keep_number:
            await self._store.numbers.quarantine(session, order_id, now + QUARANTINE)
        await self._ends.ended(session, order_id, now)
        await note(
            session, order_id, "service.ended", "R8.1", number="kept" if asked.keep_number else "freed"
        )
        return True
