"""The operator's hand on an order: new handover codes, parcels that came back."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from activation.ids import DeliveryId, OrderId
from activation.ports import MessageKind
from app.access.principals import Staff
from app.access.rights import Action, Resource
from app.http.callers import CALLER
from app.http.common import NOT_FOUND
from app.http.contract import Input, Output, ProblemRaised, ProblemType, Reply, operation, staff_member
from app.http.courier import DeliveryOut, DeliveryPath
from app.services import SERVICES
from app.texts.text import Text
from logistics.returns import ReturnRefusal
from logistics.shipping import CodeRefusal

NO_NEW_CODE = ProblemType(
    "no_new_code",
    409,
    Text("不能再发送交付码", "No new code"),
    Text(
        "包裹尚未寄出、派送已结束，或发送次数过多。",
        "Not shipped yet, over, or sent too often already.",
    ),
)


HANDED_OVER = ProblemType(
    "handed_over_already",
    409,
    Text("包裹已交付", "The parcel was handed over"),
    Text("已交付的包裹不能登记为退回。", "What was handed over cannot be taken back."),
)


class OrderPath(Input):
    order_id: Annotated[str, Field(pattern=r"^ord_[0-9a-f]{24}$")]


class CodeSent(Output):
    order_id: str


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


@operation(
    summary="Take a parcel back",
    right=(Resource.DELIVERY, Action.END),
    path=DeliveryPath,
    returns={200: DeliveryOut},
    problems=(HANDED_OVER,),
)
async def take_back(request: web.Request, path: DeliveryPath) -> Reply:
    """It lies unopened in the depot: the order ends, its number is free. Doing it again changes nothing."""
    returns = request.app[SERVICES].logistics.returns
    taken = await returns.take_back(staff_member(request).id, DeliveryId(path.delivery_id))
    if isinstance(taken, ReturnRefusal):
        raise ProblemRaised(NOT_FOUND if taken is ReturnRefusal.NOT_FOUND else HANDED_OVER)
    return Reply(200, DeliveryOut.of(taken))


ROUTES = (
    web.post("/v1/operator/deliveries/{delivery_id}/return", take_back),
    web.post("/v1/orders/{order_id}/handover-codes", send_handover_code),
)
