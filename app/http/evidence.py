"""Evidence itself, for the reviewer who has claimed its case; each look is recorded (R9.1)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import structlog
from aiohttp import web
from pydantic import Field

from activation.ids import CaseId, Digest
from app.access.rights import Action, Resource
from app.compliance.casefile.members import EXPORT
from app.http.common import BUSY, NOT_FOUND
from app.http.contract import ProblemRaised, Raw, operation, staff_member
from app.http.review import CasePath
from app.http.review_problems import EVIDENCE_DAMAGED, NOT_CLAIMED, OF_CASE
from app.review.desk import CaseRefusal
from app.services import SERVICES
from media.vault import EvidenceNotFound, VaultBusy, VaultFault

_log = structlog.get_logger("kaika.review")
_RETRY_S = 1


class EvidencePath(CasePath):
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@operation(
    summary="Look at evidence",
    right=(Resource.EVIDENCE, Action.READ),
    path=EvidencePath,
    returns={200: Raw("application/octet-stream")},
    problems=(NOT_CLAIMED, EVIDENCE_DAMAGED, BUSY),
)
async def look(request: web.Request, path: EvidencePath) -> web.Response:
    """The picture or clip itself, while the case is the caller's. Each look is recorded first.

    Ends early where it is damaged further on.
    """
    reviewer, services = staff_member(request), request.app[SERVICES]
    digest = Digest(path.digest)
    order = await services.review.look(reviewer.id, CaseId(path.case_id), digest)
    if isinstance(order, CaseRefusal):
        raise ProblemRaised(OF_CASE[order])
    try:
        stored = await services.vault.describe(order, digest)
        if stored.kind == EXPORT:  # a case file may say more than a reviewer may see
            raise ProblemRaised(NOT_FOUND)
        pieces = services.vault.read(order, digest)
        first = await anext(pieces, b"")
    except EvidenceNotFound:
        raise ProblemRaised(NOT_FOUND) from None
    except VaultBusy:
        raise ProblemRaised(BUSY, retry_after_s=_RETRY_S) from None
    except VaultFault:
        _log.error("evidence does not open", order=order, digest=digest)
        raise ProblemRaised(EVIDENCE_DAMAGED) from None
    headers = {
        "Content-Disposition": "inline",
        "Cache-Control": "no-store",
        "Content-Length": str(stored.size),
    }
    return web.Response(body=_all_of(first, pieces), content_type=stored.media_type, headers=headers)


async def _all_of(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Breaks the connection before its promised end where the rest does not open."""
    async with aclosing(rest):
        yield first
        async for piece in rest:
            yield piece


ROUTES = (web.get("/v1/review/cases/{case_id}/evidence/{digest}", look, allow_head=False),)
