"""The pool of numbers: find free ones, hold one for half an hour, keep it for good, give it back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit import note
from activation.adapters.sql.engine import insert_if_absent
from activation.adapters.sql.tables import NumberRow as N
from activation.ids import Msisdn, OrderId

HOLD = timedelta(minutes=30)
SEARCH_LIMIT = 50
#: Free numbers looked at per search; a pattern with neither beginning nor end cannot use the index.
SCAN_LIMIT = 20_000

_PATTERN = re.compile(r"[0-9*?]{1,16}")


class PatternInvalid(ValueError):
    """A search pattern has digits, `?` for one digit and `*` for any; at most 16 characters."""


@dataclass(frozen=True)
class FreeNumber:
    msisdn: Msisdn
    region: str


class Numbers:
    async def add(self, session: AsyncSession, numbers: Iterable[tuple[Msisdn, str]]) -> int:
        """Put (number, region) pairs into the pool; how many were new."""
        added = 0
        for msisdn, region in numbers:
            added += await insert_if_absent(session, N, msisdn=msisdn, region=region)
        await note(session, "stock", "stock.numbers_added", "R1.1", added=added)
        return added

    async def search(self, session: AsyncSession, pattern: str = "*", limit: int = 20) -> list[FreeNumber]:
        """Free numbers that match, in order, at most `limit`. Raises PatternInvalid."""
        if not _PATTERN.fullmatch(pattern):
            raise PatternInvalid("a pattern has 1 to 16 digits, * and ?")
        beginning = re.split(r"[*?]", pattern, maxsplit=1)[0]
        end = re.split(r"[*?]", pattern[::-1], maxsplit=1)[0]
        key, fixed = (N.msisdn, beginning) if len(beginning) >= len(end) else (N.backwards, end)
        free = sa.select(N.msisdn, N.region, key.label("key")).where(N.held_by.is_(None))
        if fixed:
            # ":" follows "9", so this is every string that begins with `fixed`, as a range of the index.
            free = free.where(key >= fixed, key < fixed + ":")
        seen = free.order_by(key).limit(SCAN_LIMIT).subquery()
        like = pattern.replace("*", "%").replace("?", "_")
        wanted = sa.select(seen.c.msisdn, seen.c.region).where(seen.c.msisdn.like(like)).order_by(seen.c.key)
        rows = await session.execute(wanted.limit(max(1, min(limit, SEARCH_LIMIT))))
        return [FreeNumber(Msisdn(row.msisdn), row.region) for row in rows]

    async def hold(self, session: AsyncSession, msisdn: Msisdn, order_id: OrderId, at: datetime) -> bool:
        """Hold a free number, or one whose hold has lapsed, until `at` + HOLD. False: somebody has it."""
        takeable = sa.or_(N.held_by.is_(None), N.held_until < at)
        return await _update(session, [N.msisdn == msisdn, takeable], held_by=order_id, held_until=at + HOLD)

    async def keep(self, session: AsyncSession, msisdn: Msisdn, order_id: OrderId) -> bool:
        """Assign the number for good. False: the hold has lapsed and somebody else took it."""
        return await _update(session, [N.msisdn == msisdn, N.held_by == order_id], held_until=None)

    async def release(self, session: AsyncSession, order_id: OrderId) -> bool:
        """Give back what the order holds."""
        released = await _update(session, [N.held_by == order_id], held_by=None, held_until=None)
        if released:
            await note(session, order_id, "number.released", "R1.1")
        return released

    async def quarantine(self, session: AsyncSession, order_id: OrderId, until: datetime) -> bool:
        """Nobody else gets what the order held until then; `free_lapsed` gives it back."""
        kept = await _update(session, [N.held_by == order_id], held_until=until)
        if kept:
            await note(session, order_id, "number.quarantined", "R1.1", until=until.isoformat())
        return kept

    async def free_lapsed(self, session: AsyncSession, now: datetime, limit: int) -> int:
        """Give back up to `limit` numbers whose hold or quarantine is over; how many."""
        over = sa.select(N.msisdn, N.held_by).where(N.held_until < now).order_by(N.held_until).limit(limit)
        held = {row.msisdn: row.held_by for row in await session.execute(over.with_for_update())}
        freed = await session.scalars(
            sa.update(N)
            .where(N.msisdn.in_(held), N.held_until < now)
            .values(held_by=None, held_until=None)
            .returning(N.msisdn)
        )
        numbers = freed.all()
        for holder in sorted({held[each] for each in numbers if held[each] is not None}):
            await note(session, holder, "number.released", "R1.1", "its time is over")
        return len(numbers)


async def _update(
    session: AsyncSession, where: list[sa.ColumnElement[bool]], **values: OrderId | datetime | None
) -> bool:
    changed = await session.execute(sa.update(N).where(*where).values(**values).returning(N.msisdn))
    return changed.first() is not None
