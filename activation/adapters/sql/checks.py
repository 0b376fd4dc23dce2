"""Attempts at the video check: counted, never deleted, a new script each (R4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit import note
from activation.adapters.sql.tables import OrderRow
from activation.adapters.sql.tables import VideoCheckRow as V
from activation.check import OPEN, CheckState, states_before
from activation.ids import CheckId, OrderId

#: That a process took: what nobody had a place for uses nothing up.
ATTEMPTS = 5
#: Made at all, also in vain: each is a row, a fact and an entry in the trail.
MADE_AT_MOST = 30
ATTEMPTS_WITHIN = timedelta(hours=1)


@dataclass(frozen=True)
class CheckView:
    """One attempt. script: the challenge as the media room wrote it; executor: the process that runs it."""

    id: CheckId
    order_id: OrderId
    attempt: int
    state: CheckState
    script: dict[str, Any]
    executor: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class TooManyAttempts:
    """The limit per hour is reached; another attempt may be made at `again_at`."""

    again_at: datetime


class Checks:
    async def create(
        self,
        session: AsyncSession,
        order_id: OrderId,
        check_id: CheckId,
        script: dict[str, Any],
        at: datetime,
        expires_at: datetime,
        executor: str = "",
    ) -> CheckView | TooManyAttempts:
        """A new attempt. The order's row is held, so that attempts made at once are counted one by one."""
        await session.execute(sa.select(OrderRow.id).where(OrderRow.id == order_id).with_for_update())
        rows = await session.execute(
            sa.select(V.created_at, V.executor)
            .where(V.order_id == order_id, V.created_at > at - ATTEMPTS_WITHIN)
            .order_by(V.created_at)
        )
        recent = rows.all()
        made, taken = [row.created_at for row in recent], [row.created_at for row in recent if row.executor]
        full = [
            times[-most] for times, most in ((made, MADE_AT_MOST), (taken, ATTEMPTS)) if len(times) >= most
        ]
        if full:
            return TooManyAttempts(max(full) + ATTEMPTS_WITHIN)
        last = await session.scalar(sa.select(sa.func.max(V.attempt)).where(V.order_id == order_id))
        view = CheckView(
            check_id, order_id, (last or 0) + 1, CheckState.CREATED, script, executor, at, expires_at
        )
        await session.execute(
            sa.insert(V).values(
                id=view.id,
                order_id=order_id,
                attempt=view.attempt,
                state=view.state,
                script=script,
                executor=executor,
                created_at=at,
                expires_at=expires_at,
            )
        )
        await note(session, order_id, "check.created", "R4.2", check=check_id, attempt=view.attempt)
        return view

    async def attempts_left(self, session: AsyncSession, order_id: OrderId, at: datetime) -> int:
        """Attempts that may still be taken within the hour."""
        taken = await session.scalar(
            sa.select(sa.func.count())
            .select_from(V)
            .where(V.order_id == order_id, V.created_at > at - ATTEMPTS_WITHIN, V.executor != "")
        )
        return max(0, ATTEMPTS - (taken or 0))

    async def read(self, session: AsyncSession, check_id: CheckId) -> CheckView | None:
        row = (await session.execute(sa.select(*_COLUMNS).where(V.id == check_id))).first()
        return None if row is None else _view(row)

    async def move(
        self,
        session: AsyncSession,
        check_id: CheckId,
        to: CheckState,
        at: datetime,
        executor: str | None = None,
        dtls_fingerprint: str | None = None,
    ) -> bool:
        """One transition of the table. False: the attempt is in no state that leads to `to`.

        Of two offers for one attempt, only one gets it from created to connected: a script is used once.
        """
        values: dict[str, Any] = {"state": to}
        if executor is not None:
            values["executor"] = executor
        if dtls_fingerprint is not None:
            values["dtls_fingerprint"] = dtls_fingerprint
        if to not in OPEN:
            values["closed_at"] = at
        moved = await session.execute(
            sa.update(V)
            .where(V.id == check_id, V.state.in_(states_before(to)))
            .values(**values)
            .returning(V.order_id)
        )
        order_id = moved.scalar()
        if order_id is not None:
            await note(session, order_id, f"check.{to}", "R4.2", check=check_id)
        return order_id is not None

    async def overdue(
        self, session: AsyncSession, ended: datetime, recorded: datetime, executor: str, limit: int
    ) -> list[CheckView]:
        """Attempts still open after their end: abandoned, or their process died.

        Those that nobody took, or `executor` did, where their time was over by `ended`; those of other
        processes, which may still be recording what they saw, where it was by `recorded`.
        """
        mine = sa.and_(V.executor.in_(("", executor)), V.expires_at <= ended)
        rows = await session.execute(
            sa.select(*_COLUMNS)
            .where(V.state.in_(OPEN), sa.or_(mine, V.expires_at <= recorded))
            .order_by(V.expires_at)
            .limit(limit)
        )
        return [_view(row) for row in rows]


_COLUMNS = (V.id, V.order_id, V.attempt, V.state, V.script, V.executor, V.created_at, V.expires_at)


def _view(row: sa.Row[Any]) -> CheckView:
    return CheckView(
        CheckId(row.id),
        OrderId(row.order_id),
        row.attempt,
        CheckState(row.state),
        row.script,
        row.executor,
        row.created_at,
        row.expires_at,
    )
