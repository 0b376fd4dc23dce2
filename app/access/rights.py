"""Who may do what: one table of role, resource and action. What is not listed is denied.

Every route names its right (`operation(right=…)`). The table says which role may ask at all; whose order,
delivery or case it is, the use case looks at, and answers about a foreign one as about none.
"""

from __future__ import annotations

from enum import StrEnum

from app.access.principals import Role


class Resource(StrEnum):
    SERVICE = "service"  # health, this API's description, the pages
    METRICS = "metrics"
    NUMBER = "number"
    ORDER = "order"
    CODE = "code"  # one-time codes, and the tokens they are exchanged for
    TOKEN = "token"  # noqa: S105 - the name of a resource
    CONSENT = "consent"
    CAPTURE = "capture"
    UPLOAD = "upload"
    READING = "reading"
    CONFIRMATION = "confirmation"
    ACTIVATION = "activation"  # the code in the package
    CHECK = "check"
    STAFF = "staff"
    DELIVERY = "delivery"
    CARRIER_EVENT = "carrier_event"
    SIM_STOCK = "sim_stock"
    NUMBER_POOL = "number_pool"
    CASE = "case"
    EVIDENCE = "evidence"
    HANDOVER_CODE = "handover_code"
    HOLD = "hold"
    INCIDENT = "incident"
    ORDER_FILE = "order_file"
    CASE_FILE = "case_file"  # for supervision (R10.3)
    SERVICE_END = "service_end"
    LEGAL_HOLD = "legal_hold"
    RETENTION = "retention"
    SUBJECT_REQUEST = "subject_request"  # the applicant's own
    SUBJECT_REQUESTS = "subject_requests"  # everybody's, for those who answer them
    SANDBOX = "sandbox"


class Action(StrEnum):
    READ = "read"
    CREATE = "create"
    CHANGE = "change"
    END = "end"


Right = tuple[Resource, Action]

_R, _A = Resource, Action
_ANYONE = frozenset(Role)
_APPLICANT = frozenset({Role.APPLICANT})
_COURIER = frozenset({Role.COURIER})
_REVIEWER = frozenset({Role.REVIEWER})
_OPERATOR = frozenset({Role.OPERATOR})

RIGHTS: dict[Right, frozenset[Role]] = {
    (_R.SERVICE, _A.READ): _ANYONE,
    (_R.SANDBOX, _A.READ): _ANYONE,  # the routes themselves are absent in production
    # Preselection: whoever has the contact phone gets a token, everything after that takes one.
    (_R.NUMBER, _A.READ): _ANYONE,
    (_R.ORDER, _A.CREATE): _ANYONE,
    (_R.CODE, _A.CREATE): _ANYONE,
    (_R.TOKEN, _A.CREATE): _ANYONE,
    (_R.TOKEN, _A.END): _APPLICANT | _COURIER | _REVIEWER | _OPERATOR,
    (_R.ORDER, _A.READ): _APPLICANT,
    (_R.ORDER, _A.END): _APPLICANT,
    (_R.CONSENT, _A.CREATE): _APPLICANT,
    (_R.CAPTURE, _A.CHANGE): _APPLICANT,
    (_R.UPLOAD, _A.CREATE): _APPLICANT,
    (_R.UPLOAD, _A.CHANGE): _APPLICANT,
    (_R.READING, _A.READ): _APPLICANT,
    (_R.CONFIRMATION, _A.CREATE): _APPLICANT,
    # Activation of the card that came by mail.
    (_R.ACTIVATION, _A.CREATE): _ANYONE,
    (_R.CHECK, _A.CREATE): _APPLICANT,
    (_R.CHECK, _A.READ): _APPLICANT,
    (_R.CHECK, _A.CHANGE): _APPLICANT,
    (_R.CHECK, _A.END): _APPLICANT,
    # Logistics; a carrier signs its events instead of holding a token.
    (_R.DELIVERY, _A.READ): _COURIER,
    (_R.DELIVERY, _A.CHANGE): _COURIER,
    (_R.CARRIER_EVENT, _A.CREATE): _ANYONE,
    # Review (R9.1: only who needs it for the case).
    (_R.CASE, _A.READ): _REVIEWER,
    (_R.CASE, _A.CHANGE): _REVIEWER,
    (_R.EVIDENCE, _A.READ): _REVIEWER,
    (_R.HANDOVER_CODE, _A.CREATE): _APPLICANT | _OPERATOR,
    # Operation.
    (_R.METRICS, _A.READ): _OPERATOR,
    (_R.HOLD, _A.CREATE): _OPERATOR,
    (_R.HOLD, _A.CHANGE): _OPERATOR,
    (_R.HOLD, _A.READ): _OPERATOR,
    (_R.INCIDENT, _A.CREATE): _OPERATOR,
    (_R.INCIDENT, _A.CHANGE): _OPERATOR,
    (_R.INCIDENT, _A.READ): _OPERATOR,
    (_R.ORDER_FILE, _A.READ): _OPERATOR,
    # The life's end of an order's data (R8).
    (_R.SERVICE_END, _A.CREATE): _OPERATOR,
    (_R.LEGAL_HOLD, _A.CREATE): _OPERATOR,
    (_R.LEGAL_HOLD, _A.READ): _OPERATOR,
    (_R.LEGAL_HOLD, _A.END): _OPERATOR,
    (_R.RETENTION, _A.READ): _OPERATOR,
    (_R.SUBJECT_REQUESTS, _A.READ): _OPERATOR,
    (_R.SUBJECT_REQUEST, _A.CREATE): _APPLICANT,
    (_R.SUBJECT_REQUEST, _A.READ): _APPLICANT,
    (_R.CASE_FILE, _A.CREATE): _OPERATOR,
    (_R.CASE_FILE, _A.READ): _OPERATOR,
    (_R.DELIVERY, _A.END): _OPERATOR,
    (_R.SIM_STOCK, _A.CREATE): _OPERATOR,
    (_R.NUMBER_POOL, _A.CREATE): _OPERATOR,
    (_R.STAFF, _A.CREATE): _OPERATOR,
    (_R.STAFF, _A.CHANGE): _OPERATOR,
    (_R.STAFF, _A.READ): _OPERATOR,
}


def may(role: Role, right: Right) -> bool:
    """True where the table lists `role` for `right`."""
    return role in RIGHTS.get(right, frozenset())


def is_public(right: Right) -> bool:
    """True where no token is needed."""
    return may(Role.ANYONE, right)
