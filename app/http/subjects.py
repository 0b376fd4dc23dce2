"""What applicants ask about their own data: a copy, a correction, its deletion."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import Field

from app.access.rates import REQUESTS_PER_ORDER, TRIES_PER_ORDER
from app.access.rights import Action, Resource
from app.compliance.subjects.answering import Answered, ask, list_requests
from app.compliance.subjects.copies import MEDIA_TYPE, CopyBusy, CopyGranted, copy_of, grant_copy
from app.compliance.subjects.requests import RequestAnswer, RequestKind, RequestState, SubjectRequest
from app.http.common import BUSY, NOT_FOUND, TOO_MANY
from app.http.contract import (
    Input,
    Output,
    ProblemRaised,
    ProblemType,
    Raw,
    Reply,
    applicant_order,
    operation,
)
from app.http.inputs import OneTimeCode, OrderPath
from app.http.preselection_problems import CODE_NOT_ACCEPTED
from app.services import SERVICES
from app.texts.subjects import ANSWERS
from app.texts.text import Text, preferred_locale

NO_COPY = ProblemType(
    "no_copy_asked_for",
    409,
    Text("没有待下载的副本", "No copy waits"),
    Text("请先申请副本。每次申请只能下载一次。", "Ask for a copy first; each request gives one."),
)
_BUSY_RETRY_S = 10
_AS_FILE = {"Content-Disposition": 'attachment; filename="my-data.zip"', "Cache-Control": "no-store"}


class RequestPath(OrderPath):
    request_id: Annotated[str, Field(pattern=r"^req_[0-9a-f]{24}$")]


class RequestNew(Input):
    kind: RequestKind


class CopyCode(Input):
    """code: a fresh one-time code (`POST …/codes`), beside the token."""

    code: OneTimeCode


class RequestOut(Output):
    """text: answer for people. not_before: from when on the data may be deleted; null: not known, or now."""

    request_id: str
    kind: RequestKind
    state: RequestState
    answer: RequestAnswer
    text: str
    asked_at: datetime
    due_at: datetime
    closed_at: datetime | None
    not_before: datetime | None


class RequestsOut(Output):
    requests: list[RequestOut]


@operation(
    summary="Ask about one's own data",
    right=(Resource.SUBJECT_REQUEST, Action.CREATE),
    path=OrderPath,
    body=RequestNew,
    returns={201: RequestOut},
    problems=(TOO_MANY,),
    idempotent=True,
)
async def create_request(request: web.Request, path: OrderPath, body: RequestNew) -> Reply:
    """access: a copy, fetched with a one-time code. correction: by new pictures, never by hand (R1.4).

    deletion: an order without service is cancelled and destroyed at once; else date and reason (R8.1).
    """
    services = request.app[SERVICES]
    seconds = await services.rates.wait_for(REQUESTS_PER_ORDER, path.order_id)
    if seconds is not None:
        raise ProblemRaised(TOO_MANY, retry_after_s=seconds)
    answered = await ask(services, path.order_id, body.kind)
    if answered is None:
        raise ProblemRaised(NOT_FOUND)
    return Reply(201, _out(request, answered), location=f"/v1/orders/{path.order_id}/requests")


@operation(
    summary="One's own requests",
    right=(Resource.SUBJECT_REQUEST, Action.READ),
    path=OrderPath,
    returns={200: RequestsOut},
)
async def read_requests(request: web.Request, path: OrderPath) -> Reply:
    found = await list_requests(request.app[SERVICES], applicant_order(request))
    return Reply(200, RequestsOut(requests=[_out(request, Answered(each)) for each in found]))


@operation(
    summary="Get the copy of one's own data",
    right=(Resource.SUBJECT_REQUEST, Action.CREATE),
    path=RequestPath,
    body=CopyCode,
    returns={200: Raw(MEDIA_TYPE)},
    problems=(CODE_NOT_ACCEPTED, NO_COPY, BUSY, TOO_MANY),
)
async def give_copy(request: web.Request, path: RequestPath, body: CopyCode) -> web.Response:
    """A ZIP file, once per request. Breaks off where a part of it does not open."""
    services, order_id = request.app[SERVICES], applicant_order(request)
    seconds = await services.rates.wait_for(TRIES_PER_ORDER, order_id)
    if seconds is not None:
        raise ProblemRaised(TOO_MANY, retry_after_s=seconds)
    try:
        granted = await grant_copy(services, order_id, path.request_id, body.code)
    except CopyBusy:
        raise ProblemRaised(BUSY, retry_after_s=_BUSY_RETRY_S) from None
    match granted:
        case None:
            raise ProblemRaised(CODE_NOT_ACCEPTED)
        case RequestAnswer():
            raise ProblemRaised(NO_COPY)
        case CopyGranted():
            headers = {
                "Content-Disposition": 'attachment; filename="my-data.zip"',
                "Cache-Control": "no-store",
            }
            return web.Response(body=copy_of(services, granted), content_type=MEDIA_TYPE, headers=headers)


def _out(request: web.Request, answered: Answered) -> RequestOut:
    asked: SubjectRequest = answered.request
    locale = preferred_locale(request.headers.get("Accept-Language", ""))
    return RequestOut(
        request_id=asked.id,
        kind=asked.kind,
        state=asked.state,
        answer=asked.answer,
        text=ANSWERS[asked.answer].in_(locale),
        asked_at=asked.asked_at,
        due_at=asked.due_at,
        closed_at=asked.closed_at,
        not_before=answered.not_before,
    )


ROUTES = (
    web.post("/v1/orders/{order_id}/requests", create_request),
    web.get("/v1/orders/{order_id}/requests", read_requests, allow_head=False),
    web.post("/v1/orders/{order_id}/requests/{request_id}/copy", give_copy),
)
