"""Operators: end of service, what will be and was destroyed, requests of applicants (R8)."""

from __future__ import annotations

from datetime import datetime, timedelta

from aiohttp import web

from activation.adapters.sql.service_ends import ServiceEnd
from activation.ending import EndDesk, EndRefusal
from activation.ids import OrderId
from app.access.rights import Action, Resource
from app.compliance.retention.due import PlanLine
from app.compliance.retention.overview import TombstoneView, overview, read_tombstone
from app.compliance.retention.rules import PERIODS
from app.compliance.subjects.answering import is_overdue
from app.compliance.subjects.requests import RequestKind, Requests, RequestState
from app.http.common import NOT_FOUND, WRONG_STATE
from app.http.contract import Input, Output, ProblemRaised, Reply, operation
from app.http.inputs import OrderPath, ReasonText
from app.services import SERVICES

#: How far ahead the overview looks.
_AHEAD = timedelta(days=30)


class ServiceEndNew(Input):
    """keep_number: the number left with its subscriber and never comes back to the pool."""

    reason: ReasonText
    keep_number: bool = False


class ServiceEndOut(Output):
    """ended_at: when the HLR knew the subscriber no longer; null while it is being done."""

    order_id: str
    asked_at: datetime
    ended_at: datetime | None
    keep_number: bool


class PlanLineOut(Output):
    """due: orders whose data must be destroyed. held: would be, but for a legal hold."""

    kept_as: str
    rule: str
    why: str
    due: int
    held: int


class FacesOut(Output):
    """alarm: as many faces are held as must be reported to the authority (R9.4)."""

    held: int
    limit: int
    alarm: bool


class RetentionOut(Output):
    now: list[PlanLineOut]
    in_30_days: list[PlanLineOut]
    destroyed: int
    being_destroyed: int
    legal_holds: int
    open_requests: int
    faces: FacesOut


class TombstoneOut(Output):
    order_id: str
    state: str
    kept_as: str
    rule: str
    why: str
    opened_at: datetime
    over_at: datetime
    begun_at: datetime
    begun_by: str
    destroyed_at: datetime | None

    @classmethod
    def of(cls, stone: TombstoneView) -> TombstoneOut:
        return cls.model_validate(stone, from_attributes=True)


class OpenRequestOut(Output):
    request_id: str
    order_id: str
    kind: RequestKind
    state: RequestState
    asked_at: datetime
    due_at: datetime
    overdue: bool


class OpenRequestsOut(Output):
    requests: list[OpenRequestOut]


@operation(
    summary="End a service",
    right=(Resource.SERVICE_END, Action.CREATE),
    path=OrderPath,
    body=ServiceEndNew,
    returns={202: ServiceEndOut},
    idempotent=True,
    problems=(WRONG_STATE,),
)
async def end_service(request: web.Request, path: OrderPath, body: ServiceEndNew) -> Reply:
    """The subscriber is removed from the HLR, then the order ends and the two years of R8.1 begin."""
    services = request.app[SERVICES]
    async with services.sessions.begin() as session:
        desk = EndDesk(services.flow.work, services.clock)
        asked = await desk.ask(session, OrderId(path.order_id), body.keep_number, body.reason)
    match asked:
        case EndRefusal.NOT_FOUND:
            raise ProblemRaised(NOT_FOUND)
        case EndRefusal.NOT_ACTIVE:
            raise ProblemRaised(WRONG_STATE)
        case ServiceEnd():
            out = ServiceEndOut(
                order_id=asked.order,
                asked_at=asked.asked_at,
                ended_at=asked.ended_at,
                keep_number=asked.keep_number,
            )
            return Reply(202, out)


@operation(
    summary="What is kept, what must go, and how many faces are held",
    right=(Resource.RETENTION, Action.READ),
    returns={200: RetentionOut},
)
async def show_retention(request: web.Request) -> Reply:
    services = request.app[SERVICES]
    faces = await services.retention.faces.held()
    async with services.readers() as session:
        found = await overview(session, services.clock(), _AHEAD)
    return Reply(
        200,
        RetentionOut(
            now=_lines(found.now),
            in_30_days=_lines(found.ahead),
            destroyed=found.destroyed,
            being_destroyed=found.being_destroyed,
            legal_holds=found.legal_holds,
            open_requests=found.open_requests,
            faces=FacesOut(held=faces.held, limit=faces.limit, alarm=faces.alarm),
        ),
    )


@operation(
    summary="What stays of a destroyed order",
    right=(Resource.RETENTION, Action.READ),
    path=OrderPath,
    returns={200: TombstoneOut},
)
async def show_tombstone(request: web.Request, path: OrderPath) -> Reply:
    async with request.app[SERVICES].readers() as session:
        stone = await read_tombstone(session, OrderId(path.order_id))
    if stone is None:
        raise ProblemRaised(NOT_FOUND)
    return Reply(200, TombstoneOut.of(stone))


@operation(
    summary="Open requests of applicants about their data",
    right=(Resource.SUBJECT_REQUESTS, Action.READ),
    returns={200: OpenRequestsOut},
)
async def list_open_requests(request: web.Request) -> Reply:
    """The most urgent first, at most 200."""
    services = request.app[SERVICES]
    async with services.readers() as session:
        found = await Requests().open(session)
    listed = [
        OpenRequestOut(
            request_id=each.id,
            order_id=each.order,
            kind=each.kind,
            state=each.state,
            asked_at=each.asked_at,
            due_at=each.due_at,
            overdue=is_overdue(each, services.clock()),
        )
        for each in found
    ]
    return Reply(200, OpenRequestsOut(requests=listed))


def _lines(found: list[PlanLine]) -> list[PlanLineOut]:
    return [
        PlanLineOut(
            kept_as=line.kept,
            rule=PERIODS[line.kept].rule,
            why=PERIODS[line.kept].why.en,
            due=line.due,
            held=line.held,
        )
        for line in found
    ]


_ORDER = "/v1/operator/orders/{order_id}"

ROUTES = (
    web.post(f"{_ORDER}/end-of-service", end_service),
    web.get(f"{_ORDER}/tombstone", show_tombstone, allow_head=False),
    web.get("/v1/operator/retention", show_retention, allow_head=False),
    web.get("/v1/operator/subject-requests", list_open_requests, allow_head=False),
)
