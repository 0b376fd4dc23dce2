"""Where an order stands and what its applicant does next; nothing of what was measured or why (rules.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.orders import OrderView
from activation.adapters.sql.store import Store
from activation.adapters.sql.tables import CaptureRow
from activation.evidence import (
    CaptureKind,
    CapturesMeasured,
    Evidence,
    Facts,
    Handover,
    HandoverOutcome,
    ReviewStage,
    SimBinding,
    VideoCheckMeasured,
)
from activation.ids import Msisdn, OrderId
from activation.order import FINAL, OrderState
from activation.steps import BEFORE_SHIPPING
from activation.weighing import captures_let_go
from app.check_standing import new_check_wanted
from app.preselection.consents import FOR_SUBMISSION, ConsentKind, given_consents
from app.preselection.stored import new_captures_asked_at
from app.preselection.upload_removal import remove_uploads
from app.review.cases import Cases
from app.services import Services

S = OrderState


class NextStep(StrEnum):
    GIVE_CONSENT = "give_consent"
    TAKE_CAPTURES = "take_captures"
    CONFIRM_READING = "confirm_reading"
    WAIT = "wait"
    RECEIVE_PACKAGE = "receive_package"
    VIDEO_CHECK = "video_check"
    USE_NUMBER = "use_number"
    VISIT_STORE = "visit_store"
    OTHER_WAY = "other_way"
    ORDER_ANEW = "order_anew"


class Event(StrEnum):
    OPENED = "opened"
    SUBMITTED = "submitted"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    VIDEO_CHECK = "video_check"


_BY_STATE: dict[OrderState, NextStep] = {
    **dict.fromkeys((S.SUBMITTED, S.IN_REVIEW, S.ACCEPTED, S.ACTIVATING), NextStep.WAIT),
    S.SHIPPED: NextStep.RECEIVE_PACKAGE,
    S.DELIVERED: NextStep.VIDEO_CHECK,
    S.VERIFIED: NextStep.RECEIVE_PACKAGE,
    S.ACTIVE: NextStep.USE_NUMBER,
    S.REFUSED: NextStep.VISIT_STORE,
    **dict.fromkeys((S.CANCELLED, S.EXPIRED, S.RETURNED, S.ENDED), NextStep.ORDER_ANEW),
}


#: Steps that lead nowhere without face recognition: store and attended call do (R9.4).
_NEED_A_FACE = frozenset({NextStep.WAIT, NextStep.RECEIVE_PACKAGE, NextStep.VIDEO_CHECK})


@dataclass(frozen=True)
class Progress:
    """reserved_until: only in draft. timeline: oldest first, ends with the state of a final order."""

    order: OrderView
    next_step: NextStep
    consents: tuple[ConsentKind, ...]
    captures: tuple[CaptureKind, ...]
    contact_phone: Msisdn = field(repr=False)
    timeline: tuple[tuple[str, datetime], ...]
    reserved_until: datetime | None


async def order_progress(services: Services, order_id: OrderId) -> Progress | None:
    """None: no such order."""
    store = Store()
    async with services.readers() as session:
        order = await store.orders.read(session, order_id)
        contact = await store.orders.contact(session, order_id)
        if order is None or contact is None:
            return None
        facts = await store.facts.load(session, order_id)
        consents = await given_consents(session, order_id)
        captures = await _capture_kinds(session, order_id, new_captures_asked_at(facts))
        reviewed = await Cases().lies_open(session, order_id, ReviewStage.ACTIVATE)
        check_again = await new_check_wanted(session, order)
    if order.state is S.DRAFT:
        next_step = _step_of_draft(consents, captures)
    else:
        next_step = NextStep.VIDEO_CHECK if check_again else _later_step(order.state, facts, reviewed)
        agreed = ConsentKind.FACE_RECOGNITION in consents
        # Given anew before shipping, it leads to new captures; after it they cannot be taken any more.
        face = agreed and (order.state in BEFORE_SHIPPING or not captures_let_go(facts))
        if next_step in _NEED_A_FACE and not face:
            next_step = NextStep.OTHER_WAY
    return Progress(
        order,
        next_step,
        consents,
        captures,
        contact.phone,
        _timeline(order, facts),
        order.due_at if order.state is S.DRAFT else None,
    )


async def cancel_order(services: Services, order_id: OrderId) -> bool:
    """False: the order is past the point where it can be cancelled. Cancelling twice is no error."""
    async with services.sessions.begin() as session:
        order = await Store().orders.lock(session, order_id)
        cancelled = order.state is S.CANCELLED or await services.flow.end(session, order_id, S.CANCELLED)
    if cancelled:
        await remove_uploads(services.quarantine, order_id)
    return cancelled


def _later_step(state: OrderState, facts: Facts, reviewed: bool) -> NextStep:
    """Whoever has the card and has done the check waits, for reviewers or for the operator."""
    if state is S.DELIVERED and reviewed:
        return NextStep.WAIT
    if state is S.VERIFIED and any(_is_handed_over(fact) for fact in facts.evidence):
        return NextStep.WAIT
    return _BY_STATE[state]


def _is_handed_over(fact: Evidence) -> bool:
    return isinstance(fact, Handover) and fact.outcome is HandoverOutcome.HANDED_OVER


def _step_of_draft(consents: tuple[ConsentKind, ...], captures: tuple[CaptureKind, ...]) -> NextStep:
    if set(consents) < set(FOR_SUBMISSION):
        return NextStep.GIVE_CONSENT
    return NextStep.CONFIRM_READING if len(captures) == len(CaptureKind) else NextStep.TAKE_CAPTURES


async def _capture_kinds(
    session: AsyncSession, order_id: OrderId, asked: datetime | None
) -> tuple[CaptureKind, ...]:
    """Which are there and not from before new ones were asked for; nothing of them is decrypted."""
    columns = (CaptureRow.kind, CaptureRow.at)
    rows = await session.execute(sa.select(*columns).where(CaptureRow.order_id == order_id))
    there = {row.kind for row in rows if asked is None or row.at > asked}
    return tuple(kind for kind in CaptureKind if kind in there)


def _timeline(order: OrderView, facts: Facts) -> tuple[tuple[str, datetime], ...]:
    events: list[tuple[str, datetime]] = [(Event.OPENED, order.created_at)]
    for fact in facts.evidence:
        match fact:
            case CapturesMeasured():
                events.append((Event.SUBMITTED, fact.at))
            case SimBinding():
                events.append((Event.SHIPPED, fact.at))
            case Handover(outcome=HandoverOutcome.HANDED_OVER):
                events.append((Event.DELIVERED, fact.at))
            case VideoCheckMeasured():
                events.append((Event.VIDEO_CHECK, fact.at))
            case _:
                pass
    if order.state in FINAL or order.state is S.ACTIVE:
        events.append((order.state, order.changed_at))
    return tuple(events)
