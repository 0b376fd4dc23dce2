"""What can be shown of a hold: who ordered it, what it stopped, and how soon each process obeyed (R9.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.hold_tables import HoldSightingRow as W
from activation.adapters.sql.holds import HoldView
from activation.adapters.sql.store import Store
from activation.adapters.sql.tables import ExecutorRow
from activation.holds import HoldState, Stopped
from activation.ids import HoldId

#: A process that has said nothing for so long counts as dead; it says every 5 s that it lives.
DEAD_AFTER = timedelta(seconds=30)
LIST_LIMIT = 200


@dataclass(frozen=True)
class ProcessSeen:
    """One process. delay_s: from placing, or its own start if that was later, to its first sight of the hold.

    obeys: it sees the hold as it is now: in force, or lifted.
    """

    executor: str
    alive: bool
    seen_at: datetime | None
    delay_s: float | None
    lift_seen_at: datetime | None
    obeys: bool


@dataclass(frozen=True)
class HoldShown:
    """pending: orders whose subscribers may still be on, though it wants them off."""

    hold: HoldView
    processes: tuple[ProcessSeen, ...]
    stopped: dict[Stopped, int]
    pending: int

    @property
    def obeyed(self) -> bool:
        """By every process that lives, and by the HLR."""
        return self.pending == 0 and all(process.obeys for process in self.processes if process.alive)


async def show_hold(session: AsyncSession, hold_id: HoldId, now: datetime) -> HoldShown | None:
    """None: there is no such hold."""
    store = Store()
    hold = await store.holds.read(session, hold_id)
    if hold is None:
        return None
    processes = await _processes(session, hold, now)
    stopped, pending = await store.holds.counts(session, hold_id), await store.holds.pending(session, hold)
    return HoldShown(hold, processes, stopped, pending)


async def _processes(session: AsyncSession, hold: HoldView, now: datetime) -> tuple[ProcessSeen, ...]:
    live = sa.select(ExecutorRow.id).where(ExecutorRow.seen_at > now - DEAD_AFTER)
    alive = set(await session.scalars(live))
    rows = await session.scalars(sa.select(W).where(W.hold_id == hold.id))
    sightings = {row.executor: row for row in rows}
    return tuple(
        _process(hold, executor, executor in alive, sightings.get(executor))
        for executor in sorted(alive | set(sightings))
    )


def _process(hold: HoldView, executor: str, alive: bool, seen: W | None) -> ProcessSeen:
    if hold.state is not HoldState.ACTIVE:
        # A process that never saw it in force has nothing to see lifted.
        obeys = seen is None or seen.lifted_at is not None
    else:
        obeys = seen is not None
    if seen is None:
        return ProcessSeen(executor, alive, None, None, None, obeys)
    delay = (seen.at - max(hold.placed_at, seen.watching_since)).total_seconds()
    return ProcessSeen(executor, alive, seen.at, max(0.0, delay), seen.lifted_at, obeys)
