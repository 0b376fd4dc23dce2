"""A courier's parcels, from the list in the morning to what happened at the door (R3.3, R4.3)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import AwareDatetime, Field

from activation.evidence import HandoverOutcome
from activation.ids import DeliveryId, Iccid, Waybill
from app.access.rights import Action, Resource
from app.door_photo import PhotoKept, PhotoRefused, take_photo
from app.http import courier_problems as problems
from app.http.common import BUSY, NOT_FOUND, WRONG_STATE
from app.http.contract import IMAGE_BODY, Input, Output, ProblemRaised, Reply, operation, staff_member
from app.http.inputs import MAX_TYPED, typed
from app.services import SERVICES
from logistics.deliveries import Delivery
from logistics.delivery import DeliveryState
from logistics.handover import Checklist, DoorReport, NotRecorded
from logistics.rounds import ParcelFacts, RoundRefusal
from media.door_photos import PhotosBusy


class DeliveryPath(Input):
    delivery_id: Annotated[str, Field(pattern=r"^dlv_[0-9a-f]{24}$")]


class WaybillTyped(Input):
    waybill: Annotated[str, Field(min_length=1, max_length=MAX_TYPED)]


class DocumentTyped(Input):
    document_number_tail: Annotated[str, Field(pattern=r"^[0-9]{3}[0-9Xx]$")]


class Checks(Input):
    """What the courier has seen; a handover needs all three."""

    document_original_seen: bool
    person_resembles_document: bool
    document_valid: bool


class Position(Input):
    """WGS 84."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    accuracy_m: Annotated[float, Field(ge=0, le=100_000)] | None = None

    def as_text(self) -> str:
        accuracy = "" if self.accuracy_m is None else f"{self.accuracy_m:.0f}"
        return f"{self.latitude:.6f},{self.longitude:.6f},{accuracy}"


class OutcomeNew(Input):
    outcome: HandoverOutcome
    checks: Checks | None = None
    handover_code: Annotated[str, Field(pattern=r"^[0-9]{6}$")] | None = None
    iccid: Annotated[str, Field(max_length=MAX_TYPED)] | None = None
    document_number_tail: Annotated[str, Field(pattern=r"^[0-9]{3}[0-9Xx]$")] | None = None
    position: Position | None = None
    at: AwareDatetime | None = Field(default=None, description="the courier's clock; left out: now")


class DeliveryOut(Output):
    delivery_id: str
    waybill: str
    state: DeliveryState
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, delivery: Delivery) -> DeliveryOut:
        return cls(
            delivery_id=delivery.id,
            waybill=delivery.waybill,
            state=delivery.state,
            created_at=delivery.created_at,
            changed_at=delivery.changed_at,
        )


class Deliveries(Output):
    deliveries: list[DeliveryOut]


class Parcel(DeliveryOut):
    """What a courier needs at the door. name: masked."""

    name: str
    recipient: str | None = Field(description="who takes the parcel in, where it is not the applicant")
    address: str
    photo_taken: bool
    stopped: bool = Field(description="the order has ended: do not hand over, bring the parcel back")


class DocumentLookedAt(Output):
    matches: bool
    tries_left: int


class PhotoOut(Output):
    face_found: bool | None = Field(description="null: not looked for, without the applicant's consent")


class OutcomeOut(Output):
    delivery_id: str
    state: DeliveryState
    at: datetime


def _parcel(found: ParcelFacts | RoundRefusal) -> Reply:
    if isinstance(found, RoundRefusal):
        raise ProblemRaised(problems.OF_ROUND[found])
    return Reply(
        200,
        Parcel.model_validate(
            {
                **DeliveryOut.of(found.delivery).model_dump(),
                "name": found.name,
                "recipient": found.recipient,
                "address": found.address,
                "photo_taken": found.delivery.photo is not None,
                "stopped": found.stopped,
            }
        ),
    )


def _moved(found: Delivery | RoundRefusal) -> Reply:
    if isinstance(found, RoundRefusal):
        raise ProblemRaised(problems.OF_ROUND[found])
    return Reply(200, DeliveryOut.of(found))


def _iccid(text: str | None) -> Iccid | None:
    try:
        return None if text is None else Iccid(typed(text))
    except ValueError:
        return None


@operation(summary="My deliveries", right=(Resource.DELIVERY, Action.READ), returns={200: Deliveries})
async def list_deliveries(request: web.Request) -> Reply:
    """The calling courier's own that are not over, oldest first."""
    courier = staff_member(request)
    found = await request.app[SERVICES].logistics.rounds.in_hand(courier.id)
    return Reply(200, Deliveries(deliveries=[DeliveryOut.of(each) for each in found]))


@operation(
    summary="Look up a parcel",
    right=(Resource.DELIVERY, Action.READ),
    body=WaybillTyped,
    returns={200: Parcel},
)
async def look_up(request: web.Request, body: WaybillTyped) -> Reply:
    """By its waybill, scanned or typed: the courier's own, or one of the carrier's that nobody collected."""
    courier = staff_member(request)
    try:
        waybill = Waybill(typed(body.waybill))
    except ValueError:
        raise ProblemRaised(NOT_FOUND) from None
    return _parcel(await request.app[SERVICES].logistics.rounds.look_up(courier.id, waybill))


@operation(
    summary="One delivery", right=(Resource.DELIVERY, Action.READ), path=DeliveryPath, returns={200: Parcel}
)
async def read_delivery(request: web.Request, path: DeliveryPath) -> Reply:
    courier = staff_member(request)
    rounds = request.app[SERVICES].logistics.rounds
    return _parcel(await rounds.read(courier.id, DeliveryId(path.delivery_id)))


@operation(
    summary="Collect a parcel",
    right=(Resource.DELIVERY, Action.CHANGE),
    path=DeliveryPath,
    returns={200: DeliveryOut},
    problems=(WRONG_STATE,),
)
async def collect(request: web.Request, path: DeliveryPath) -> Reply:
    """Whoever has it in hand delivers it. Doing it again changes nothing."""
    courier = staff_member(request)
    rounds = request.app[SERVICES].logistics.rounds
    return _moved(await rounds.collect(courier.id, DeliveryId(path.delivery_id)))


@operation(
    summary="Set out for the door",
    right=(Resource.DELIVERY, Action.CHANGE),
    path=DeliveryPath,
    returns={200: DeliveryOut},
    problems=(WRONG_STATE, problems.ORDER_STOPPED, problems.REVIEW_WANTED),
)
async def depart(request: web.Request, path: DeliveryPath) -> Reply:
    """Also once more after nobody was at home. Doing it again changes nothing."""
    courier = staff_member(request)
    rounds = request.app[SERVICES].logistics.rounds
    return _moved(await rounds.depart(courier.id, DeliveryId(path.delivery_id)))


@operation(
    summary="Compare the document's last digits",
    right=(Resource.DELIVERY, Action.CHANGE),
    path=DeliveryPath,
    body=DocumentTyped,
    returns={200: DocumentLookedAt},
    problems=(WRONG_STATE, problems.DOCUMENT_LOCKED),
)
async def check_document(request: web.Request, path: DeliveryPath, body: DocumentTyped) -> Reply:
    """The courier types what the original shows; five wrong ones lock the delivery's document."""
    courier = staff_member(request)
    looked = await request.app[SERVICES].logistics.rounds.check_document(
        courier.id, DeliveryId(path.delivery_id), body.document_number_tail
    )
    if isinstance(looked, RoundRefusal):
        raise ProblemRaised(problems.OF_ROUND[looked])
    return Reply(200, DocumentLookedAt(matches=looked.matches, tries_left=looked.tries_left))


@operation(
    summary="Photo at the door",
    right=(Resource.DELIVERY, Action.CHANGE),
    path=DeliveryPath,
    raw=IMAGE_BODY,
    returns={200: PhotoOut},
    problems=(WRONG_STATE, problems.PHOTO_REFUSED),
)
async def put_photo(request: web.Request, path: DeliveryPath, body: bytes) -> Reply:
    """JPEG, PNG, WebP or HEIC, at most 12 MB; while the parcel is out. A later one takes its place."""
    courier = staff_member(request)
    taken = await take_photo(request.app[SERVICES], courier.id, DeliveryId(path.delivery_id), body)
    match taken:
        case PhotoKept(face_found):
            return Reply(200, PhotoOut(face_found=face_found))
        case PhotoRefused(code, text):
            raise ProblemRaised(problems.PHOTO_REFUSED, detail=text, refusal=code)
        case PhotosBusy(seconds):
            raise ProblemRaised(BUSY, retry_after_s=seconds)
        case RoundRefusal():
            raise ProblemRaised(problems.OF_ROUND[taken])


@operation(
    summary="What happened at the door",
    right=(Resource.DELIVERY, Action.CHANGE),
    path=DeliveryPath,
    body=OutcomeNew,
    returns={200: OutcomeOut},
    idempotent=True,
    problems=problems.OF_OUTCOMES,
)
async def record_outcome(request: web.Request, path: DeliveryPath, body: OutcomeNew) -> Reply:
    """A handover needs the applicant's code, the card, the document's last digits and the whole checklist."""
    courier = staff_member(request)
    services = request.app[SERVICES]
    checks = body.checks
    report = DoorReport(
        outcome=body.outcome,
        at=body.at or services.clock(),
        checklist=Checklist(
            document_original_seen=checks is not None and checks.document_original_seen,
            person_resembles_document=checks is not None and checks.person_resembles_document,
            document_valid=checks is not None and checks.document_valid,
        ),
        iccid=_iccid(body.iccid),
        code=body.handover_code,
        document_tail=body.document_number_tail,
        position=body.position.as_text() if body.position else None,
    )
    done = await services.logistics.door.record(courier.id, DeliveryId(path.delivery_id), report)
    if isinstance(done, NotRecorded):
        raise ProblemRaised(problems.OF_DOOR[done.refusal], detail=problems.with_tries(done))
    return Reply(200, OutcomeOut(delivery_id=done.delivery, state=done.state, at=done.at))


_ONE = "/v1/courier/deliveries/{delivery_id}"

ROUTES = (
    web.get("/v1/courier/deliveries", list_deliveries, allow_head=False),
    web.post("/v1/courier/lookup", look_up),
    web.get(_ONE, read_delivery, allow_head=False),
    web.post(f"{_ONE}/collection", collect),
    web.post(f"{_ONE}/departure", depart),
    web.post(f"{_ONE}/document", check_document),
    web.put(f"{_ONE}/photo", put_photo),
    web.post(f"{_ONE}/outcome", record_outcome),
)
