"""What is done about an incident: measures, accounts ended, holds, duties, the sealed annex (R9.2)."""

from __future__ import annotations

from aiohttp import web

from activation.ids import IncidentId, OrderId
from app.access.rights import Action, Resource
from app.compliance.holds.desk import HoldRefusal, NewHold
from app.compliance.incidents.annex import AnnexRefusal, make_annex
from app.compliance.incidents.desk import IncidentRefusal
from app.http.common import NOT_FOUND
from app.http.contract import ProblemRaised, Raw, Reply, operation, staff_member
from app.http.holds import OF_HOLD, HoldOut
from app.http.incident_bodies import (
    AccountsEnded,
    AnnexWanted,
    Conclusion,
    DutyDone,
    HoldWanted,
    IncidentDetail,
    IncidentPath,
    MeasureNew,
)
from app.http.incident_problems import CERTIFICATE_UNUSABLE, OF_INCIDENT, REFUSALS
from app.http.incidents import incident_detail
from app.services import SERVICES

_CHANGE = (Resource.INCIDENT, Action.CHANGE)


@operation(
    summary="Write down a measure",
    right=_CHANGE,
    path=IncidentPath,
    body=MeasureNew,
    returns={200: IncidentDetail},
    problems=REFUSALS,
)
async def add_measure(request: web.Request, path: IncidentPath, body: MeasureNew) -> Reply:
    desk, incident = request.app[SERVICES].incidents, IncidentId(path.incident_id)
    _refuse(await desk.measure(staff_member(request).id, incident, body.what))
    return Reply(200, await incident_detail(request, incident))


@operation(
    summary="A duty is done",
    right=_CHANGE,
    path=IncidentPath,
    body=DutyDone,
    returns={200: IncidentDetail},
    problems=REFUSALS,
)
async def fulfil_duty(request: web.Request, path: IncidentPath, body: DutyDone) -> Reply:
    """Remedied, reported to the authority, people told, final report sent; its alarm ends."""
    desk, incident = request.app[SERVICES].incidents, IncidentId(path.incident_id)
    _refuse(await desk.fulfil(staff_member(request).id, incident, body.duty, body.reference))
    return Reply(200, await incident_detail(request, incident))


@operation(
    summary="End the accounts that the incident names",
    right=_CHANGE,
    path=IncidentPath,
    returns={200: AccountsEnded},
    problems=REFUSALS,
)
async def end_accounts(request: web.Request, path: IncidentPath) -> Reply:
    """And their tokens, everywhere within a second."""
    against, operator = request.app[SERVICES].countermeasures, staff_member(request)
    ended = await against.disable_accounts(operator.id, IncidentId(path.incident_id))
    if isinstance(ended, IncidentRefusal):
        raise ProblemRaised(OF_INCIDENT[ended])
    return Reply(200, AccountsEnded(accounts=list(ended)))


@operation(
    summary="Place a hold as a measure",
    right=_CHANGE,
    path=IncidentPath,
    body=HoldWanted,
    returns={201: HoldOut},
    idempotent=True,
    problems=(*REFUSALS, *OF_HOLD.values()),
)
async def hold_for_incident(request: web.Request, path: IncidentPath, body: HoldWanted) -> Reply:
    """Together with its entry among the measures."""
    against, operator = request.app[SERVICES].countermeasures, staff_member(request)
    new = NewHold(body.scope.scope, body.reason)
    match await against.hold(operator.id, IncidentId(path.incident_id), new):
        case IncidentRefusal() as refusal:
            raise ProblemRaised(OF_INCIDENT[refusal])
        case HoldRefusal() as refused:
            raise ProblemRaised(OF_HOLD[refused])
        case placed:
            return Reply(201, HoldOut.of(placed), location=f"/v1/holds/{placed.id}")


@operation(
    summary="Close an incident",
    right=_CHANGE,
    path=IncidentPath,
    body=Conclusion,
    returns={200: IncidentDetail},
    problems=REFUSALS,
)
async def close_incident(request: web.Request, path: IncidentPath, body: Conclusion) -> Reply:
    """Once it is remedied, reported and told."""
    desk, incident = request.app[SERVICES].incidents, IncidentId(path.incident_id)
    _refuse(await desk.close(staff_member(request).id, incident, body.conclusion))
    return Reply(200, await incident_detail(request, incident))


@operation(
    summary="The sealed annex: who the affected people are",
    right=_CHANGE,
    path=IncidentPath,
    body=AnnexWanted,
    returns={200: Raw("application/pkcs7-mime")},
    problems=(CERTIFICATE_UNUSABLE,),
)
async def make_sealed_annex(request: web.Request, path: IncidentPath, body: AnnexWanted) -> web.Response:
    """CMS (RFC 5652) for the holder of the certificate alone; an export in each order's trail.

    A thousand people at a time; the header `Kaika-Next-After` says where the next part begins.
    """
    services = request.app[SERVICES]
    made = await make_annex(
        services.sessions,
        IncidentId(path.incident_id),
        body.certificate,
        body.reason,
        services.clock(),
        body.after or "",
    )
    if isinstance(made, AnnexRefusal):
        raise ProblemRaised(NOT_FOUND if made is AnnexRefusal.NOT_FOUND else CERTIFICATE_UNUSABLE)
    headers = {"Content-Disposition": f'attachment; filename="{path.incident_id}.p7m"'}
    if made.next_after is not None:
        headers["Kaika-Next-After"] = OrderId(made.next_after)
    return web.Response(body=made.sealed, content_type="application/pkcs7-mime", headers=headers)


def _refuse(refusal: IncidentRefusal | None) -> None:
    if refusal is not None:
        raise ProblemRaised(OF_INCIDENT[refusal])


_ONE = "/v1/incidents/{incident_id}"
ROUTES = (
    web.post(f"{_ONE}/measures", add_measure),
    web.post(f"{_ONE}/duties", fulfil_duty),
    web.post(f"{_ONE}/accounts/end", end_accounts),
    web.post(f"{_ONE}/holds", hold_for_incident),
    web.post(f"{_ONE}/close", close_incident),
    web.post(f"{_ONE}/annex", make_sealed_annex),
)
