"""What goes in and out of the routes of incidents."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from activation.ids import StaffId
from app.compliance.incidents.affected import Affected
from app.compliance.incidents.duties import WITHIN, Criteria, Duty, IncidentKind, IncidentState, Severity
from app.compliance.incidents.incidents import Incident, IncidentFile
from app.http.contract import Input, Output
from app.http.holds import ScopeGiven
from app.http.inputs import OrderIdText, ReasonText, WordsText

StaffIdText = Annotated[StaffId, Field(json_schema_extra={"pattern": "^stf_[0-9a-f]{24}$"})]


_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
Moment = Annotated[AwareDatetime, Field(ge=_FIRST, le=_LAST)]
"""A time with its zone, in this century."""


class CriteriaGiven(Input):
    """accounts: whose looks. since, until: when, UTC. orders: affected whoever looked.

    held: every order whose data existed in that time, for what is not a look: a copy, damage, a loss.
    """

    accounts: Annotated[list[StaffIdText], Field(max_length=100, default_factory=list)]
    orders: Annotated[list[OrderIdText], Field(max_length=1_000, default_factory=list)]
    since: Moment | None = None
    until: Moment | None = None
    held: bool = False

    @property
    def criteria(self) -> Criteria:
        return Criteria(tuple(self.accounts), tuple(self.orders), self.since, self.until, self.held)


class IncidentNew(Input):
    """what: in words, nothing personal. discovered_at: now, where left out."""

    kind: IncidentKind
    severity: Severity
    what: WordsText
    discovered_at: Moment | None = None
    affected: Annotated[CriteriaGiven, Field(default_factory=lambda: CriteriaGiven.model_validate({}))]


class MeasureNew(Input):
    what: ReasonText


class DutyDone(Input):
    """reference: number of the report, or how and where people were told."""

    duty: Duty
    reference: Annotated[str, Field(min_length=3, max_length=200)]


class HoldWanted(Input):
    scope: ScopeGiven
    reason: ReasonText


class Conclusion(Input):
    conclusion: WordsText


class AnnexWanted(Input):
    """certificate: PEM of whoever may read it. after: the order where the part before ended."""

    certificate: Annotated[str, Field(min_length=1, max_length=16_384)]
    reason: ReasonText
    after: OrderIdText | None = None


class IncidentPath(Input):
    incident_id: Annotated[str, Field(pattern=r"^inc_[0-9a-f]{24}$")]


class IncidentQuery(Input):
    """open: only those that are not closed."""

    open: bool = False


class ReportQuery(Input):
    locale: Literal["zh-CN", "en"] = "zh-CN"


class OrdersQuery(Input):
    """after: the last order of the page before."""

    after: Annotated[str, Field(pattern=r"^(ord_[0-9a-f]{24})?$")] = ""


class DeadlineOut(Output):
    """source: the text that asks for it."""

    duty: Duty
    due_at: datetime
    done_at: datetime | None
    overdue: bool
    reference: str | None
    source: str


class IncidentOut(Output):
    incident_id: str
    kind: IncidentKind
    severity: Severity
    state: IncidentState
    discovered_at: datetime
    opened_at: datetime
    overdue: list[Duty]
    deadlines: list[DeadlineOut]

    @classmethod
    def members(cls, incident: Incident, now: datetime) -> dict[str, Any]:
        due = [
            DeadlineOut(
                duty=each.duty,
                due_at=each.due_at,
                done_at=each.done_at,
                overdue=each.overdue(now),
                reference=each.reference,
                source=WITHIN[each.duty][2],
            )
            for each in incident.deadlines
        ]
        return {
            "incident_id": incident.id,
            "kind": incident.kind,
            "severity": incident.severity,
            "state": incident.state,
            "discovered_at": incident.discovered_at,
            "opened_at": incident.opened_at,
            "overdue": [each.duty for each in due if each.overdue],
            "deadlines": due,
        }


class IncidentList(Output):
    incidents: list[IncidentOut]


class AffectedOut(Output):
    """people: different documents among the orders."""

    orders: int
    people: int
    by_province: dict[str, int]
    by_event: dict[str, int]

    @classmethod
    def of(cls, affected: Affected) -> AffectedOut:
        return cls(
            orders=affected.orders,
            people=affected.people,
            by_province=affected.by_province,
            by_event=affected.by_event,
        )


class MeasureOut(Output):
    kind: str
    what: str
    by: str
    at: datetime


class IncidentDetail(IncidentOut):
    """accounts: those that can be ended with one call."""

    what: str
    conclusion: str | None
    accounts: list[str]
    affected: AffectedOut
    measures: list[MeasureOut]

    @classmethod
    def of(cls, file: IncidentFile, now: datetime) -> IncidentDetail:
        incident = file.incident
        return cls(
            **IncidentOut.members(incident, now),
            what=incident.what,
            conclusion=incident.conclusion,
            accounts=list(incident.accounts),
            affected=AffectedOut.of(file.affected),
            measures=[
                MeasureOut(kind=each.kind, what=each.what, by=each.by, at=each.at) for each in file.measures
            ],
        )


class AccountsEnded(Output):
    accounts: list[str]


class OrdersOut(Output):
    orders: list[str]
    next_after: str | None


class ReportOut(Output):
    """The report as it is sent; see `format`."""

    report: dict[str, Any]
