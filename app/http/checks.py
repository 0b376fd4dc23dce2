"""Attempts at the video check: made, offered to, asked after, aborted. The rest is on the data channel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from activation.adapters.sql.checks import CheckView, TooManyAttempts
from activation.check import OPEN, CheckState
from activation.holds import Stopped
from activation.ids import CheckId
from app.access.principals import Applicant
from app.access.rates import CHECKS_PER_ADDRESS
from app.access.rights import Action, Resource
from app.check_answers import CheckMade, CheckRefusal
from app.check_standing import standing
from app.compliance.holds.pausing import is_paused
from app.http import common
from app.http.check_problems import (
    CHECK_TAKEN,
    CHECKS_FULL,
    OFFER_MESSAGES,
    OFFER_REFUSED,
    TOO_MANY_CHECKS,
)
from app.http.contract import Input, Output, ProblemRaised, Reply, applicant_order, client_address, operation
from app.http.inputs import OrderPath
from app.http.preselection_problems import CONSENT_WANTED
from app.preselection.consents import OTHER_WAYS, ConsentKind
from app.services import SERVICES
from media.liveness import Profile
from media.videocheck import DeskRefusal
from media.webrtc import IceServer, OfferRefusal

_RETRY_SECONDS = 20


class CheckNew(Input):
    """profile: what the person cannot do; the challenge leaves it out."""

    profile: Profile = Profile.STANDARD


class IceServerShown(Output):
    """One entry of `RTCConfiguration.iceServers`."""

    urls: list[str]
    username: str | None
    credential: str | None


class CheckCreated(Output):
    check_id: str
    expires_at: datetime
    attempts_left: int
    ice_servers: list[IceServerShown]


class CheckPath(Input):
    check_id: Annotated[str, Field(pattern=r"^chk_[0-9a-f]{24}$")]


class Offer(Input):
    """A complete offer with its candidates; the longest are some ten thousand characters."""

    type: Literal["offer"]
    sdp: Annotated[str, Field(min_length=1, max_length=60_000)]


class Answer(Output):
    type: Literal["answer"]
    sdp: str


class CheckShown(Output):
    """outcome: how the attempt ended, null while it runs. standing: what it has led to, without a reason."""

    check_id: str
    state: str
    outcome: str | None
    standing: str
    attempts_left: int


async def _with_ice_servers(request: web.Request, kept: CheckCreated) -> CheckCreated:
    """Credentials for the relay are never kept: whoever asks again gets fresh ones, good until its end.

    None where it is over or a hold is in the way (R9.3): one attempt is no relay for a day.
    """
    services, check_id = request.app[SERVICES], CheckId(kept.check_id)
    check = await services.checks.read(applicant_order(request), check_id)
    if check is None or check.state not in OPEN:
        return kept
    seconds = int((check.expires_at - services.clock()).total_seconds())
    if seconds <= 0 or await _is_paused(request):
        return kept
    servers = services.checks.desk.ice_servers(check_id, seconds)
    return kept.model_copy(update={"ice_servers": _servers(servers)})


def _servers(servers: Sequence[IceServer]) -> list[IceServerShown]:
    return [
        IceServerShown(urls=list(each.urls), username=each.username, credential=each.credential)
        for each in servers
    ]


@operation(
    summary="Make an attempt at the video check",
    right=(Resource.CHECK, Action.CREATE),
    path=OrderPath,
    body=CheckNew,
    returns={201: CheckCreated},
    idempotent=True,
    renew=_with_ice_servers,
    problems=(common.WRONG_STATE, common.PAUSED, CONSENT_WANTED, TOO_MANY_CHECKS),
)
async def create_check(request: web.Request, path: OrderPath, body: CheckNew) -> Reply:
    """A new challenge each time, at most five an hour. An attempt that still runs is aborted.

    One that runs in another process of the server goes on until its phone leaves or its time is over.
    """
    services = request.app[SERVICES]
    await _not_paused(request)
    match await services.checks.create(applicant_order(request), body.profile):
        case CheckMade() as made:
            created = CheckCreated(
                check_id=made.check,
                expires_at=made.expires_at,
                attempts_left=made.attempts_left,
                ice_servers=_servers(made.ice_servers),
            )
            kept = created.model_copy(update={"ice_servers": []})
            return Reply(201, created, location=f"/v1/checks/{made.check}", kept=kept)
        case TooManyAttempts() as refused:
            raise ProblemRaised(TOO_MANY_CHECKS, retry_after_s=_wait_seconds(refused, services.clock()))
        case CheckRefusal.CONSENT_WANTED:
            raise ProblemRaised(
                CONSENT_WANTED, missing=[ConsentKind.FACE_RECOGNITION], instead=list(OTHER_WAYS)
            )
        case CheckRefusal():
            raise ProblemRaised(common.WRONG_STATE)


@operation(
    summary="Connect the phone's camera",
    right=(Resource.CHECK, Action.CHANGE),
    path=CheckPath,
    body=Offer,
    returns={200: Answer},
    problems=(common.PAUSED, CHECK_TAKEN, OFFER_REFUSED, CHECKS_FULL, common.TOO_MANY),
)
async def offer_check(request: web.Request, path: CheckPath, body: Offer) -> Reply:
    """One complete offer and answer; a dropped connection needs a new attempt."""
    services, client = request.app[SERVICES], client_address(request)
    await _not_paused(request)
    if services.checks.desk.is_full(client):  # refused as full: waiting in the queue is not counted
        raise ProblemRaised(CHECKS_FULL, retry_after_s=_RETRY_SECONDS)
    seconds = await services.rates.wait_for(CHECKS_PER_ADDRESS, client)
    if seconds is not None:
        raise ProblemRaised(common.TOO_MANY, retry_after_s=seconds)
    match await services.checks.answer(applicant_order(request), CheckId(path.check_id), body.sdp, client):
        case CheckRefusal.NOT_FOUND:
            raise ProblemRaised(common.NOT_FOUND)
        case CheckRefusal() | DeskRefusal.NOT_CLAIMED:
            raise ProblemRaised(CHECK_TAKEN)
        case OfferRefusal() as refusal:
            raise ProblemRaised(OFFER_REFUSED, detail=OFFER_MESSAGES[refusal], refusal=refusal.value)
        case DeskRefusal():
            raise ProblemRaised(CHECKS_FULL, retry_after_s=_RETRY_SECONDS)
        case sdp:
            return Reply(200, Answer(type="answer", sdp=sdp))


@operation(
    summary="How an attempt stands",
    right=(Resource.CHECK, Action.READ),
    path=CheckPath,
    returns={200: CheckShown},
)
async def read_check(request: web.Request, path: CheckPath) -> Reply:
    """No score, and nothing of what agreed or did not."""
    checks = request.app[SERVICES].checks
    check = await checks.read(applicant_order(request), CheckId(path.check_id))
    return Reply(200, await _shown(request, check))


@operation(
    summary="Abort an attempt",
    right=(Resource.CHECK, Action.END),
    path=CheckPath,
    returns={200: CheckShown},
)
async def abort_check(request: web.Request, path: CheckPath) -> Reply:
    """It counts as one of the five if it was connected. Aborting what is over changes nothing."""
    checks = request.app[SERVICES].checks
    check = await checks.abort(applicant_order(request), CheckId(path.check_id))
    return Reply(200, await _shown(request, check))


async def _not_paused(request: web.Request) -> None:
    """R9.3: nobody begins a video check under a hold."""
    if await _is_paused(request):
        raise ProblemRaised(common.PAUSED)


async def _is_paused(request: web.Request) -> bool:
    services, applicant = request.app[SERVICES], Applicant(applicant_order(request))
    async with services.sessions.begin() as session:
        return await is_paused(session, applicant, services.clock(), Stopped.VIDEO_CHECK)


async def _shown(request: web.Request, check: CheckView | None) -> CheckShown:
    if check is None:
        raise ProblemRaised(common.NOT_FOUND)
    services = request.app[SERVICES]
    async with services.readers() as session:
        stands = await standing(session, check)
        left = await services.checks.attempts_left(session, check.order_id)
    running = check.state in OPEN or check.state is CheckState.MEASURED
    outcome = "received" if check.state is CheckState.CLOSED else check.state.value
    return CheckShown(
        check_id=check.id,
        state=check.state.value,
        outcome=None if running else outcome,
        standing=stands.value,
        attempts_left=left,
    )


def _wait_seconds(refused: TooManyAttempts, now: datetime) -> int:
    """Until another attempt may be made, at least 1."""
    return max(1, math.ceil((refused.again_at - now).total_seconds()))


ROUTES = (
    web.post("/v1/orders/{order_id}/checks", create_check),
    web.post("/v1/checks/{check_id}/offer", offer_check),
    web.get("/v1/checks/{check_id}", read_check, allow_head=False),
    web.post("/v1/checks/{check_id}/abort", abort_check),
)
