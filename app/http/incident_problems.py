"""Problems that an operator can meet with an incident."""

from __future__ import annotations

from app.compliance.incidents.desk import IncidentRefusal
from app.http.accounts import OWN_ACCOUNT
from app.http.common import NOT_FOUND
from app.http.problems import ProblemType
from app.texts.text import Text

INCIDENT_CLOSED = ProblemType(
    "incident_closed",
    409,
    Text("事件已结束", "The incident is closed"),
    Text("已结束的事件不能再更改。", "A closed incident cannot be changed."),
)
DUTIES_OPEN = ProblemType(
    "incident_duties_open",
    409,
    Text("仍有义务未履行", "Duties are still open"),
    Text(
        "须先完成补救、报告和告知，才能结束事件。",
        "It is closed once it is remedied, reported and told.",
    ),
)
NO_SUCH_DUTY = ProblemType(
    "incident_duty_not_open",
    409,
    Text("没有此项待办义务", "No such duty is open"),
    Text("此事件没有该义务，或已经完成。", "The incident does not have it, or it is done."),
)
NO_ACCOUNTS = ProblemType(
    "incident_names_no_accounts",
    409,
    Text("事件未指明账号", "The incident names no accounts"),
    Text("请先在受影响范围中指明账号。", "Name accounts among the criteria first."),
)
CERTIFICATE_UNUSABLE = ProblemType(
    "certificate_unusable",
    422,
    Text("证书无法使用", "The certificate cannot be used"),
    Text(
        "须为当前有效的 RSA 证书（PEM，2048 位或以上）。",
        "It must be a valid RSA certificate in PEM, of 2048 bits or more.",
    ),
)
OF_INCIDENT: dict[IncidentRefusal, ProblemType] = {
    IncidentRefusal.NOT_FOUND: NOT_FOUND,
    IncidentRefusal.CLOSED: INCIDENT_CLOSED,
    IncidentRefusal.DUTIES_OPEN: DUTIES_OPEN,
    IncidentRefusal.NO_SUCH_DUTY: NO_SUCH_DUTY,
    IncidentRefusal.NO_ACCOUNTS: NO_ACCOUNTS,
    IncidentRefusal.OWN_ACCOUNT: OWN_ACCOUNT,
}
REFUSALS = tuple(kind for kind in OF_INCIDENT.values() if kind is not NOT_FOUND)
