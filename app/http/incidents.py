"""Incidents with identity data: recorded, the people concerned found, reported in time (R9.2)."""

from __future__ import annotations

import asyncio

from aiohttp import web

from activation.ids import IncidentId
from app.access.rights import Action, Resource
from app.compliance.incidents.affected import PAGE, order_ids
from app.compliance.incidents.desk import IncidentRefusal, NewIncident
from app.compliance.incidents.incidents import newest, read_file
from app.compliance.incidents.pdf import report_pdf
from app.compliance.incidents.report import Report, make_report
from app.http.common import NOT_FOUND
from app.http.contract import ProblemRaised, Raw, Reply, operation, staff_member
from app.http.incident_bodies import (
    AffectedOut,
    CriteriaGiven,
    IncidentDetail,
    IncidentList,
    IncidentNew,
    IncidentOut,
    IncidentPath,
    IncidentQuery,
    OrdersOut,
    OrdersQuery,
    ReportOut,
    ReportQuery,
)
from app.http.incident_problems import OF_INCIDENT, REFUSALS
from app.services import SERVICES
from app.texts.text import Locale

_READ, _CHANGE = (Resource.INCIDENT, Action.READ), (Resource.INCIDENT, Action.CHANGE)


@operation(
    summary="Record an incident",
    right=(Resource.INCIDENT, Action.CREATE),
    body=IncidentNew,
    returns={201: IncidentDetail},
    idempotent=True,
)
async def open_incident(request: web.Request, body: IncidentNew) -> Reply:
    """Its deadlines run from the discovery; who is affected is worked out from the audit trail at once."""
    services = request.app[SERVICES]
    found = min(body.discovered_at or services.clock(), services.clock())
    new = NewIncident(body.kind, body.severity, body.what, found, body.affected.criteria)
    incident = await services.incidents.open(staff_member(request).id, new)
    return Reply(201, await incident_detail(request, incident), location=f"/v1/incidents/{incident}")


@operation(summary="Incidents, newest first", right=_READ, query=IncidentQuery, returns={200: IncidentList})
async def list_incidents(request: web.Request, query: IncidentQuery) -> Reply:
    """Each with its deadlines and which of them are overdue."""
    services = request.app[SERVICES]
    async with services.readers() as session:
        found = await newest(session, query.open)
    now = services.clock()
    return Reply(
        200, IncidentList(incidents=[IncidentOut(**IncidentOut.members(each, now)) for each in found])
    )


@operation(summary="An incident's file", right=_READ, path=IncidentPath, returns={200: IncidentDetail})
async def read_incident(request: web.Request, path: IncidentPath) -> Reply:
    return Reply(200, await incident_detail(request, IncidentId(path.incident_id)))


@operation(
    summary="Work out the affected by further criteria",
    right=_CHANGE,
    path=IncidentPath,
    body=CriteriaGiven,
    returns={200: AffectedOut},
    problems=REFUSALS,
)
async def search_affected(request: web.Request, path: IncidentPath, body: CriteriaGiven) -> Reply:
    """From the audit trail: whose data were shown to these accounts in this time. Nobody is taken out."""
    desk, operator = request.app[SERVICES].incidents, staff_member(request)
    affected = await desk.search(operator.id, IncidentId(path.incident_id), body.criteria)
    if isinstance(affected, IncidentRefusal):
        raise ProblemRaised(OF_INCIDENT[affected])
    return Reply(200, AffectedOut.of(affected))


@operation(
    summary="Affected orders", right=_READ, path=IncidentPath, query=OrdersQuery, returns={200: OrdersOut}
)
async def list_orders(request: web.Request, path: IncidentPath, query: OrdersQuery) -> Reply:
    """A page of ids, in a stable order."""
    async with request.app[SERVICES].readers() as session:
        found = await order_ids(session, IncidentId(path.incident_id), query.after)
    return Reply(200, OrdersOut(orders=list(found), next_after=found[-1] if len(found) == PAGE else None))


@operation(summary="The report as JSON", right=_READ, path=IncidentPath, returns={200: ReportOut})
async def read_report(request: web.Request, path: IncidentPath) -> Reply:
    """Ready to send; nothing personal beyond the ids of orders."""
    return Reply(200, ReportOut(report=(await _report(request, path)).json()))


@operation(
    summary="The report as PDF",
    right=_READ,
    path=IncidentPath,
    query=ReportQuery,
    returns={200: Raw("application/pdf")},
)
async def read_report_pdf(request: web.Request, path: IncidentPath, query: ReportQuery) -> web.Response:
    """The same in Chinese or English."""
    report = await _report(request, path)
    body = await asyncio.to_thread(report_pdf, report, Locale(query.locale))
    name = f'attachment; filename="{path.incident_id}.pdf"'
    return web.Response(body=body, content_type="application/pdf", headers={"Content-Disposition": name})


async def incident_detail(request: web.Request, incident: IncidentId) -> IncidentDetail:
    services = request.app[SERVICES]
    async with services.readers() as session:
        file = await read_file(session, incident)
    if file is None:
        raise ProblemRaised(NOT_FOUND)
    return IncidentDetail.of(file, services.clock())


async def _report(request: web.Request, path: IncidentPath) -> Report:
    services = request.app[SERVICES]
    async with services.readers() as session:
        report = await make_report(session, IncidentId(path.incident_id), services.clock())
    if report is None:
        raise ProblemRaised(NOT_FOUND)
    return report


_ONE = "/v1/incidents/{incident_id}"
ROUTES = (
    web.post("/v1/incidents", open_incident),
    web.get("/v1/incidents", list_incidents, allow_head=False),
    web.get(_ONE, read_incident, allow_head=False),
    web.post(f"{_ONE}/affected", search_affected),
    web.get(f"{_ONE}/orders", list_orders, allow_head=False),
    web.get(f"{_ONE}/report", read_report, allow_head=False),
    web.get(f"{_ONE}/report.pdf", read_report_pdf, allow_head=False),
)
