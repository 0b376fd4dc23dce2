"""What a hold does beyond the gate (R9.3): a subscriber who is on is switched off; lifted, all goes on.

    suspend  1 whether the holds want this subscriber off or on
             2 switch it so, unless that has changed
             3 the card is suspended or active; if it has changed since, once more
             4 if the HLR is silent: later

Only a hold on the order itself switches an active subscriber off; wider ones stop what has not begun. It is
switched on again once no hold at all covers it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.store import Store
from activation.flow import CAUSES, Flow
from activation.holds import Scope, ScopeKind, Stopped
from activation.ids import HoldId, Imsi, OrderId
from activation.order import OrderState as S
from activation.ports import HlrFault, StepGaveUp, Work
from activation.sim import SimState
from activation.steps import AGAIN_AFTER

SUSPEND = "suspend"
#: Orders that one placing looks at; those beyond find out at their next step, or at their due date.
AT_ONCE = 200


@dataclass(frozen=True)
class _Wanted:
    """imsi: of the card. on: whether its subscriber is to be. so: whether the card is there already."""

    imsi: Imsi
    on: bool
    so: bool


class Calling:
    """Tells orders of holds, in the caller's transaction. Needs nothing but durable work and the database."""

    def __init__(self, work: Work, store: Store) -> None:
        self._work, self._store = work, store

    async def obey(self, session: AsyncSession, order_id: OrderId, hold: HoldId) -> None:
        """The mission by which an order finds out about a hold on it, or that one was lifted."""
        order = await self._store.orders.read(session, order_id)
        mission = None if order is None else SUSPEND if order.state is S.ACTIVE else CAUSES.get(order.state)
        if mission is not None:
            why = await facts_known(session, self._store, order_id)
            await self._work.enqueue(session, mission, order_id, f"{hold}-{why}")

    async def stop_activating(self, session: AsyncSession, hold: HoldId, scope: Scope) -> int:
        """What is being activated finds out now, not when it is tried again; how many orders."""
        orders = await self._store.holds.activating(session, scope, AT_ONCE)
        for order_id in orders:
            await self.obey(session, order_id, hold)
        return len(orders)

    async def bring_back(self, session: AsyncSession, limit: int) -> int:
        """Start what lifted holds had stopped, at most `limit` of it; how many orders."""
        stopped = await self._store.holds.to_bring_back(session, limit)
        for hold, order_id in stopped:
            await self.obey(session, order_id, hold)
        return len(stopped)


class Suspending:
    """The mission."""

    def __init__(self, flow: Flow) -> None:
        self._steps, self._work, self._store, self._clock = flow.steps, flow.work, flow.store, flow.clock

    async def suspend(self, order_id: OrderId, tries: int = 0) -> None:
        wanted = await self._work.write("suspend.1 what is wanted", lambda s: self._first(s, order_id))
        if wanted is None:
            return
        try:
            switched = await self._work.ask("suspend.2 switch", lambda: self._switch(order_id))
        except StepGaveUp:
            await self._work.write("suspend.4 later", lambda s: self._later(s, order_id, tries + 1))
            return
        await self._work.write("suspend.3 suspended or active", lambda s: self._done(s, order_id, switched))

    async def _first(self, session: AsyncSession, order_id: OrderId) -> bool | None:
        """On or off; None: it is so already, or nobody is there to be switched."""
        wanted = await self._wanted(session, order_id)
        return None if wanted is None or wanted.so else wanted.on

    async def _switch(self, order_id: OrderId) -> bool | None:
        async with self._steps.sessions.begin() as session:
            wanted = await self._wanted(session, order_id)
        if wanted is None:
            return None
        hlr = self._steps.hlr
        subscriber = await (hlr.switch_on if wanted.on else hlr.switch_off)(wanted.imsi)
        if not (subscriber.is_on if wanted.on else subscriber.is_off):
            raise HlrFault("the subscriber is not as it was switched")
        return wanted.on

    async def _done(self, session: AsyncSession, order_id: OrderId, switched: bool | None) -> None:
        wanted = await self._wanted(session, order_id)
        card = await self._store.sims.of_order(session, order_id)
        if wanted is None or card is None or switched is None:
            return
        to = SimState.ACTIVE if switched else SimState.SUSPENDED
        if card.state is not to:
            await self._store.sims.move(session, card.iccid, to, self._clock())
        if not switched:
            await self._store.holds.is_off(session, Stopped.SUBSCRIBER, order_id, self._clock())
        if wanted.on is not switched:
            why = await facts_known(session, self._store, order_id)
            await self._work.enqueue(session, SUSPEND, order_id, f"since-{why}")

    async def _later(self, session: AsyncSession, order_id: OrderId, tries: int) -> None:
        why = f"again-{await facts_known(session, self._store, order_id)}"
        await self._work.enqueue(session, SUSPEND, order_id, why, str(tries), after=AGAIN_AFTER)

    async def _wanted(self, session: AsyncSession, order_id: OrderId) -> _Wanted | None:
        """What the holds say now, and in the order's log what they say; None: no active order."""
        order = await self._steps.order_in(session, order_id, {S.ACTIVE})
        card = await self._store.sims.of_order(session, order_id)
        if order is None or card is None or card.state not in (SimState.ACTIVE, SimState.SUSPENDED):
            return None
        await self._steps.facts(session, order)
        covering, now = await self._store.holds.covering(session, order.reach), self._clock()
        own = [hold.id for hold in covering if hold.scope.kind is ScopeKind.ORDER]
        is_on = card.state is SimState.ACTIVE
        on = not (own if is_on else covering)
        if not on and is_on:
            await self._store.holds.waits(session, own, Stopped.SUBSCRIBER, order_id, now)
        elif not on:
            every = [hold.id for hold in covering]
            await self._store.holds.stopped(session, every, Stopped.SUBSCRIBER, order_id, now)
        return _Wanted(card.imsi, on, so=on is is_on)


async def facts_known(session: AsyncSession, store: Store, order_id: OrderId) -> int:
    """How many there are; each hold and each lifting adds one, so it tells one reason from the next."""
    return len((await store.facts.load(session, order_id)).evidence)
