"""Legal holds: what the law wants kept is not destroyed (R8.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import Field

from activation.ids import OrderId
from app.access.rights import Action, Resource
from app.compliance.retention.legal_holds import HoldRefusal, LegalHold, LegalHolds
from app.http.common import NOT_FOUND
from app.http.contract import Input, Output, ProblemRaised, ProblemType, Reply, operation
from app.http.inputs import OrderPath, ReasonText
from app.services import SERVICES
from app.texts.text import Text

DATA_DESTROYED = ProblemType(
    "data_destroyed",
    409,
    Text("信息已销毁", "The data are destroyed"),
    Text("销毁已经开始，不能再保留。", "Destruction has begun; nothing can keep them any more."),
)


class LegalHoldPath(Input):
    hold_id: Annotated[int, Field(ge=1, le=2**31 - 1)]


class LegalHoldNew(Input):
    reason: ReasonText


class LegalHoldOut(Output):
    hold_id: int
    order_id: str
    placed_at: datetime
    placed_by: str
    reason: str
    lifted_at: datetime | None
    lifted_by: str | None
    lift_reason: str | None

    @classmethod
    def of(cls, hold: LegalHold) -> LegalHoldOut:
        return cls(
            hold_id=hold.id,
            order_id=hold.order,
            placed_at=hold.placed_at,
            placed_by=hold.placed_by,
            reason=hold.reason,
            lifted_at=hold.lifted_at,
            lifted_by=hold.lifted_by,
            lift_reason=hold.lift_reason,
        )


class LegalHoldsOut(Output):
    holds: list[LegalHoldOut]


@operation(
    summary="Place a legal hold",
    right=(Resource.LEGAL_HOLD, Action.CREATE),
    path=OrderPath,
    body=LegalHoldNew,
    returns={201: LegalHoldOut},
    idempotent=True,
    problems=(DATA_DESTROYED,),
)
async def place_legal_hold(request: web.Request, path: OrderPath, body: LegalHoldNew) -> Reply:
    """Nothing of the order is destroyed until every one of its legal holds is lifted (R8.1)."""
    services = request.app[SERVICES]
    async with services.sessions.begin() as session:
        placed = await LegalHolds().place(session, OrderId(path.order_id), body.reason, services.clock())
    return Reply(201, LegalHoldOut.of(_hold(placed)))


@operation(
    summary="Lift a legal hold",
    right=(Resource.LEGAL_HOLD, Action.END),
    path=LegalHoldPath,
    body=LegalHoldNew,
    returns={200: LegalHoldOut},
)
async def lift_legal_hold(request: web.Request, path: LegalHoldPath, body: LegalHoldNew) -> Reply:
    """What is overdue is destroyed in the following night. Lifting twice changes nothing."""
    services = request.app[SERVICES]
    async with services.sessions.begin() as session:
        lifted = await LegalHolds().lift(session, path.hold_id, body.reason, services.clock())
    return Reply(200, LegalHoldOut.of(_hold(lifted)))


@operation(
    summary="Legal holds that stand",
    right=(Resource.LEGAL_HOLD, Action.READ),
    returns={200: LegalHoldsOut},
)
async def list_legal_holds(request: web.Request) -> Reply:
    async with request.app[SERVICES].readers() as session:
        holds = await LegalHolds().list(session)
    return Reply(200, LegalHoldsOut(holds=[LegalHoldOut.of(each) for each in holds]))


def _hold(answer: LegalHold | HoldRefusal) -> LegalHold:
    match answer:
        case HoldRefusal.NOT_FOUND:
            raise ProblemRaised(NOT_FOUND)
        case HoldRefusal.GONE:
            raise ProblemRaised(DATA_DESTROYED)
        case LegalHold():
            return answer


ROUTES = (
    web.post("/v1/operator/orders/{order_id}/legal-holds", place_legal_hold),
    web.post("/v1/operator/legal-holds/{hold_id}/lift", lift_legal_hold),
    web.get("/v1/operator/legal-holds", list_legal_holds, allow_head=False),
)
