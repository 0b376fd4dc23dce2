"""Operators place and lift holds (R9.3). What the authority has ordered takes two of them to lift."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.audit import note
from activation.adapters.sql.holds import HoldView
from activation.adapters.sql.store import Store
from activation.holding import Calling
from activation.holds import HoldState, Scope, ScopeKind
from activation.ids import HoldId, OrderId, StaffId
from activation.order import FINAL
from activation.ports import Work

#: What one transaction brings back of that which a lifted hold had stopped.
BRING_BACK_AT_ONCE = 50


class HoldRefusal(StrEnum):
    NOT_FOUND = "not_found"
    ORDER_OVER = "order_over"
    LIFTED_ALREADY = "lifted_already"
    SECOND_PERSON = "second_person"


@dataclass(frozen=True)
class NewHold:
    """authority, document: who ordered it and under which number; both empty where the operator does."""

    scope: Scope
    reason: str
    authority: str = ""
    document: str = ""


class HoldDesk:
    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        clock: Callable[[], datetime],
        work: Work,
        store: Store | None = None,
    ) -> None:
        self._sessions, self._clock, self._store = sessions, clock, store or Store()
        self.calling = Calling(work, self._store)

    async def place(self, by: StaffId, new: NewHold) -> HoldView | HoldRefusal:
        """In force for every process once this returns; nothing that it covers is decided otherwise."""
        async with self._sessions.begin() as session:
            placed = await self.place_in(session, by, new)
        if isinstance(placed, HoldView):
            await self.tell_activating(placed)
        return placed

    async def tell_activating(self, hold: HoldView) -> None:
        """What is being switched on under it finds out now; an order's own hold has told it already."""
        if hold.scope.kind is not ScopeKind.ORDER:
            async with self._sessions.begin() as session:
                await self.calling.stop_activating(session, hold.id, hold.scope)

    async def place_in(self, session: AsyncSession, by: StaffId, new: NewHold) -> HoldView | HoldRefusal:
        """The same in the caller's transaction, which holds no other order; then call `tell_activating`."""
        order_id = OrderId(new.scope.value) if new.scope.kind is ScopeKind.ORDER else None
        if order_id is not None:
            if await self._store.orders.read(session, order_id) is None:
                return HoldRefusal.NOT_FOUND
            if (await self._store.orders.lock(session, order_id)).state in FINAL:
                return HoldRefusal.ORDER_OVER
        hold = HoldView(
            id=HoldId.new(),
            state=HoldState.ACTIVE,
            scope=new.scope,
            authority=new.authority,
            document=new.document,
            reason=new.reason,
            placed_by=by,
            placed_at=self._clock(),
        )
        await self._store.holds.place(session, hold)
        await self._note(session, hold, "hold.placed", new.reason)
        if order_id is not None:
            await self.calling.obey(session, order_id, hold.id)
        return hold

    async def lift(self, by: StaffId, hold_id: HoldId, reason: str) -> HoldView | HoldRefusal:
        """Lifted, or, of the authority's, asked for until another operator does the same."""
        now = self._clock()
        async with self._sessions.begin() as session:
            hold = await self._store.holds.read(session, hold_id, lock=True)
            if hold is None:
                return HoldRefusal.NOT_FOUND
            if hold.state is not HoldState.ACTIVE:
                return HoldRefusal.LIFTED_ALREADY
            if hold.of_authority and hold.lift_asked_by is None:
                await self._store.holds.ask_lift(session, hold_id, by, now)
                await self._note(session, hold, "hold.lift_asked", reason)
            elif hold.of_authority and hold.lift_asked_by == by:
                return HoldRefusal.SECOND_PERSON
            else:
                await self._store.holds.lift(session, hold_id, by, reason, now)
                await self._note(session, hold, "hold.lifted", reason)
            seen = await self._store.holds.read(session, hold_id) or hold
        if seen.state is not HoldState.ACTIVE:
            await self.bring_back()
        return seen

    async def bring_back(self) -> int:
        """A first part of what lifted holds had stopped; the processes' watchers see to the rest."""
        async with self._sessions.begin() as session:
            return await self.calling.bring_back(session, BRING_BACK_AT_ONCE)

    async def _note(self, session: AsyncSession, hold: HoldView, event: str, reason: str) -> None:
        about = {"hold": hold.id, "scope": str(hold.scope), "authority": hold.authority}
        if hold.scope.kind is ScopeKind.ORDER:
            await note(session, hold.scope.value, event, "R9.3", reason, **about, document=hold.document)
        await note(session, "holds", event, "R9.3", reason, **about, document=hold.document)
