"""Captures, what was read from them, and its confirmation (R3.1, R1.4)."""

from __future__ import annotations

from datetime import date

from aiohttp import web

from activation.evidence import CaptureKind
from activation.order import OrderState
from app.access.rights import Action, Resource
from app.http import common
from app.http.contract import IMAGE_BODY, Input, Output, ProblemRaised, Reply, applicant_order, operation
from app.http.inputs import DigestText, OrderIdText, OrderPath
from app.http.preselection_problems import (
    CAPTURE_REFUSED,
    CAPTURES_WANTED,
    CONSENT_WANTED,
    NUMBER_GONE,
    READING_CHANGED,
)
from app.preselection.capturing import CaptureAnswer, CaptureStop, CaptureTaken, ConsentWanted, take_capture
from app.preselection.confirming import (
    CapturesWanted,
    ConfirmRefusal,
    ConsentsWanted,
    ReadingShown,
    confirm_reading,
    show_reading,
)
from app.preselection.consents import OTHER_WAYS
from app.preselection.masking import masked_reading
from app.preselection.opening import TooOften
from app.services import SERVICES
from app.texts.text import Text
from media.captures import CAPTURE_MESSAGES, CaptureCode

BUSY_RETRY_S = 5


class CapturePath(Input):
    order_id: OrderIdText
    kind: CaptureKind


class CaptureAccepted(Output):
    """read: masked, to recognise one's own card by. take_again: kinds that did not agree with a new front."""

    kind: str
    read: dict[str, str]
    captures: list[str]
    missing: list[str]
    take_again: list[str]


class Reading(Output):
    """What was read from the applicant's document. Nobody can edit it; what is wrong is taken again."""

    name: str
    sex: str
    ethnicity: str
    birth_date: date
    address: str
    number: str
    authority: str
    valid_from: date
    valid_to: date | None
    reading_digest: str


class Confirmation(Input):
    reading_digest: DigestText


class Submitted(Output):
    order_id: str
    state: str


@operation(
    summary="Give one capture",
    right=(Resource.CAPTURE, Action.CHANGE),
    path=CapturePath,
    raw=IMAGE_BODY,
    returns={200: CaptureAccepted},
    problems=(CAPTURE_REFUSED, CONSENT_WANTED, common.WRONG_STATE, common.TOO_MANY),
)
async def put_capture(request: web.Request, path: CapturePath, body: bytes) -> Reply:
    """JPEG, PNG, WebP or HEIC up to 12 MB. In any order, and again as often as needed until the confirmation.

    A refusal's `refusal` is its code, its detail says what to do.
    """
    return capture_reply(await take_capture(request.app[SERVICES], path.order_id, path.kind, body))


def capture_reply(taken: CaptureAnswer) -> Reply:
    """The answer to one capture, however it came. Raises ProblemRaised."""
    match taken:
        case CaptureTaken():
            return Reply(200, _accepted(taken))
        case ConsentWanted(missing):
            raise ProblemRaised(CONSENT_WANTED, missing=missing, instead=OTHER_WAYS)
        case TooOften(seconds):
            raise ProblemRaised(common.TOO_MANY, retry_after_s=seconds)
        case CaptureStop.WRONG_STATE:
            raise ProblemRaised(common.WRONG_STATE)
        case CaptureStop.BUSY:
            raise ProblemRaised(common.BUSY, retry_after_s=BUSY_RETRY_S)
        case code:
            raise ProblemRaised(CAPTURE_REFUSED, detail=_what_to_do(code), refusal=code)


@operation(
    summary="What was read, to confirm it",
    right=(Resource.READING, Action.READ),
    path=OrderPath,
    returns={200: Reading},
    problems=(CAPTURES_WANTED,),
)
async def read_reading(request: web.Request, path: OrderPath) -> Reply:
    match await show_reading(request.app[SERVICES], applicant_order(request)):
        case CapturesWanted(missing):
            raise ProblemRaised(CAPTURES_WANTED, missing=missing)
        case ReadingShown(front, back, digest):
            reading = Reading(
                name=front.name,
                sex=front.sex,
                ethnicity=front.ethnicity,
                birth_date=front.birth_date,
                address=front.address,
                number=front.number,
                authority=back.authority,
                valid_from=back.valid_from,
                valid_to=back.valid_to,
                reading_digest=digest,
            )
            return Reply(200, reading)


@operation(
    summary="Confirm what was read and submit the order",
    right=(Resource.CONFIRMATION, Action.CREATE),
    path=OrderPath,
    body=Confirmation,
    returns={201: Submitted},
    idempotent=True,
    problems=(
        CAPTURES_WANTED,
        CONSENT_WANTED,
        READING_CHANGED,
        NUMBER_GONE,
        common.WRONG_STATE,
    ),
)
async def create_confirmation(request: web.Request, path: OrderPath, body: Confirmation) -> Reply:
    confirmed = await confirm_reading(request.app[SERVICES], path.order_id, body.reading_digest)
    match confirmed:
        case OrderState():
            return Reply(201, Submitted(order_id=path.order_id, state=confirmed))
        case CapturesWanted(kinds):
            raise ProblemRaised(CAPTURES_WANTED, missing=kinds)
        case ConsentsWanted(unsaid):
            raise ProblemRaised(CONSENT_WANTED, missing=unsaid, instead=OTHER_WAYS)
        case ConfirmRefusal():
            raise ProblemRaised(_CONFIRM_PROBLEMS[confirmed])


_CONFIRM_PROBLEMS = {
    ConfirmRefusal.WRONG_STATE: common.WRONG_STATE,
    ConfirmRefusal.READING_CHANGED: READING_CHANGED,
    ConfirmRefusal.NUMBER_GONE: NUMBER_GONE,
}


def _accepted(taken: CaptureTaken) -> CaptureAccepted:
    return CaptureAccepted(
        kind=taken.kind,
        read=masked_reading(taken.captures.by_kind[taken.kind].reading),
        captures=[kind for kind in CaptureKind if kind in taken.captures.by_kind],
        missing=list(taken.captures.missing),
        take_again=list(taken.thrown_out),
    )


def _what_to_do(code: CaptureCode) -> Text:
    texts = CAPTURE_MESSAGES[code]
    return Text(texts["zh-CN"], texts["en"])


ROUTES = (
    web.put("/v1/orders/{order_id}/captures/{kind}", put_capture),
    web.get("/v1/orders/{order_id}/reading", read_reading, allow_head=False),
    web.post("/v1/orders/{order_id}/confirmation", create_confirmation),
)
