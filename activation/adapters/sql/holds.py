"""Holds in the database (R9.3): what covers an order now, what was stopped, what comes back.

Whoever decides on an order asks `covering` in the transaction of the decision. On PostgreSQL that takes a
shared lock which `place` takes alone: once a hold is committed, no transaction that had not seen it can
still commit a decision. SQLite has one writer at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit import note
from activation.adapters.sql.engine import insert_if_absent
from activation.adapters.sql.hold_tables import HoldRow as H
from activation.adapters.sql.hold_tables import HoldStopRow as P
from activation.adapters.sql.tables import OrderRow as O
from activation.adapters.sql.tables import SimRow as C
from activation.evidence import Facts, Hold
from activation.holds import COMES_BACK, HoldState, Reach, Scope, ScopeKind, Stopped
from activation.ids import HoldId, OrderId, StaffId
from activation.order import OrderState
from activation.sim import SimState
from activation.weighing import holds_in_force

#: Longest that placing or lifting waits for decisions that are being written; these queue behind it.
PLACE_WITHIN_MS = 5_000
#: Key of the advisory lock, in a space that nothing else uses.
_LOCK = 0x6B61_6968


@dataclass(frozen=True)
class HoldView:
    """One hold. authority, document: empty where the operator ordered it."""

    id: HoldId
    state: HoldState
    scope: Scope
    authority: str
    document: str
    reason: str
    placed_by: StaffId
    placed_at: datetime
    lift_asked_by: StaffId | None = None
    lift_asked_at: datetime | None = None
    lifted_by: StaffId | None = None
    lifted_at: datetime | None = None
    lift_reason: str | None = None

    @property
    def of_authority(self) -> bool:
        return self.authority != ""

    def fact(self, placed: bool, at: datetime) -> Hold:
        """As evidence, for the gate."""
        by, reason = (self.placed_by, self.reason) if placed else (self.lifted_by, self.lift_reason)
        return Hold(at, str(self.scope), placed, by or self.placed_by, reason or "", self.id)


class Holds:
    async def place(self, session: AsyncSession, hold: HoldView) -> None:
        """In force once the transaction is committed, which waits for decisions that are being written.

        Raises sqlalchemy.exc.OperationalError where they take longer than PLACE_WITHIN_MS: try again.
        """
        await _lock(session, shared=False)
        await session.execute(
            sa.insert(H).values(
                id=hold.id,
                state=HoldState.ACTIVE,
                scope=hold.scope.kind,
                value=hold.scope.value,
                authority=hold.authority,
                document=hold.document,
                reason=hold.reason,
                placed_by=hold.placed_by,
                placed_at=hold.placed_at,
            )
        )

    async def covering(self, session: AsyncSession, reach: Reach) -> list[HoldView]:
        """Holds in force over this order (or would-be order), oldest first; also in a reading session."""
        await _lock(session, shared=True)
        return await self._list(session, H.state == HoldState.ACTIVE, _covers(reach))

    async def covering_everything(self, session: AsyncSession) -> list[HoldView]:
        """Holds over all, which stop couriers too."""
        await _lock(session, shared=True)
        return await self._list(session, H.state == HoldState.ACTIVE, H.scope == ScopeKind.ALL)

    async def news(
        self, session: AsyncSession, covering: Sequence[HoldView], facts: Facts, at: datetime
    ) -> list[Hold]:
        """What the order's log does not say yet: holds that cover it now, and holds that no longer do."""
        known = holds_in_force(facts)
        now_over = {hold.id for hold in covering}
        fresh = [hold.fact(True, at) for hold in covering if hold.id not in known]
        gone = [hold for hold in known if hold.startswith(HoldId.prefix + "_") and hold not in now_over]
        lifted = await self._list(session, H.id.in_(gone)) if gone else []
        return [*fresh, *(hold.fact(False, at) for hold in lifted)]

    async def read(self, session: AsyncSession, hold_id: HoldId, *, lock: bool = False) -> HoldView | None:
        found = await self._list(session, H.id == hold_id, lock=lock)
        return found[0] if found else None

    async def newest(self, session: AsyncSession, active: bool, limit: int) -> list[HoldView]:
        """Newest first; active: only those in force."""
        where = (H.state == HoldState.ACTIVE,) if active else ()
        query = sa.select(H).where(*where).order_by(H.placed_at.desc(), H.id).limit(limit)
        return [_view(row) for row in await session.scalars(query)]

    async def ask_lift(self, session: AsyncSession, hold_id: HoldId, by: StaffId, at: datetime) -> None:
        await session.execute(sa.update(H).where(H.id == hold_id).values(lift_asked_by=by, lift_asked_at=at))

    async def lift(
        self, session: AsyncSession, hold_id: HoldId, by: StaffId, reason: str, at: datetime
    ) -> bool:
        """No longer in force; what it stopped waits to be brought back. False: it was lifted before.

        Raises as `place`.
        """
        await _lock(session, shared=False)
        lifted = await session.execute(
            sa.update(H)
            .where(H.id == hold_id, H.state == HoldState.ACTIVE)
            .values(state=HoldState.LIFTING, lifted_by=by, lifted_at=at, lift_reason=reason)
            .returning(H.id)
        )
        return lifted.first() is not None

    async def stops(
        self, session: AsyncSession, reach: Reach | None, what: Stopped, subject: str, at: datetime
    ) -> bool:
        """Whether a hold forbids this now; counted if so. reach: None for what is no order's."""
        covering = await (
            self.covering_everything(session) if reach is None else self.covering(session, reach)
        )
        await self.stopped(session, [hold.id for hold in covering], what, subject, at)
        return bool(covering)

    async def stopped(
        self, session: AsyncSession, holds: Collection[str], what: Stopped, subject: str, at: datetime
    ) -> None:
        """Count it, for each of the holds; the order's trail names the first time."""
        for hold in sorted(holds):
            first = await self._count(session, hold, what, subject, at)
            if first and OrderId.pattern.fullmatch(subject):
                await note(session, subject, "hold.stopped", "R9.3", hold=hold, what=what)

    async def waits(
        self, session: AsyncSession, holds: Collection[str], what: Stopped, subject: OrderId, at: datetime
    ) -> None:
        """To be brought back when they are lifted, and not stopped yet: somebody may still be on."""
        for hold in sorted(holds):
            await insert_if_absent(
                session, P, hold_id=hold, what=what, subject=subject, at=at, times=0, waits=True
            )

    async def is_off(self, session: AsyncSession, what: Stopped, subject: OrderId, at: datetime) -> None:
        """What only waited for the switch is stopped now, by each hold that is in force."""
        in_force = sa.select(H.id).where(H.state == HoldState.ACTIVE)
        waiting = sa.select(P.hold_id).where(P.what == what, P.subject == subject, P.times == 0)
        found = await session.scalars(waiting.where(P.hold_id.in_(in_force)))
        await self.stopped(session, found.all(), what, subject, at)

    async def pending(self, session: AsyncSession, hold: HoldView) -> int:
        """Orders under a hold in force whose subscribers may still be on, though it wants them off."""
        if hold.state is not HoldState.ACTIVE:
            return 0
        off = [sa.and_(O.state == OrderState.ACTIVATING, _under(hold.scope))]
        if hold.scope.kind is ScopeKind.ORDER:
            card = sa.select(C.iccid).where(C.order_id == O.id, C.state == SimState.ACTIVE)
            off.append(sa.and_(O.id == hold.scope.value, O.state == OrderState.ACTIVE, card.exists()))
        counted = sa.select(sa.func.count()).select_from(O).where(sa.or_(*off))
        return await session.scalar(counted) or 0

    async def counts(self, session: AsyncSession, hold_id: HoldId) -> dict[Stopped, int]:
        """How many of each kind: orders for their work, tries for the rest."""
        tries = sa.case((P.what.in_(COMES_BACK), 1), else_=P.times)
        mine = (P.hold_id == hold_id, P.times > 0)
        query = sa.select(P.what, sa.func.sum(tries)).where(*mine).group_by(P.what)
        return {Stopped(what): int(number) for what, number in await session.execute(query)}

    async def activating(self, session: AsyncSession, scope: Scope, limit: int) -> list[OrderId]:
        """Orders under the scope that are being switched on now."""
        found = await session.scalars(
            sa.select(O.id).where(O.state == OrderState.ACTIVATING, _under(scope)).order_by(O.id).limit(limit)
        )
        return [OrderId(each) for each in found]

    async def to_bring_back(self, session: AsyncSession, limit: int) -> list[tuple[HoldId, OrderId]]:
        """Orders that a lifted hold had stopped, taken off the list; a hold without any is done with.

        Two processes at once take different ones. None: nothing waits, or another process has all that does.
        """
        lifting = await session.scalars(
            sa.select(H.id).where(H.state == HoldState.LIFTING).order_by(H.lifted_at).limit(1)
        )
        hold = lifting.first()
        if hold is None:
            return []
        waiting = (
            sa.select(P.what, P.subject)
            .where(P.hold_id == hold, P.waits.is_(True))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = (await session.execute(waiting)).all()
        for row in rows:
            key = (P.hold_id == hold, P.what == row.what, P.subject == row.subject)
            await session.execute(sa.update(P).where(*key).values(waits=False))
        if not rows and not await self._any_waits(session, hold):
            await session.execute(sa.update(H).where(H.id == hold).values(state=HoldState.LIFTED))
            return await self.to_bring_back(session, limit)
        return [(HoldId(hold), OrderId(subject)) for subject in dict.fromkeys(row.subject for row in rows)]

    async def _any_waits(self, session: AsyncSession, hold: str) -> bool:
        """Rows that another process is taking count: it may die before it has."""
        query = sa.select(P.subject).where(P.hold_id == hold, P.waits.is_(True)).limit(1)
        return (await session.scalar(query)) is not None

    async def _count(
        self, session: AsyncSession, hold: str, what: Stopped, subject: str, at: datetime
    ) -> bool:
        """True: it was not counted before."""
        waits = what in COMES_BACK
        if await insert_if_absent(
            session, P, hold_id=hold, what=what, subject=subject, at=at, times=1, waits=waits
        ):
            return True
        key = (P.hold_id == hold, P.what == what, P.subject == subject)
        again = sa.update(P).where(*key, P.times == 0 if waits else sa.true())
        counted = await session.scalars(again.values(times=P.times + 1).returning(P.times))
        return counted.first() == 1

    async def _list(
        self, session: AsyncSession, *where: sa.ColumnElement[bool], lock: bool = False
    ) -> list[HoldView]:
        query = sa.select(H).where(*where).order_by(H.placed_at, H.id)
        query = query.execution_options(populate_existing=True)
        return [_view(row) for row in await session.scalars(query.with_for_update() if lock else query)]


def _covers(reach: Reach) -> sa.ColumnElement[bool]:
    """An order whose province nobody knows may be in any."""
    over: list[sa.ColumnElement[bool]] = [
        H.scope == ScopeKind.ALL,
        sa.and_(H.scope == ScopeKind.PROVINCE, H.value == reach.province if reach.province else sa.true()),
        sa.and_(H.scope == ScopeKind.CHANNEL, H.value == reach.channel),
    ]
    if reach.dealer is not None:
        over.append(sa.and_(H.scope == ScopeKind.DEALER, H.value == reach.dealer))
    if reach.order is not None:
        over.append(sa.and_(H.scope == ScopeKind.ORDER, H.value == reach.order))
    return sa.or_(*over)


def _under(scope: Scope) -> sa.ColumnElement[bool]:
    """Orders under it; one whose province nobody knows may be in any."""
    return {
        ScopeKind.ALL: sa.true(),
        ScopeKind.PROVINCE: O.province.in_((scope.value, "")),
        ScopeKind.CHANNEL: O.channel == scope.value,
        ScopeKind.DEALER: O.dealer == scope.value,
        ScopeKind.ORDER: O.id == scope.value,
    }[scope.kind]


async def _lock(session: AsyncSession, *, shared: bool) -> None:
    if session.get_bind().dialect.name == "postgresql":
        if not shared:
            await session.execute(sa.text(f"SET LOCAL lock_timeout = {PLACE_WITHIN_MS}"))
        taken = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        await session.execute(sa.text(f"SELECT {taken}(:key)"), {"key": _LOCK})


def _view(row: H) -> HoldView:
    return HoldView(
        id=HoldId(row.id),
        state=HoldState(row.state),
        scope=Scope(ScopeKind(row.scope), row.value),
        authority=row.authority,
        document=row.document,
        reason=row.reason,
        placed_by=StaffId(row.placed_by),
        placed_at=row.placed_at,
        lift_asked_by=StaffId(row.lift_asked_by) if row.lift_asked_by else None,
        lift_asked_at=row.lift_asked_at,
        lifted_by=StaffId(row.lifted_by) if row.lifted_by else None,
        lifted_at=row.lifted_at,
        lift_reason=row.lift_reason,
    )
