"""Requests of the people concerned, in the database: made, answered within a time, never about another."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit import note
from activation.ids import OrderId
from app.compliance.retention.tables import SubjectRequestRow as R

#: Telecommunications users get an answer within 15 days (order 24 of 2013 of the ministry, article 12).
ANSWERED_WITHIN = timedelta(days=15)
#: Requests in one answer.
LIST_LIMIT = 200
_ID_BYTES = 12


class RequestKind(StrEnum):
    ACCESS = "access"
    CORRECTION = "correction"
    DELETION = "deletion"


class RequestState(StrEnum):
    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"


class RequestAnswer(StrEnum):
    """What the applicant is told; `app.texts.subjects` has the words."""

    COPY_READY = "copy_ready"
    COPY_GIVEN = "copy_given"
    NEW_CAPTURES = "new_captures"
    NEW_ORDER = "new_order"
    STORE = "store"
    LAPSED = "lapsed"
    DESTROYING = "destroying"
    DESTROYED = "destroyed"
    SERVICE_LASTS = "service_lasts"
    SERVICE_ENDED_LATELY = "service_ended_lately"
    DECISION_DISPUTABLE = "decision_disputable"
    LEGAL_DUTY = "legal_duty"


@dataclass(frozen=True)
class SubjectRequest:
    """One request. id: `req_` and 24 hex digits."""

    id: str
    order: OrderId
    kind: RequestKind
    state: RequestState
    answer: RequestAnswer
    asked_at: datetime
    due_at: datetime
    closed_at: datetime | None


class Requests:
    """Holds nothing; each call gets the session, and with it the transaction, it works in."""

    async def create(
        self,
        session: AsyncSession,
        order_id: OrderId,
        kind: RequestKind,
        state: RequestState,
        answer: RequestAnswer,
        at: datetime,
    ) -> SubjectRequest:
        """A request and what was answered at once. Recorded in the order's chain."""
        row = R(
            id=f"req_{secrets.token_hex(_ID_BYTES)}",
            order_id=order_id,
            kind=kind,
            state=state,
            answer=answer,
            asked_at=at,
            due_at=at + ANSWERED_WITHIN,
            closed_at=None if state is RequestState.OPEN else at,
        )
        session.add(row)
        await session.flush()
        await note(
            session, order_id, "request.made", "L", request=row.id, kind=kind, state=state, answer=answer
        )
        return _request(row)

    async def read(self, session: AsyncSession, order_id: OrderId, request_id: str) -> SubjectRequest | None:
        """None: no such request of this order."""
        row = await session.get(R, request_id)
        return _request(row) if row is not None and row.order_id == order_id else None

    async def of_order(self, session: AsyncSession, order_id: OrderId) -> list[SubjectRequest]:
        """Newest first."""
        rows = await session.scalars(
            sa.select(R).where(R.order_id == order_id).order_by(R.asked_at.desc(), R.id).limit(LIST_LIMIT)
        )
        return [_request(row) for row in rows]

    async def open(self, session: AsyncSession, limit: int = LIST_LIMIT) -> list[SubjectRequest]:
        """What still wants an answer, the most urgent first."""
        rows = await session.scalars(
            sa.select(R).where(R.state == RequestState.OPEN).order_by(R.due_at, R.id).limit(limit)
        )
        return [_request(row) for row in rows]

    async def lies_open(self, session: AsyncSession, order_id: OrderId, kind: RequestKind) -> bool:
        found = sa.select(R.id).where(R.order_id == order_id, R.kind == kind, R.state == RequestState.OPEN)
        return await session.scalar(found.limit(1)) is not None

    async def lapse(self, session: AsyncSession, now: datetime, limit: int = LIST_LIMIT) -> int:
        """Copies that nobody came for in time; who still wants one asks again. How many."""
        late = (R.kind == RequestKind.ACCESS, R.state == RequestState.OPEN, R.due_at <= now)
        orders = list(await session.scalars(sa.select(R.order_id).where(*late).limit(limit)))
        done, lapsed = RequestState.DONE, RequestAnswer.LAPSED
        for order_id in dict.fromkeys(orders):
            await self.close(session, OrderId(order_id), RequestKind.ACCESS, done, lapsed, now)
        return len(orders)

    async def close(
        self,
        session: AsyncSession,
        order_id: OrderId,
        kind: RequestKind,
        state: RequestState,
        answer: RequestAnswer,
        at: datetime,
    ) -> int:
        """Every open request of one kind of an order; how many."""
        closed = await session.execute(
            sa.update(R)
            .where(R.order_id == order_id, R.kind == kind, R.state == RequestState.OPEN)
            .values(state=state, answer=answer, closed_at=at)
            .returning(R.id)
        )
        ids = [row.id for row in closed]
        for request in ids:
            await note(session, order_id, "request.closed", "L", request=request, answer=answer)
        return len(ids)


def _request(row: R) -> SubjectRequest:
    return SubjectRequest(
        row.id,
        OrderId(row.order_id),
        RequestKind(row.kind),
        RequestState(row.state),
        RequestAnswer(row.answer),
        row.asked_at,
        row.due_at,
        row.closed_at,
    )
