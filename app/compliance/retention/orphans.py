"""Sealed objects that nothing speaks of: a process died between the vault and the database (R9.1).

* Of orders whose data were destroyed everything goes, in case a late write came after; of those destroyed
  lately the keys go once more as well, since a request that was under way may have made them again.
* Of orders that changed lately goes what nobody names in two sweeps; a write has its row by the second.
  Nothing of an order under a legal hold (R8.1).
* Orders that the database does not know are only counted: a database restored from an older copy looks just
  like that, and their evidence may be all that is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.audit import note
from activation.adapters.sql.engine import insert_if_absent
from activation.adapters.sql.tables import OrderRow
from activation.ids import Digest, OrderId
from activation.order import OrderState as S
from activation.order_keys import order_keys
from activation.ports import Clock, StoreFault
from app.compliance.retention.face_keys import face_key_id
from app.compliance.retention.legal_holds import LegalHolds
from app.compliance.retention.media import known_media
from app.compliance.retention.tables import OrphanRow, TombstoneRow
from media.vault import Vault, VaultFault

#: An object that was nameless for so long has no row to come.
SETTLED = timedelta(hours=12)
#: Orders that changed since then are looked at, in two sweeps at least.
LOOKED_BACK = timedelta(hours=72)
#: Living orders in one page; every page takes seconds, so that it fits into a step.
BATCH = 50
#: Pages of orders in the vault: those whose id begins alike.
BEGINNINGS = tuple(f"ord_{number:02x}" for number in range(256))
_ASKED_AT_ONCE = 500
#: A day's destructions and those of the day before that the last sweep may have been too early for; a request
#: ends within minutes.
DESTROYED_LATELY = timedelta(hours=36)
_KEYS_AT_ONCE = 8

_log = structlog.get_logger("kaika.retention")


@dataclass(frozen=True)
class Orphans:
    sessions: async_sessionmaker[AsyncSession]
    clock: Clock
    vault: Vault

    async def keys_of_destroyed(self, after: str) -> str | None:
        """One page; where the next one begins, None: there is none."""
        since = TombstoneRow.destroyed_at > self.clock() - DESTROYED_LATELY
        page = sa.select(TombstoneRow.order_id).where(since, TombstoneRow.order_id > after)
        async with self.sessions() as session:
            ids = list(await session.scalars(page.order_by(TombstoneRow.order_id).limit(_ASKED_AT_ONCE)))
        for start in range(0, len(ids), _KEYS_AT_ONCE):
            some = map(OrderId, ids[start : start + _KEYS_AT_ONCE])
            await asyncio.gather(*map(_destroy_keys, some))
        return ids[-1] if ids else None

    async def of_destroyed(self, beginning: str) -> int:
        """How many orders' objects were destroyed, of those whose id begins so. Raises StoreFault."""
        try:
            return await self._of_destroyed(beginning)
        except VaultFault as fault:
            raise StoreFault("the vault did not answer while orphans were swept") from fault

    async def of_living(self, state: S, after: Sequence[str]) -> tuple[int, list[str]]:
        """One page of orders in a state: how many objects went, and where the next page begins; empty: none.

        after: empty, or what came back from the page before. Raises StoreFault.
        """
        ids, following = await self._page(state, after)
        try:
            return sum([await self._of_one(each) for each in ids]), following
        except VaultFault as fault:
            raise StoreFault("the vault did not answer while orphans were swept") from fault

    async def _of_destroyed(self, beginning: str) -> int:
        there, swept, unknown = list(await self.vault.orders(beginning)), 0, 0
        for start in range(0, len(there), _ASKED_AT_ONCE):
            part = there[start : start + _ASKED_AT_ONCE]
            async with self.sessions() as session:
                known = set(await session.scalars(sa.select(OrderRow.id).where(OrderRow.id.in_(part))))
                stones = set(
                    await session.scalars(
                        sa.select(TombstoneRow.order_id).where(TombstoneRow.order_id.in_(part))
                    )
                )
            for order_id in part:
                if order_id in known:
                    continue
                if order_id in stones:
                    await _destroy_keys(order_id)
                    await self.vault.destroy_order(order_id)
                    swept += 1
                else:
                    unknown += 1
        if unknown:
            _log.warning("sealed objects of orders that the database does not know", orders=unknown)
        return swept

    async def _page(self, state: S, after: Sequence[str]) -> tuple[list[OrderId], list[str]]:
        at, order_id = OrderRow.changed_at, OrderRow.id
        lately = sa.select(order_id, at).where(OrderRow.state == state)
        if after:
            begun = datetime.fromisoformat(after[0])
            lately = lately.where(sa.or_(at > begun, sa.and_(at == begun, order_id > after[1])))
        else:
            lately = lately.where(at > self.clock() - LOOKED_BACK)
        async with self.sessions() as session:
            rows = list(await session.execute(lately.order_by(at, order_id).limit(BATCH)))
        following = [rows[-1].changed_at.isoformat(), rows[-1].id] if len(rows) == BATCH else []
        return [OrderId(row.id) for row in rows], following

    async def _of_one(self, order_id: OrderId) -> int:
        held = set(await self.vault.digests(order_id))
        async with self.sessions() as session:
            nameless = held - set(await known_media(session, order_id)) if held else set()
            seen = await session.scalar(sa.select(OrphanRow.digest).where(OrphanRow.order_id == order_id))
        if not nameless and seen is None:
            return 0
        async with self.sessions.begin() as session:
            if await LegalHolds().stands(session, order_id):
                return 0
            orphans = await self._settled(session, order_id, nameless)
        for digest in orphans:
            await self.vault.destroy(order_id, digest)
        return len(orphans)

    async def _settled(self, session: AsyncSession, order_id: OrderId, nameless: set[Digest]) -> list[Digest]:
        """Writes down what is nameless now, forgets what has got a name; those that had time enough."""
        of_order = OrphanRow.order_id == order_id
        await session.execute(sa.delete(OrphanRow).where(of_order, OrphanRow.digest.not_in(nameless)))
        for digest in nameless:
            await insert_if_absent(session, OrphanRow, order_id=order_id, digest=digest, seen_at=self.clock())
        settled = OrphanRow.seen_at <= self.clock() - SETTLED
        found = list(await session.scalars(sa.select(OrphanRow.digest).where(of_order, settled)))
        if found:
            await note(session, order_id, "evidence.destroyed", "R9.1", "orphans", objects=len(found))
        return [Digest(each) for each in found]


async def _destroy_keys(order_id: OrderId) -> None:
    await order_keys().destroy(face_key_id(order_id))
    await order_keys().destroy(order_id)
