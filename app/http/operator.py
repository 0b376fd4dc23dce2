"""The operator's desk: accounts of staff, an order's whole file, holds, new handover codes (R9.3)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from activation.evidence import Hold
from activation.findings import Reason, rule_of
from activation.ids import OrderId, StaffId
from activation.order import FINAL, OrderState
from activation.ports import MessageKind
from app.access.passwords import MAX_LENGTH, MIN_LENGTH, PasswordsBusy
from app.access.principals import Role, Staff
from app.access.rights import Action, Resource
from app.access.staff import AccountRefusal, NewAccount
from app.http.callers import CALLER
from app.http.common import BUSY, NOT_FOUND, WRONG_STATE
from app.http.contract import Input, Output, ProblemRaised, ProblemType, Reply, operation, staff_member
from app.order_file import DecisionSeen, OrderFileView, fact_summary, read_order_file
from app.review.case import CaseState
from app.services import SERVICES
from app.texts.text import Text
from logistics.delivery import DeliveryState
from logistics.shipping import CodeRefusal

_REASON = Annotated[str, Field(min_length=3, max_length=500)]

ACCOUNT_REFUSED = ProblemType(
    "account_refused",
    422,
    Text("账号未创建", "The account was not made"),
    Text("请检查填写的内容。", "Check what was given."),
)
NAME_TAKEN = ProblemType(
    "username_taken",
    409,
    Text("用户名已被使用", "The user name is taken"),
    Text("请换一个用户名。", "Choose another one."),
)
NO_NEW_CODE = ProblemType(
    "no_new_code",
    409,
    Text("不能再发送交付码", "No new code"),
    Text(
        "包裹尚未寄出、派送已结束，或发送次数过多。",
        "Not shipped yet, over, or sent too often already.",
    ),
)
_ACCOUNT_TEXTS = {
    AccountRefusal.PASSWORD_WEAK: Text(
        f"密码须为 {MIN_LENGTH} 至 {MAX_LENGTH} 个字符，不能过于简单或包含用户名。",
        f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters, enough different ones, without the name.",
    ),
    AccountRefusal.CARRIER_WANTED: Text(
        "派送员须填写承运商，其他角色不能填写。", "A courier has a carrier; nobody else has."
    ),
    AccountRefusal.NOT_STAFF: Text("角色不正确。", "Not a role of staff."),
}


class StaffNew(Input):
    """carrier: whom a courier works for; left out for everybody else."""

    username: Annotated[str, Field(pattern=r"^[a-z][a-z0-9._-]{2,63}$")]
    password: Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]
    role: Literal["courier", "reviewer", "operator"]
    carrier: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")] | None = None


class StaffOut(Output):
    staff_id: str
    username: str
    role: str
    carrier: str | None


class StaffPath(Input):
    staff_id: Annotated[str, Field(pattern=r"^stf_[0-9a-f]{24}$")]


class StaffEnded(Output):
    staff_id: str
    disabled: bool


class OrderPath(Input):
    order_id: Annotated[str, Field(pattern=r"^ord_[0-9a-f]{24}$")]


class HoldNew(Input):
    """R9.3. scope: `order:ORDER`. placed: true stops, false lets go on."""

    scope: Annotated[str, Field(pattern=r"^order:ord_[0-9a-f]{24}$")]
    placed: bool
    reason: _REASON


class HoldOut(Output):
    order_id: str
    scope: str
    placed: bool
    fact: int = Field(description="index of the fact that was written")


class CodeSent(Output):
    order_id: str


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
    summary="Make an account of staff",
    right=(Resource.STAFF, Action.CREATE),
    body=StaffNew,
    returns={201: StaffOut},
    idempotent=True,
    problems=(ACCOUNT_REFUSED, NAME_TAKEN, BUSY),
)
async def create_staff(request: web.Request, body: StaffNew) -> Reply:
    services = request.app[SERVICES]
    new = NewAccount(body.username, body.password, Role(body.role), body.carrier)
    try:
        async with services.sessions.begin() as session:
            made = await services.staff.create(session, new)
    except PasswordsBusy:
        raise ProblemRaised(BUSY, retry_after_s=1) from None
    if made is AccountRefusal.NAME_TAKEN:
        raise ProblemRaised(NAME_TAKEN)
    if isinstance(made, AccountRefusal):
        raise ProblemRaised(ACCOUNT_REFUSED, detail=_ACCOUNT_TEXTS[made], refusal=made)
    return Reply(201, StaffOut(staff_id=made, username=new.username, role=new.role, carrier=new.carrier))


@operation(
    summary="End an account of staff",
    right=(Resource.STAFF, Action.CHANGE),
    path=StaffPath,
    returns={200: StaffEnded},
    problems=(WRONG_STATE,),
)
async def end_staff(request: web.Request, path: StaffPath) -> Reply:
    """The account's tokens stop working within a second. Nobody can end their own."""
    if staff_member(request).id == path.staff_id:
        raise ProblemRaised(WRONG_STATE)
    services = request.app[SERVICES]
    async with services.sessions.begin() as session:
        ended = await services.staff.disable(session, StaffId(path.staff_id))
    if not ended:
        raise ProblemRaised(NOT_FOUND)
    return Reply(200, StaffEnded(staff_id=path.staff_id, disabled=True))


@operation(
    summary="An order's file", right=(Resource.ORDER, Action.READ), path=OrderPath, returns={200: OrderOut}
)
async def read_order(request: web.Request, path: OrderPath) -> Reply:
    """State, card, parcel, every fact and decision; no personal data. For operators, not for applicants."""
    staff_member(request)
    async with request.app[SERVICES].readers() as session:
        view = await read_order_file(session, OrderId(path.order_id))
    if view is None:
        raise ProblemRaised(NOT_FOUND)
    return Reply(200, _order(view))


@operation(
    summary="Hold an order or let it go on",
    right=(Resource.HOLD, Action.CREATE),
    body=HoldNew,
    returns={201: HoldOut},
    idempotent=True,
    problems=(WRONG_STATE,),
)
async def hold(request: web.Request, body: HoldNew) -> Reply:
    """A held order neither ships nor is activated until the same scope is let go."""
    operator = staff_member(request)
    services = request.app[SERVICES]
    order_id = OrderId(body.scope.removeprefix("order:"))
    async with services.sessions.begin() as session:
        order = await services.logistics.shipping.store.orders.read(session, order_id)
        if order is None:
            raise ProblemRaised(NOT_FOUND)
        if order.state in FINAL:
            raise ProblemRaised(WRONG_STATE)
        fact = Hold(services.clock(), body.scope, body.placed, operator.id, body.reason)
        index = await services.flow.record(session, order_id, fact)
    return Reply(201, HoldOut(order_id=order_id, scope=body.scope, placed=body.placed, fact=index))


@operation(
    summary="Send a new handover code",
    right=(Resource.HANDOVER_CODE, Action.CREATE),
    path=OrderPath,
    returns={200: CodeSent},
    idempotent=True,
    problems=(NO_NEW_CODE,),
)
async def send_handover_code(request: web.Request, path: OrderPath) -> Reply:
    """To the contact phone; the code before it is void. An operator also unlocks the document check."""
    services = request.app[SERVICES]
    order_id = OrderId(path.order_id)
    by_staff = isinstance(request[CALLER], Staff)
    shipping = services.logistics.shipping
    async with services.sessions.begin() as session:
        issue = await shipping.new_code(session, order_id, also_unlock_document=by_staff)
        if isinstance(issue, CodeRefusal):
            raise ProblemRaised(NO_NEW_CODE, refusal=issue)
        await services.flow.steps.say(session, order_id, MessageKind.HANDOVER_CODE, f"issue-{issue}")
    return Reply(200, CodeSent(order_id=order_id))


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


ROUTES = (
    web.post("/v1/operator/staff", create_staff),
    web.post("/v1/operator/staff/{staff_id}/end", end_staff),
    web.get("/v1/operator/orders/{order_id}", read_order, allow_head=False),
    web.post("/v1/operator/holds", hold),
    web.post("/v1/orders/{order_id}/handover-codes", send_handover_code),
)
