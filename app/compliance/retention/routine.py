"""What retention does by the clock: a night's batches, numbers out of quarantine, orphans, faces counted.

Every pass is bounded and looks through indexes; what it leaves, the next one finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import sqlalchemy as sa
import structlog
from prometheus_client import Gauge
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from activation.adapters.sql.store import Store
from activation.order import OrderState
from activation.ports import Clock, Mission, Routine, StepGaveUp, Work
from app.compliance.retention.destroying import DESTROY, Destroyer
from app.compliance.retention.due import due_orders, plan
from app.compliance.retention.face_rows import FORGET_FACES
from app.compliance.retention.faces import Faces
from app.compliance.retention.orphans import BEGINNINGS, Orphans
from app.compliance.subjects.requests import Requests
from app.tables import IdempotencyRow

#: Orders that one pass has destroyed; a night has 24 passes, so 12,000 orders.
BATCH = 500
#: `app.http.idempotency` gives an answer again for a day.
ANSWERS_KEPT, ANSWERS_AT_ONCE = timedelta(hours=24), 50_000
#: Numbers given back in one pass.
NUMBERS = 5_000
#: 02:00 to 06:00 in China, every ten minutes; UTC.
NIGHT_CRON, TIDY_CRON, FACES_CRON = "30 */10 18-21 * * *", "0 41 17 * * *", "15 23 * * * *"
#: The alarm depends on nothing else; the long ones come after the night's destructions.
OVERDUE_CRON, ORPHANS_CRON, SCRUB_CRON = "0 35 17 * * *", "0 11 22 * * *", "0 51 22 * * *"
#: Whose rows were deleted, or sealed anew.
_SCRUBBED = ("orders", "captures", "deliveries", "delivery_events", "facts", "decisions")

OVERDUE = Gauge("kaika_retention_overdue", "Orders whose data should have been destroyed by now", ("kept",))
_log = structlog.get_logger("kaika.retention")


@dataclass(frozen=True)
class Retention:
    """The room's missions and routines over open services."""

    work: Work
    clock: Clock
    engine: AsyncEngine
    destroyer: Destroyer
    faces: Faces
    orphans: Orphans

    def missions(self) -> Sequence[Mission]:
        return Mission(DESTROY, self.destroyer.destroy), Mission(FORGET_FACES, self.faces.forget)

    def routines(self) -> Sequence[Routine]:
        return (
            Routine("retention", NIGHT_CRON, self.night),
            Routine("retention-overdue", OVERDUE_CRON, self.look_for_overdue),
            Routine("retention-tidy", TIDY_CRON, self.tidy),
            Routine("retention-orphans", ORPHANS_CRON, self.sweep),
            Routine("retention-scrub", SCRUB_CRON, self.scrub),
            Routine("retention-faces", FACES_CRON, self.count_faces),
        )

    async def night(self) -> None:
        """One batch: what is due becomes missions of its own, each resumed wherever it breaks off."""
        begun = await self.work.write("retention.1 begin", self.begin)
        await self.work.write("retention.2 templates", self.faces.begin_expired)
        _log.info("retention", begun=begun)

    async def begin(self, session: AsyncSession) -> int:
        """Enqueue the destruction of up to BATCH orders; how many."""
        now = self.clock()
        found = await due_orders(session, now, BATCH)
        for order_id in found:
            await self.work.enqueue(session, DESTROY, order_id, f"{now:%Y%m%dT%H%M}")
        return len(found)

    async def tidy(self) -> None:
        with _part("numbers"):
            await self.work.write("retention-tidy.1 numbers", self._numbers)
        with _part("copies"):
            await self.work.write("retention-tidy.2 copies", self._copies)
        with _part("answers"):
            await self.work.write("retention-tidy.3 answers", self._answers)

    async def look_for_overdue(self) -> None:
        await self.work.ask("retention-overdue.1 count", self._overdue)

    async def sweep(self) -> None:
        """Orphans, one page in a step: what breaks off goes on at the page after the last that ended."""
        swept, orphans = 0, self.orphans
        with _part("keys of destroyed orders"):
            after: str | None = ""
            while after is not None:
                page_of_keys = partial(orphans.keys_of_destroyed, after)
                after = await self.work.ask("retention-orphans.1 keys", page_of_keys)
        for beginning in BEGINNINGS:
            with _part("objects of destroyed orders"):
                some = partial(orphans.of_destroyed, beginning)
                swept += await self.work.ask("retention-orphans.2 destroyed", some)
        for state in OrderState:
            with _part("orphans of living orders"):
                gone, next_page = await self._living(state, ())
                swept += gone
                while next_page:
                    gone, next_page = await self._living(state, next_page)
                    swept += gone
        _log.info("orphans", swept=swept)

    async def _living(self, state: OrderState, after: Sequence[str]) -> tuple[int, list[str]]:
        page = partial(self.orphans.of_living, state, after)
        return await self.work.ask("retention-orphans.3 living", page)

    async def scrub(self) -> None:
        """No step of the engine: VACUUM takes as long as it takes, and may be begun again at any time."""
        await scrub(self.engine)

    async def count_faces(self) -> None:
        await self.work.ask("retention-faces.1 count", self.faces.count)

    async def _numbers(self, session: AsyncSession) -> int:
        return await Store().numbers.free_lapsed(session, self.clock(), NUMBERS)

    async def _copies(self, session: AsyncSession) -> int:
        return await Requests().lapse(session, self.clock())

    async def _answers(self, session: AsyncSession) -> None:
        """Kept answers to POSTs, whose day is over; requests clear them away too, while there are any."""
        old = sa.select(IdempotencyRow.key).where(IdempotencyRow.created_at < self.clock() - ANSWERS_KEPT)
        await session.execute(
            sa.delete(IdempotencyRow).where(IdempotencyRow.key.in_(old.limit(ANSWERS_AT_ONCE)))
        )

    async def _overdue(self) -> None:
        """Late by more than two days: something keeps the nights from doing their work."""
        async with AsyncSession(self.engine) as session:
            lines = await plan(session, self.clock() - timedelta(days=2))
        for line in lines:
            OVERDUE.labels(line.kept.value).set(line.due)
            if line.due:
                _log.warning("identity data are overdue for destruction", kept=line.kept, orders=line.due)


@contextmanager
def _part(name: str) -> Iterator[None]:
    """What fails in one part is said, and stops no other; tomorrow it is tried again."""
    try:
        yield
    except StepGaveUp as given_up:
        _log.error("a part of retention's housekeeping gave up", part=name, step=str(given_up))
    except DBAPIError:
        _log.exception("a part of retention's housekeeping failed", part=name)


async def scrub(engine: AsyncEngine) -> None:
    """SQLite: write the log into the file and cut it off, so that no deleted page lies in it.

    Deleted content itself is overwritten at once (`secure_delete`). PostgreSQL: rows that were deleted stay
    in their pages until VACUUM makes room of them; it is asked to here. Their sealed bytes open nowhere.
    """
    async with engine.connect() as connection:
        raw = await connection.get_raw_connection()
        driver = raw.driver_connection
        if driver is None:
            return
        if engine.dialect.name == "sqlite":
            await driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        await driver.set_autocommit(True)
        try:
            for table in _SCRUBBED:
                await driver.execute(f"VACUUM {table}")
        finally:
            await driver.set_autocommit(False)
