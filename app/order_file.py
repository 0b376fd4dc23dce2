"""An order as the operator sees it: card, parcel, facts, decisions and cases, without personal data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.facts import kind_of
from activation.adapters.sql.orders import OrderView
from activation.adapters.sql.store import Store
from activation.adapters.sql.tables import DecisionRow as D
from activation.evidence import (
    CapturesMeasured,
    Evidence,
    FaceConsent,
    Facts,
    Handover,
    Hold,
    QuotaPlace,
    RegistryAnswer,
    ReviewDecision,
    SimBinding,
    VideoCheckMeasured,
)
from activation.ids import OrderId
from app.review.cases import Case, Cases
from logistics.deliveries import Deliveries, Delivery, DeliveryEvent

#: Newest decisions that are read back; one order has seldom more than a dozen.
DECISIONS_LIMIT = 200


@dataclass(frozen=True)
class DecisionSeen:
    """One decision. answer: as it was recorded: `decision` and its reasons."""

    question: str
    facts_seen: int
    answer: dict[str, Any]
    at: datetime


@dataclass(frozen=True)
class OrderFileView:
    order: OrderView
    facts: Facts
    decisions: tuple[DecisionSeen, ...]
    cases: tuple[Case, ...]
    delivery: Delivery | None
    delivery_events: tuple[DeliveryEvent, ...]

    @property
    def decided_facts(self) -> int:
        """How many facts the newest decision has weighed."""
        return max((each.facts_seen for each in self.decisions), default=0)


async def read_order_file(session: AsyncSession, order_id: OrderId) -> OrderFileView | None:
    """Everything on record about one order; None: there is none."""
    store, deliveries = Store(), Deliveries()
    order = await store.orders.read(session, order_id)
    if order is None:
        return None
    delivery = await deliveries.of_order(session, order_id)
    events = await deliveries.events(session, delivery.id) if delivery else []
    return OrderFileView(
        order=order,
        facts=await store.facts.load(session, order_id),
        decisions=await _decisions(session, order_id),
        cases=tuple(await Cases().of_order(session, order_id)),
        delivery=delivery,
        delivery_events=tuple(events),
    )


async def _decisions(session: AsyncSession, order_id: OrderId) -> tuple[DecisionSeen, ...]:
    # Their inputs are large and are not needed here; `gate replay` reads them.
    query = (
        sa.select(D.question, D.facts_seen, D.answer, D.at)
        .where(D.order_id == order_id)
        .order_by(D.id.desc())
        .limit(DECISIONS_LIMIT)
    )
    rows = list(await session.execute(query))
    return tuple(DecisionSeen(row.question, row.facts_seen, row.answer, row.at) for row in reversed(rows))


def fact_summary(fact: Evidence) -> dict[str, str | int | bool | None]:
    """Kind and the few members of a fact that a timeline shows; never a keyed hash."""
    return {"kind": kind_of(fact), **_members(fact)}


def _members(fact: Evidence) -> dict[str, str | int | bool | None]:
    match fact:
        case CapturesMeasured():
            return {"valid_today": fact.valid_today, "pictures": len(fact.media)}
        case RegistryAnswer():
            return {"verdict": fact.verdict}
        case QuotaPlace():
            return {"place": fact.place, "limit": fact.limit}
        case SimBinding():
            return {"iccid": fact.iccid}
        case Handover():
            return {"outcome": fact.outcome, "delivery": fact.delivery, "photo": fact.photo is not None}
        case VideoCheckMeasured():
            return {"check": fact.check, "attempt": fact.attempt, "outcome": fact.outcome}
        case ReviewDecision():
            two = fact.checker is not None
            return {"stage": fact.stage, "outcome": fact.outcome, "about": fact.about, "two_people": two}
        case Hold():
            return {"scope": fact.scope, "placed": fact.placed}
        case FaceConsent():
            return {"given": fact.given}
