"""Requests of applicants about their own data, answered as far as the rules allow (R1.4, R8.1).

What can be answered at once is; what has to wait says until when and why, and never what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit import note
from activation.adapters.sql.orders import OrderView
from activation.adapters.sql.store import Store
from activation.ids import OrderId
from activation.order import FINAL
from activation.order import OrderState as S
from activation.standing import NEW_CAPTURES_WITHIN
from app.compliance.retention.destroying import DESTROY
from app.compliance.retention.disputes import found_now
from app.compliance.retention.due import standing_of
from app.compliance.retention.rules import MAY_GO_ON_WISH, PERIODS, Kept, destroyed_from
from app.compliance.subjects.requests import (
    RequestAnswer,
    RequestKind,
    Requests,
    RequestState,
    SubjectRequest,
)
from app.services import Services

#: Orders whose captures may still be given again: nothing rests on them but a check that is made anew.
CORRECTABLE = frozenset({S.DRAFT, S.SUBMITTED, S.IN_REVIEW})
_BACK_TO_DRAFT = CORRECTABLE - {S.DRAFT}
_AT_THE_STORE = frozenset({S.ACTIVATING, S.ACTIVE, S.ENDED})
A, K, R = RequestAnswer, RequestKind, RequestState


@dataclass(frozen=True)
class Answered:
    """not_before: from when on the data may go; for an active service: if it ended today."""

    request: SubjectRequest
    not_before: datetime | None = None


async def ask(services: Services, order_id: OrderId, kind: RequestKind) -> Answered | None:
    """Answer and record, in one transaction. None: no such order.

    An open one of the kind is given again, and so is the last one where the answer is the same and changes
    nothing.
    """
    requests = Requests()
    async with services.sessions.begin() as session:
        if await Store().orders.read(session, order_id) is None:
            return None
        order = await Store().orders.lock(session, order_id)
        same = [each for each in await requests.of_order(session, order_id) if each.kind is kind]
        for earlier in same:
            if earlier.state is R.OPEN:
                return Answered(earlier)
        match kind:
            case K.ACCESS:
                state, answer, not_before = R.OPEN, A.COPY_READY, None
            case K.CORRECTION:
                state, answer, not_before = R.DONE, await _correct(services, session, order), None
            case K.DELETION:
                state, answer, not_before = await _delete(services, session, order)
        nothing_new = state is R.REFUSED or (kind is K.CORRECTION and order.state not in _BACK_TO_DRAFT)
        if same and nothing_new and (same[0].state, same[0].answer) == (state, answer):
            return Answered(same[0], not_before)
        made = await requests.create(session, order_id, kind, state, answer, services.clock())
        if answer is A.DESTROYING:
            await services.flow.work.enqueue(session, DESTROY, order_id, made.id)
        return Answered(made, not_before)


async def _correct(services: Services, session: AsyncSession, order: OrderView) -> RequestAnswer:
    """R1.4: nobody edits what was read; the applicant takes the pictures again where the order permits it."""
    if order.state in _AT_THE_STORE:
        return A.STORE
    if order.state not in CORRECTABLE:
        return A.NEW_ORDER
    if order.state in _BACK_TO_DRAFT:
        now = services.clock()
        due_at = now + NEW_CAPTURES_WITHIN
        await Store().orders.move(session, order.id, S.DRAFT, now, due_at=due_at)
        await Store().quota.release(session, order.id)
        await note(session, order.id, "correction.new_captures", "R1.4", before=order.state)
    return A.NEW_CAPTURES


async def _delete(
    services: Services, session: AsyncSession, order: OrderView
) -> tuple[RequestState, RequestAnswer, datetime | None]:
    standing = await standing_of(session, order)
    if standing.held:
        return R.REFUSED, A.LEGAL_DUTY, None
    if order.state not in MAY_GO_ON_WISH:
        return R.REFUSED, *_not_yet(order, destroyed_from(standing), services.clock())
    disputed = standing.disputed or await found_now(session, order.id, services.policy)
    over_at = standing.over_at
    if order.state not in FINAL:
        over_at = services.clock()
        if not await services.flow.end(session, order.id, S.CANCELLED):
            return R.REFUSED, A.SERVICE_LASTS, None
    if disputed:  # cancelled all the same, but whoever attacked does not wipe out the traces
        return R.REFUSED, A.DECISION_DISPUTABLE, PERIODS[Kept.REFUSED].end(over_at)
    return R.OPEN, A.DESTROYING, None


def _not_yet(
    order: OrderView, until: datetime | None, now: datetime
) -> tuple[RequestAnswer, datetime | None]:
    """Why a wish is not met, and from when on the rules allow it."""
    match order.state:
        case S.ENDED:
            return A.SERVICE_ENDED_LATELY, until
        case S.REFUSED:
            return A.DECISION_DISPUTABLE, until
        case _:
            return A.SERVICE_LASTS, PERIODS[Kept.SERVICE_ENDED].end(now)


async def list_requests(services: Services, order_id: OrderId) -> list[SubjectRequest]:
    """The applicant's own, newest first."""
    async with services.readers() as session:
        return await Requests().of_order(session, order_id)


def is_overdue(request: SubjectRequest, now: datetime, margin: timedelta = timedelta(0)) -> bool:
    """An open request whose time for an answer is over, or will be within `margin`."""
    return request.state is R.OPEN and request.due_at <= now + margin
