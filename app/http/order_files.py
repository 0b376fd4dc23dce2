"""An order's whole file for operators: state, card, parcel, facts, decisions and cases; nothing personal."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web

from activation.findings import Reason, rule_of
from activation.ids import OrderId
from activation.order import OrderState
from app.access.rights import Action, Resource
from app.http.common import NOT_FOUND
from app.http.contract import Output, ProblemRaised, Reply, operation
from app.http.operator import OrderPath
from app.order_file import DecisionSeen, OrderFileView, fact_summary, read_order_file
from app.review.case import CaseState
from app.services import SERVICES
from logistics.delivery import DeliveryState


class TimelineEntry(Output):
    """One fact, or one event of the parcel. about: members of it that are not personal."""

    at: datetime
    what: str
    about: dict[str, str | int | bool | None]


class ReasonOut(Output):
    reason: str
    rule: str


class DecisionOut(Output):
    at: datetime
    question: str
    decision: str
    reasons: list[ReasonOut]
    facts_seen: int


class CaseBrief(Output):
    case_id: str
    stage: str
    state: CaseState
    opened_at: datetime


class OrderOut(Output):
    """facts: how many are on record. decided_facts: how many of them the newest decision has weighed."""

    order_id: str
    state: OrderState
    msisdn: str
    iccid: str | None
    waybill: str | None
    delivery_id: str | None
    delivery_state: DeliveryState | None
    created_at: datetime
    changed_at: datetime
    facts: int
    decided_facts: int
    open_cases: int
    cases: list[CaseBrief]
    timeline: list[TimelineEntry]
    decisions: list[DecisionOut]


@operation(
    summary="An order's file",
    right=(Resource.ORDER_FILE, Action.READ),
    path=OrderPath,
    returns={200: OrderOut},
)
async def read_order(request: web.Request, path: OrderPath) -> Reply:
    """State, card, parcel, every fact and decision; no personal data. For operators, not for applicants."""
    async with request.app[SERVICES].readers() as session:
        view = await read_order_file(session, OrderId(path.order_id))
    if view is None:
        raise ProblemRaised(NOT_FOUND)
    return Reply(200, _order(view))


def _order(view: OrderFileView) -> OrderOut:
    delivery = view.delivery
    return OrderOut(
        order_id=view.order.id,
        state=view.order.state,
        msisdn=view.order.msisdn,
        iccid=view.order.iccid,
        waybill=delivery.waybill if delivery else None,
        delivery_id=delivery.id if delivery else None,
        delivery_state=delivery.state if delivery else None,
        created_at=view.order.created_at,
        changed_at=view.order.changed_at,
        facts=len(view.facts.evidence),
        decided_facts=view.decided_facts,
        open_cases=sum(case.state is not CaseState.DECIDED for case in view.cases),
        cases=[
            CaseBrief(case_id=case.id, stage=case.stage, state=case.state, opened_at=case.opened_at)
            for case in view.cases
        ],
        timeline=_timeline(view),
        decisions=[_decision(each) for each in view.decisions],
    )


def _timeline(view: OrderFileView) -> list[TimelineEntry]:
    facts = [
        TimelineEntry(at=fact.at, what="fact", about={"fact": index, **fact_summary(fact)})
        for index, fact in enumerate(view.facts.evidence)
    ]
    events = [
        TimelineEntry(
            at=event.recorded_at,
            what="parcel",
            about={"event": event.event, "source": event.source, "moved_to": event.moved_to},
        )
        for event in view.delivery_events
    ]
    return sorted([*facts, *events], key=lambda entry: entry.at)


def _decision(seen: DecisionSeen) -> DecisionOut:
    reasons = [*seen.answer.get("reasons", ()), *seen.answer.get("missing", ())]
    return DecisionOut(
        at=seen.at,
        question=seen.question,
        decision=str(seen.answer["decision"]),
        reasons=[ReasonOut(reason=each, rule=rule_of(Reason(each))) for each in reasons],
        facts_seen=seen.facts_seen,
    )


ROUTES = (web.get("/v1/operator/orders/{order_id}", read_order, allow_head=False),)
