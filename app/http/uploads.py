"""Direct uploads: pictures that a phone sends to the storage itself, past this server (R3.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, Field

from activation.evidence import CaptureKind
from activation.ids import Digest
from app.access.rights import Action, Resource
from app.http import common
from app.http.captures import BUSY_RETRY_S, CaptureAccepted, capture_reply
from app.http.contract import Input, Output, ProblemRaised, Reply, applicant_order, operation
from app.http.inputs import DigestText, OrderIdText, OrderPath
from app.http.preselection_problems import CAPTURE_REFUSED, CONSENT_WANTED
from app.http.upload_problems import NOT_OFFERED, UPLOAD_CHANGED, UPLOAD_MISSING, UPLOAD_TAKEN
from app.preselection.capturing import CaptureStop, ConsentWanted
from app.preselection.consents import OTHER_WAYS
from app.preselection.opening import TooOften
from app.preselection.uploading import (
    OfferAnswer,
    UploadOffered,
    UploadStop,
    offer_again,
    offer_upload,
    take_upload,
)
from app.services import SERVICES
from media.images import MAX_BYTES

PictureType = Literal["image/jpeg", "image/png", "image/webp", "image/heic", "image/heif"]


class UploadPath(Input):
    order_id: OrderIdText
    upload_id: Annotated[str, Field(pattern=r"^upl_[0-9a-f]{24}$")]


class UploadNew(Input):
    """sha256: of the picture, in hexadecimal; another picture is then refused."""

    kind: CaptureKind
    media_type: PictureType
    sha256: DigestText | None = None


class Upload(Output):
    """POST `fields` and then the picture as `file`, as multipart/form-data, to `url`; then `…/taken`."""

    upload_id: str
    url: str
    fields: dict[str, str]
    max_bytes: int
    expires_at: datetime


async def _signed_again(request: web.Request, kept: Any) -> BaseModel:
    """Forms let somebody upload, so they are not stored with the answer."""
    return _upload(await offer_again(request.app[SERVICES], applicant_order(request), kept.upload_id))


@operation(
    summary="Begin a direct upload",
    right=(Resource.UPLOAD, Action.CREATE),
    path=OrderPath,
    body=UploadNew,
    returns={201: Upload},
    idempotent=True,
    problems=(
        NOT_OFFERED,
        CONSENT_WANTED,
        common.WRONG_STATE,
        common.TOO_MANY,
        common.BUSY,
    ),
    renew=_signed_again,
)
async def create_upload(request: web.Request, path: OrderPath, body: UploadNew) -> Reply:
    """A form for one picture of one kind and type, good for ten minutes. Not every server offers it."""
    digest = None if body.sha256 is None else Digest(body.sha256)
    offered = _upload(
        await offer_upload(request.app[SERVICES], path.order_id, body.kind, body.media_type, digest)
    )
    kept = offered.model_copy(update={"fields": {}})
    return Reply(201, offered, location=f"{request.path}/{offered.upload_id}", kept=kept)


@operation(
    summary="Take what was uploaded",
    right=(Resource.UPLOAD, Action.CHANGE),
    path=UploadPath,
    returns={200: CaptureAccepted},
    idempotent=True,
    problems=(
        NOT_OFFERED,
        UPLOAD_MISSING,
        UPLOAD_TAKEN,
        UPLOAD_CHANGED,
        CAPTURE_REFUSED,
        CONSENT_WANTED,
        common.WRONG_STATE,
        common.BODY_TOO_LARGE,
        common.TOO_MANY,
        common.BUSY,
    ),
)
async def take_uploaded(request: web.Request, path: UploadPath) -> Reply:
    """Looked at like any other capture, and gone from where it was uploaded to, accepted or not."""
    taken = await take_upload(request.app[SERVICES], path.order_id, path.upload_id)
    if isinstance(taken, UploadStop):
        raise ProblemRaised(_PROBLEMS[taken])
    return capture_reply(taken)


_PROBLEMS = {
    UploadStop.NOT_OFFERED: NOT_OFFERED,
    UploadStop.UNKNOWN: common.NOT_FOUND,
    UploadStop.TAKEN: UPLOAD_TAKEN,
    UploadStop.MISSING: UPLOAD_MISSING,
    UploadStop.CHANGED: UPLOAD_CHANGED,
    UploadStop.TOO_LARGE: common.BODY_TOO_LARGE,
}


def _upload(answer: OfferAnswer) -> Upload:
    match answer:
        case UploadOffered(id_, form, expires_at):
            return Upload(
                upload_id=id_, url=form.url, fields=form.fields, max_bytes=MAX_BYTES, expires_at=expires_at
            )
        case ConsentWanted(missing):
            raise ProblemRaised(CONSENT_WANTED, missing=missing, instead=OTHER_WAYS)
        case TooOften(seconds):
            raise ProblemRaised(common.TOO_MANY, retry_after_s=seconds)
        case CaptureStop.WRONG_STATE:
            raise ProblemRaised(common.WRONG_STATE)
        case CaptureStop.BUSY:
            raise ProblemRaised(common.BUSY, retry_after_s=BUSY_RETRY_S)
        case UploadStop():
            raise ProblemRaised(_PROBLEMS[answer])


ROUTES = (
    web.post("/v1/orders/{order_id}/uploads", create_upload),
    web.post("/v1/orders/{order_id}/uploads/{upload_id}/taken", take_uploaded),
)
