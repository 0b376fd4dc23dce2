"""Case files for supervision (R10.3): made by an operator with a reason, kept sealed, given as a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

import structlog
from aiohttp import web
from pydantic import Field

from activation.ids import Digest, OrderId
from activation.order_keys import OrderKeysFault
from app.access.rights import Action, Resource
from app.compliance.casefile.exports import MEDIA_TYPE, ExportBusy
from app.compliance.casefile.making import CaseRefusal, CaseRequest
from app.compliance.casefile.members import TooMuch
from app.compliance.casefile.packing import CaseTooLarge
from app.http.common import BUSY, NOT_FOUND
from app.http.contract import Input, Output, ProblemRaised, ProblemType, Raw, Reply, operation
from app.http.inputs import OrderPath, ReasonText
from app.http.review_problems import EVIDENCE_DAMAGED
from app.services import SERVICES
from app.texts.text import Text
from media.vault import EvidenceNotFound, EvidenceTooLarge, VaultBusy, VaultFault

_log = structlog.get_logger("kaika.casefile")
_RETRY_S = 5

CASE_FILE_TOO_LARGE = ProblemType(
    "case_file_too_large",
    409,
    Text("案卷过大", "The case file is too large"),
    Text(
        "请不带影像再制作一次（with_media: false）。",
        "Make it again without media (with_media: false).",
    ),
)


class CaseFileNew(Input):
    """with_identity: the applicant in clear; that is recorded as a reveal. with_media: pictures and clips."""

    reason: ReasonText
    with_media: bool = False
    with_identity: bool = False


class CaseFilePath(OrderPath):
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class CaseFileOut(Output):
    """missing: objects of evidence that were destroyed, or do not open."""

    order_id: str
    digest: str = Field(description="SHA-256 of the ZIP file")
    size: int
    made_at: datetime
    missing: int


@operation(
    summary="Make an order's case file",
    right=(Resource.CASE_FILE, Action.CREATE),
    path=OrderPath,
    body=CaseFileNew,
    returns={201: CaseFileOut},
    idempotent=True,
    problems=(CASE_FILE_TOO_LARGE, BUSY, EVIDENCE_DAMAGED),
)
async def make_case_file(request: web.Request, path: OrderPath, body: CaseFileNew) -> Reply:
    """One signed ZIP with everything on record about the order. Who asked and why is recorded first."""
    order_id = OrderId(path.order_id)
    wanted = CaseRequest(order_id, body.reason, body.with_media, body.with_identity, to="operator")
    try:
        made = await request.app[SERVICES].exports.make(wanted)
    except (CaseTooLarge, TooMuch, EvidenceTooLarge):
        raise ProblemRaised(CASE_FILE_TOO_LARGE) from None
    except (ExportBusy, VaultBusy, OrderKeysFault):
        raise ProblemRaised(BUSY, retry_after_s=_RETRY_S) from None
    except VaultFault:
        _log.error("a case file could not be stored", order=order_id)
        raise ProblemRaised(EVIDENCE_DAMAGED) from None
    if isinstance(made, CaseRefusal):
        raise ProblemRaised(NOT_FOUND)
    out = CaseFileOut(
        order_id=order_id, digest=made.digest, size=made.size, made_at=made.made_at, missing=made.missing
    )
    return Reply(201, out, location=f"/v1/orders/{order_id}/case-file/{made.digest}")


@operation(
    summary="Get a case file",
    right=(Resource.CASE_FILE, Action.READ),
    path=CaseFilePath,
    returns={200: Raw(MEDIA_TYPE)},
    problems=(BUSY, EVIDENCE_DAMAGED),
)
async def give_case_file(request: web.Request, path: CaseFilePath) -> web.Response:
    """The ZIP as it was made. That it is handed out is recorded first. Ends early where it is damaged."""
    services, order_id, digest = request.app[SERVICES], OrderId(path.order_id), Digest(path.digest)
    async with services.sessions.begin() as session:
        if not await services.exports.give(session, order_id, digest):
            raise ProblemRaised(NOT_FOUND)
    pieces = services.vault.read(order_id, digest)
    try:
        first = await anext(pieces)
    except EvidenceNotFound:
        raise ProblemRaised(NOT_FOUND) from None
    except VaultBusy:
        raise ProblemRaised(BUSY, retry_after_s=_RETRY_S) from None
    except VaultFault:
        _log.error("a case file does not open", order=order_id, digest=digest)
        raise ProblemRaised(EVIDENCE_DAMAGED) from None
    headers = {
        "Content-Disposition": f'attachment; filename="{order_id}.zip"',
        "Cache-Control": "no-store",
    }
    return web.Response(body=_all_of(first, pieces), content_type=MEDIA_TYPE, headers=headers)


async def _all_of(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The connection breaks where the rest does not open, so that nobody takes a part for the whole."""
    yield first
    async for piece in rest:
        yield piece


ROUTES = (
    web.post("/v1/orders/{order_id}/case-file", make_case_file),
    web.get("/v1/orders/{order_id}/case-file/{digest}", give_case_file, allow_head=False),
)
