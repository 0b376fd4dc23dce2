"""The steps of `decide` that turn the HLR's switch, and what must hold on both sides of it (R4.2, R9.3)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.decisions import Question
from activation.adapters.sql.orders import OrderView
from activation.gate import Pass
from activation.holds import Stopped
from activation.ids import Imsi, OrderId
from activation.order import OrderState as S
from activation.ports import HlrFault
from activation.sim import SimState
from activation.steps import AGAIN_AFTER, Steps


class Switching:
    def __init__(self, steps: Steps) -> None:
        self._steps, self._store, self._clock = steps, steps.store, steps.clock

    async def start_activating(self, session: AsyncSession, order_id: OrderId) -> Imsi:
        """Order and card to `activating`, or still there. The IMSI to switch on."""
        now = self._clock()
        await self._store.orders.move(session, order_id, S.ACTIVATING, now)
        await self._store.orders.put_off(session, order_id, now + AGAIN_AFTER)
        card = await self._store.sims.of_order(session, order_id)
        if card is None:
            raise LookupError("an order that may be activated has no card")
        await self._store.sims.move(session, card.iccid, SimState.ACTIVATING, now)
        return card.imsi

    async def switch_on(self, order_id: OrderId, imsi: Imsi) -> bool:
        """On, if the gate still says so: a hold that came after the decision stops it here (R9.3)."""
        async with self._steps.sessions.begin() as session:
            order = await self._steps.order_in(session, order_id, {S.ACTIVATING})
            if order is None:
                return False
            may = await self._may_activate(session, order)
        if not may:
            await self._steps.hlr.switch_off(imsi)
            return False
        await self._steps.hlr.switch_on(imsi)
        return True

    async def read_back(self, imsi: Imsi) -> None:
        subscriber = await self._steps.hlr.read(imsi)
        if subscriber is None or not subscriber.is_on:
            raise HlrFault("the subscriber was switched on and is not on")

    async def activated(self, session: AsyncSession, order_id: OrderId) -> bool:
        """Order and card are active, unless something came in while the HLR was asked (R9.3)."""
        order = await self._steps.order_in(session, order_id, {S.ACTIVATING})
        if order is None:
            return False
        may = await self._may_activate(session, order)
        now, card = self._clock(), await self._store.sims.of_order(session, order_id)
        if not may or card is None:
            return False
        await self._store.orders.move(session, order_id, S.ACTIVE, now)
        return await self._store.sims.move(session, card.iccid, SimState.ACTIVE, now)

    async def switch_off(self, order_id: OrderId, imsi: Imsi) -> None:
        """Off again; whoever has become active by another run of the mission stays on."""
        async with self._steps.sessions.begin() as session:
            order = await self._steps.order_in(session, order_id, {S.ACTIVATING})
        if order is not None:
            await self._steps.hlr.switch_off(imsi)

    async def stays_off(self, session: AsyncSession, order_id: OrderId, again: str) -> None:
        """Order and card are where they were before, so that they can be cancelled, refused or returned.

        again: the mission that asks the gate what becomes of them; once for what is known now.
        """
        order = await self._steps.order_in(session, order_id, {S.ACTIVATING})
        card = await self._store.sims.of_order(session, order_id)
        if order is None or card is None:
            return
        now = self._clock()
        await self._store.orders.move(session, order_id, S.VERIFIED, now)
        await self._store.sims.move(session, card.iccid, SimState.INACTIVE, now)
        await self._store.holds.is_off(session, Stopped.ACTIVATION, order_id, now)
        seen = len((await self._store.facts.load(session, order_id)).evidence)
        await self._steps.work.enqueue(session, again, order_id, f"off-{seen}")

    async def _may_activate(self, session: AsyncSession, order: OrderView) -> bool:
        facts = await self._steps.facts(session, order)
        answer = await self._steps.ask_gate(session, Question.MAY_ACTIVATE, facts, may_be_on=True)
        return isinstance(answer, Pass)
