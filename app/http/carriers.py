"""Carriers' own events, signed with HMAC (`logistics.carriers`); each counts once."""

from __future__ import annotations

from typing import Annotated

import structlog
from aiohttp import web
from pydantic import AwareDatetime, Field

from activation.ids import Waybill
from app.access.rights import Action, Resource
from app.http.bodies import JSON_LIMIT, parse_json
from app.http.contract import Input, Output, ProblemRaised, ProblemType, RawBody, Reply, operation
from app.http.inputs import MAX_TYPED, typed
from app.services import SERVICES
from app.texts.text import Text
from logistics.carrier_events import MAX_EVENT_NAME, Taken, Told
from logistics.carriers import HEADER, SignatureRefusal

_log = structlog.get_logger("kaika.carriers")

SIGNATURE_REFUSED = ProblemType(
    "signature_refused",
    401,
    Text("签名无效", "The signature is not valid"),
    Text(
        "请对时间戳和请求原文计算 HMAC-SHA256，放入 Kaika-Signature。",
        "Send Kaika-Signature: HMAC-SHA256 over the time and the body's exact bytes.",
    ),
)
SIGNATURE_STALE = ProblemType(
    "signature_stale",
    401,
    Text("签名已过期", "The signature is too old"),
    Text("签名时间与服务器时间相差不得超过 5 分钟。", "It must be within 5 minutes of the server's time."),
)
UNKNOWN_WAYBILL = ProblemType(
    "unknown_waybill",
    404,
    Text("运单不存在", "No such waybill"),
    Text("该承运商没有此运单。", "This carrier has no parcel with this waybill."),
)


class CarrierPath(Input):
    carrier: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


class EventNew(Input):
    """event: `logistics.delivery.CarrierEvent`; others are recorded and move nothing."""

    event_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
    waybill: Annotated[str, Field(min_length=1, max_length=MAX_TYPED)]
    event: Annotated[str, Field(pattern=rf"^[a-z][a-z0-9_]{{0,{MAX_EVENT_NAME - 1}}}$")]
    happened_at: AwareDatetime


class EventTaken(Output):
    """applied: the delivery moved. recorded: it did not. duplicate: taken before."""

    result: Taken


@operation(
    summary="A carrier's event",
    right=(Resource.CARRIER_EVENT, Action.CREATE),
    path=CarrierPath,
    raw=RawBody(("application/json",), JSON_LIMIT),
    returns={200: EventTaken},
    problems=(SIGNATURE_REFUSED, SIGNATURE_STALE, UNKNOWN_WAYBILL),
)
async def take_event(request: web.Request, path: CarrierPath, body: bytes) -> Reply:
    """Body: `event_id`, `waybill`, `event`, `happened_at`. Signed: `Kaika-Signature: t=…,v1=…`.

    Events may come late, twice and in any order. What a carrier calls delivered is recorded; only the courier
    confirms a handover.
    """
    services = request.app[SERVICES]
    given = request.headers.getall(HEADER, [])
    header = given[0] if len(given) == 1 else ""
    refusal = services.logistics.carriers.verify(path.carrier, header, body, services.clock())
    if refusal is not None:
        _log.warning("carrier event refused", reason=refusal)
        raise ProblemRaised(SIGNATURE_STALE if refusal is SignatureRefusal.STALE else SIGNATURE_REFUSED)
    event = parse_json(request, EventNew, body)
    try:
        waybill = Waybill(typed(event.waybill))
    except ValueError:
        raise ProblemRaised(UNKNOWN_WAYBILL) from None
    told = Told(path.carrier, event.event_id, waybill, event.event, event.happened_at)
    taken = await services.logistics.carrier_desk.take(told)
    if taken is Taken.UNKNOWN_WAYBILL:
        raise ProblemRaised(UNKNOWN_WAYBILL)
    return Reply(200, EventTaken(result=taken))


ROUTES = (web.post("/v1/carriers/{carrier}/events", take_event),)
