"""Destroying one order's identity data, so that nobody reads them again and the record says why (R8.2).

    destroy  1 begin: still due, no legal hold; from here on nothing stops it
             2 the order's keys: now no copy opens, in whatever backup
             3 its objects
             4 what the mission engine remembers of it
             5 its rows, the tombstone, the entry in the audit trail

Keys first, so that a crash leaves sealed bytes that nobody can open, never open bytes that nobody looks
for. Each step may run again; whatever was begun is taken up by the next pass (`retention.routine`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from activation.acting import acting
from activation.adapters.sql.audit import note
from activation.adapters.sql.store import Store
from activation.ids import OrderId
from activation.order_keys import order_keys
from activation.ports import Clock, StoreFault, Work
from app.compliance.retention.due import standing_of
from app.compliance.retention.face_keys import face_key_id
from app.compliance.retention.rows import delete_rows
from app.compliance.retention.rules import PERIODS, is_due, kept_as
from app.compliance.retention.tables import TombstoneRow
from app.compliance.subjects.requests import RequestAnswer, RequestKind, Requests, RequestState
from media.vault import Vault, VaultFault

DESTROY = "destroy"
Release = Callable[[OrderId], Awaitable[None]]
Forget = Callable[[OrderId], Awaitable[None]]


class Begun(StrEnum):
    """RELEASE_FIRST: the order still holds a card or a number that must be given back before."""

    YES = "yes"
    NOT_DUE = "not_due"
    GONE = "gone"
    RELEASE_FIRST = "release_first"


@dataclass(frozen=True)
class Destroyer:
    """release: gives back what an order holds; forget: deletes what the mission engine remembers of it."""

    work: Work
    clock: Clock
    vault: Vault
    release: Release
    forget: Forget
    store: Store = field(default_factory=Store)

    async def destroy(self, order_id: OrderId, *_why: str) -> None:
        """The mission. Raises StepGaveUp."""
        await self.destroyed(order_id)

    async def destroyed(self, order_id: OrderId) -> bool:
        """False: the rules or a hold say that the data stay. Raises StepGaveUp."""
        begun = await self.work.write("destroy.1 begin", lambda s: self._begin(s, order_id))
        if begun == Begun.RELEASE_FIRST:
            await self.release(order_id)
            begun = await self.work.write("destroy.1 begin again", lambda s: self._begin(s, order_id))
        if begun == Begun.YES:
            await self.work.ask("destroy.2 keys", lambda: self._keys(order_id))
            await self.work.ask("destroy.3 objects", lambda: self._objects(order_id))
            await self.work.ask("destroy.4 memory", lambda: self._memory(order_id))
            await self.work.write("destroy.5 rows", lambda s: self._rows(s, order_id))
        return begun in (Begun.YES, Begun.GONE)

    async def _begin(self, session: AsyncSession, order_id: OrderId) -> Begun:
        if await self.store.orders.read(session, order_id) is None:
            return Begun.GONE
        order = await self.store.orders.lock(session, order_id)
        if await session.get(TombstoneRow, order_id) is not None:
            return Begun.YES
        standing = await standing_of(session, order)
        kept = kept_as(standing)
        if kept is None or not is_due(standing, self.clock()):
            return Begun.NOT_DUE
        if order.due_at is not None:
            return Begun.RELEASE_FIRST
        session.add(
            TombstoneRow(
                order_id=order_id,
                state=order.state,
                kept_as=kept,
                rule=PERIODS[kept].rule,
                opened_at=order.created_at,
                over_at=standing.over_at,
                begun_at=self.clock(),
                begun_by=acting(),
            )
        )
        rule, why = PERIODS[kept].rule, PERIODS[kept].why.en
        await note(session, order_id, "retention.begun", rule, why, kept_as=kept)
        return Begun.YES

    async def _keys(self, order_id: OrderId) -> None:
        await order_keys().destroy(face_key_id(order_id))
        await order_keys().destroy(order_id)

    async def _objects(self, order_id: OrderId) -> None:
        try:
            await self.vault.destroy_order(order_id)
        except VaultFault as fault:
            raise StoreFault("the vault did not destroy an order's objects") from fault

    async def _memory(self, order_id: OrderId) -> None:
        await self.forget(order_id)

    async def _rows(self, session: AsyncSession, order_id: OrderId) -> int:
        """The tombstone's row is held, so that of two who end the same destruction one writes it down."""
        stone = await session.get(TombstoneRow, order_id, with_for_update=True, populate_existing=True)
        if stone is None or stone.destroyed_at is not None:
            return 0
        now = self.clock()
        rows = await delete_rows(session, order_id)
        stone.destroyed_at = now
        await Requests().close(
            session, order_id, RequestKind.DELETION, RequestState.DONE, RequestAnswer.DESTROYED, now
        )
        await note(session, order_id, "retention.destroyed", "R8.2", kept_as=stone.kept_as, rows=rows)
        return rows
