"""Orders: opened by anybody with a phone, seen and cancelled by the applicant."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from activation.ids import Msisdn
from app.access.rights import Action, Resource
from app.http import common
from app.http.contract import (
    Input,
    Output,
    ProblemRaised,
    Reply,
    applicant_order,
    client_address,
    operation,
)
from app.http.inputs import PLAIN, OrderPath, Phone
from app.http.preselection_problems import NUMBER_TAKEN
from app.preselection.opening import Opened, OpenRefusal, TooOften, Wish, open_order
from app.preselection.phones import phone_hint
from app.preselection.progress import Progress, cancel_order, order_progress
from app.services import SERVICES
from app.texts.steps import STEP_TEXTS
from app.texts.text import preferred_locale


class DeliveryWish(Input):
    """Where the card goes. recipient: left out where it is the applicant."""

    recipient: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50), PLAIN] | None
    ) = None
    address: Annotated[str, StringConstraints(strip_whitespace=True, min_length=5, max_length=200), PLAIN]
    region: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=32), PLAIN]


class OrderNew(Input):
    """contact_phone: a phone that can be reached now; the number that is ordered cannot."""

    msisdn: Annotated[str, Field(pattern=r"^1[3-9][0-9]{9}$")]
    contact_phone: Phone
    delivery: DeliveryWish
    locale: Literal["zh-CN", "en"] = "zh-CN"

    @field_validator("contact_phone", mode="after")
    @classmethod
    def _can_be_reached(cls, phone: str, others: ValidationInfo) -> str:
        if phone == others.data.get("msisdn"):
            raise PydanticCustomError("number_not_on_yet", "the number that is ordered is not on yet")
        return phone


class OrderOpened(Output):
    """code_sent: false where no message could be sent; ask for another code."""

    order_id: str
    reserved_until: datetime
    phone_hint: str
    code_sent: bool


class TimelineEntry(Output):
    event: str
    at: datetime


class OrderShown(Output):
    """next_text: next_step for people. reserved_until: only while the order is a draft."""

    order_id: str
    state: str
    msisdn: str
    phone_hint: str
    next_step: str
    next_text: str
    consents: list[str]
    captures: list[str]
    reserved_until: datetime | None
    timeline: list[TimelineEntry]


@operation(
    summary="Open an order: hold a number for half an hour",
    right=(Resource.ORDER, Action.CREATE),
    body=OrderNew,
    returns={201: OrderOpened},
    idempotent=True,
    problems=(NUMBER_TAKEN, common.TOO_MANY, common.PAUSED),
)
async def create_order(request: web.Request, body: OrderNew) -> Reply:
    """A one-time code goes to the contact phone; exchange it for a token."""
    phone = Msisdn(body.contact_phone)
    wish = Wish(
        msisdn=Msisdn(body.msisdn),
        contact_phone=phone,
        address=body.delivery.address,
        region=body.delivery.region,
        recipient=body.delivery.recipient,
        locale=body.locale,
        client=client_address(request),
    )
    match await open_order(request.app[SERVICES], wish):
        case Opened(order, reserved_until, code_sent):
            opened = OrderOpened(
                order_id=order,
                reserved_until=reserved_until,
                phone_hint=phone_hint(phone),
                code_sent=code_sent,
            )
            return Reply(201, opened, location=f"/v1/orders/{order}")
        case TooOften(seconds):
            raise ProblemRaised(common.TOO_MANY, retry_after_s=seconds)
        case OpenRefusal.NUMBER_TAKEN:
            raise ProblemRaised(NUMBER_TAKEN)
        case OpenRefusal.PAUSED:
            raise ProblemRaised(common.PAUSED)


@operation(
    summary="Where the order stands and what to do next",
    right=(Resource.ORDER, Action.READ),
    path=OrderPath,
    returns={200: OrderShown},
)
async def show_order(request: web.Request, path: OrderPath) -> Reply:
    return await _shown(request)


@operation(
    summary="Cancel the order",
    right=(Resource.ORDER, Action.END),
    path=OrderPath,
    returns={200: OrderShown},
    problems=(common.WRONG_STATE,),
)
async def cancel_own_order(request: web.Request, path: OrderPath) -> Reply:
    """Possible until the card is being switched on. Cancelling again changes nothing."""
    if not await cancel_order(request.app[SERVICES], path.order_id):
        raise ProblemRaised(common.WRONG_STATE)
    return await _shown(request)


async def _shown(request: web.Request) -> Reply:
    progress = await order_progress(request.app[SERVICES], applicant_order(request))
    if progress is None:
        raise ProblemRaised(common.NOT_FOUND)
    return Reply(200, _show(progress, request))


def _show(progress: Progress, request: web.Request) -> OrderShown:
    locale = preferred_locale(request.headers.get("Accept-Language", progress.order.locale))
    return OrderShown(
        order_id=progress.order.id,
        state=progress.order.state,
        msisdn=progress.order.msisdn,
        phone_hint=phone_hint(progress.contact_phone),
        next_step=progress.next_step,
        next_text=STEP_TEXTS[progress.next_step].in_(locale),
        consents=list(progress.consents),
        captures=list(progress.captures),
        reserved_until=progress.reserved_until,
        timeline=[TimelineEntry(event=event, at=at) for event, at in progress.timeline],
    )


ROUTES = (
    web.post("/v1/orders", create_order),
    web.get("/v1/orders/{order_id}", show_order, allow_head=False),
    web.post("/v1/orders/{order_id}/cancellation", cancel_own_order),
)
