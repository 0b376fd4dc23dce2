"""Sealed objects that nothing speaks of: a process died between the vault and the database (R9.1).

* Of orders whose data were destroyed everything goes, in case a late write came after; of those destroyed
  lately the keys go once more as well, since a request that was under way may have made them again.
* Of orders that changed lately goes what nobody names in two sweeps; a write has its row by the second.
* Orders that the database does not know are only counted: a database restored from an older copy looks just
  like that, and their evidence may be all that is left.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

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
from app.compliance.retention.media import known_media
from app.compliance.retention.tables import OrphanRow, TombstoneRow
from media.vault import Vault, VaultFault

#: An object that was nameless for so long has no row to come.
SETTLED = timedelta(hours=12)
#: Orders that changed since then are looked at, in two sweeps at least.
LOOKED_BACK = timedelta(hours=72)
#: Orders looked at in one sweep, per state.
BATCH = 2_000
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

    async def sweep(self) -> int:
        """How many objects, or whole orders, were destroyed. Raises StoreFault."""
        try:
            await self._keys_of_destroyed()
            return await self._of_destroyed() + await self._of_living()
        except VaultFault as fault:
            raise StoreFault("the vault did not answer while orphans were swept") from fault

    async def _keys_of_destroyed(self) -> None:
        since = TombstoneRow.destroyed_at > self.clock() - DESTROYED_LATELY
        after = ""
        while True:
            page = sa.select(TombstoneRow.order_id).where(since, TombstoneRow.order_id > after)
            async with self.sessions() as session:
                ids = list(await session.scalars(page.order_by(TombstoneRow.order_id).limit(_ASKED_AT_ONCE)))
            if not ids:
                return
            for start in range(0, len(ids), _KEYS_AT_ONCE):
                some = map(OrderId, ids[start : start + _KEYS_AT_ONCE])
                await asyncio.gather(*map(_destroy_keys, some))
            after = ids[-1]

    async def _of_destroyed(self) -> int:
        there, swept, unknown = list(await self.vault.orders()), 0, 0
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

    async def _of_living(self) -> int:
        swept, since = 0, self.clock() - LOOKED_BACK
        for state in S:
            lately = sa.select(OrderRow.id).where(OrderRow.state == state, OrderRow.changed_at > since)
            async with self.sessions() as session:
                ids = list(await session.scalars(lately.order_by(OrderRow.changed_at).limit(BATCH)))
            for order_id in ids:
                swept += await self._of_one(OrderId(order_id))
        return swept

    async def _of_one(self, order_id: OrderId) -> int:
        held = set(await self.vault.digests(order_id))
        async with self.sessions() as session:
            nameless = held - set(await known_media(session, order_id)) if held else set()
            seen = await session.scalar(sa.select(OrphanRow.digest).where(OrphanRow.order_id == order_id))
        if not nameless and seen is None:
            return 0
        async with self.sessions.begin() as session:
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
