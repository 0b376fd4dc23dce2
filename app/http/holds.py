"""Holds: ordered by the authority or the operator, obeyed by every process, shown to have been (R9.3)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from activation.adapters.sql.holds import HoldView
from activation.holds import HoldState, Scope, ScopeKind, Stopped
from activation.ids import HoldId
from app.access.rights import Action, Resource
from app.compliance.holds.desk import HoldRefusal, NewHold
from app.compliance.holds.shown import LIST_LIMIT, HoldShown, ProcessSeen, show_hold
from app.http.common import NOT_FOUND, WRONG_STATE
from app.http.contract import Input, Output, ProblemRaised, ProblemType, Reply, operation, staff_member
from app.http.inputs import PLAIN, ReasonText
from app.services import SERVICES
from app.texts.text import Text

LIFTED_ALREADY = ProblemType(
    "hold_lifted_already",
    409,
    Text("暂停令已解除", "Lifted already"),
    Text("此暂停令已经解除。", "This hold is no longer in force."),
)
SECOND_OPERATOR = ProblemType(
    "second_operator_wanted",
    409,
    Text("须由另一位运营人员确认", "Another operator must confirm"),
    Text("主管部门下达的暂停令须由两人解除。", "What the authority has ordered takes two people to lift."),
)
OF_HOLD: dict[HoldRefusal, ProblemType] = {
    HoldRefusal.NOT_FOUND: NOT_FOUND,
    HoldRefusal.ORDER_OVER: WRONG_STATE,
    HoldRefusal.LIFTED_ALREADY: LIFTED_ALREADY,
    HoldRefusal.SECOND_PERSON: SECOND_OPERATOR,
}
_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=100), PLAIN]


class ScopeGiven(Input):
    """value: a province's short name (`广东`), a dealer, a channel, an order; empty for all."""

    kind: ScopeKind
    value: Annotated[str, Field(max_length=64)] = ""

    @model_validator(mode="after")
    def _is_one(self) -> ScopeGiven:
        try:
            Scope(self.kind, self.value)
        except ValueError:
            raise PydanticCustomError("scope", "not a {kind}", {"kind": self.kind.value}) from None
        return self

    @property
    def scope(self) -> Scope:
        return Scope(self.kind, self.value)


class AuthorityGiven(Input):
    """Who ordered it, and the number of the document."""

    name: _Name
    document: _Name


class HoldNew(Input):
    """authority: left out where the operator orders it."""

    scope: ScopeGiven
    authority: AuthorityGiven | None = None
    reason: ReasonText


class HoldLift(Input):
    reason: ReasonText


class HoldPath(Input):
    hold_id: Annotated[str, Field(pattern=r"^hld_[0-9a-f]{24}$")]


class HoldQuery(Input):
    """active: only those in force."""

    active: bool = False


class HoldOut(Output):
    """placed_by, lift_asked_by, lifted_by: staff. An authority's hold is lifted by two."""

    hold_id: str
    state: HoldState
    scope: str
    authority: str
    document: str
    reason: str
    placed_by: str
    placed_at: datetime
    lift_asked_by: str | None
    lift_asked_at: datetime | None
    lifted_by: str | None
    lifted_at: datetime | None
    lift_reason: str | None

    @classmethod
    def members(cls, hold: HoldView) -> dict[str, object]:
        names = set(HoldOut.model_fields) - {"hold_id", "scope"}
        return {"hold_id": hold.id, "scope": str(hold.scope), **{each: getattr(hold, each) for each in names}}

    @classmethod
    def of(cls, hold: HoldView) -> HoldOut:
        return cls.model_validate(cls.members(hold))


class HoldList(Output):
    holds: list[HoldOut]


class ProcessOut(Output):
    """delay_s: from the hold, or the process's start if that was later, to its first sight of it."""

    process: str
    alive: bool
    seen_at: datetime | None
    delay_s: float | None
    lift_seen_at: datetime | None
    obeys: bool

    @classmethod
    def of(cls, seen: ProcessSeen) -> ProcessOut:
        return cls(
            process=seen.executor,
            alive=seen.alive,
            seen_at=seen.seen_at,
            delay_s=seen.delay_s,
            lift_seen_at=seen.lift_seen_at,
            obeys=seen.obeys,
        )


class HoldDetail(HoldOut):
    """stopped: how many of each; orders once each, tries every time.

    obeyed: by every process that lives, and nothing is pending. pending: orders whose subscribers may
    still be on, though the hold wants them off.
    """

    obeyed: bool
    pending: int
    processes: list[ProcessOut]
    stopped: dict[Stopped, int]

    @classmethod
    def showing(cls, shown: HoldShown) -> HoldDetail:
        members = HoldOut.members(shown.hold)
        processes = [ProcessOut.of(each) for each in shown.processes]
        return cls.model_validate(
            {
                **members,
                **{"obeyed": shown.obeyed, "pending": shown.pending},
                **{"processes": processes, "stopped": shown.stopped},
            }
        )


@operation(
    summary="Stop everything, a province, a dealer, a channel or an order",
    right=(Resource.HOLD, Action.CREATE),
    body=HoldNew,
    returns={201: HoldOut},
    idempotent=True,
    problems=(WRONG_STATE,),
)
async def place_hold(request: web.Request, body: HoldNew) -> Reply:
    """In force at once. Nothing under it ships or is switched on, nobody under it signs in.

    What is being switched on now is switched off again. The subscriber of a held order that is active is
    suspended; wider holds leave subscribers as they are.
    """
    given = body.authority
    new = NewHold(body.scope.scope, body.reason, given.name if given else "", given.document if given else "")
    placed = await request.app[SERVICES].holds.place(staff_member(request).id, new)
    if isinstance(placed, HoldRefusal):
        raise ProblemRaised(OF_HOLD[placed])
    return Reply(201, HoldOut.of(placed), location=f"/v1/holds/{placed.id}")


@operation(
    summary="Lift a hold",
    right=(Resource.HOLD, Action.CHANGE),
    path=HoldPath,
    body=HoldLift,
    returns={200: HoldOut},
    problems=(LIFTED_ALREADY, SECOND_OPERATOR),
)
async def lift_hold(request: web.Request, path: HoldPath, body: HoldLift) -> Reply:
    """Everything that it stopped goes on by itself. An authority's: the first asks, a second one lifts."""
    desk, operator = request.app[SERVICES].holds, staff_member(request)
    lifted = await desk.lift(operator.id, HoldId(path.hold_id), body.reason)
    if isinstance(lifted, HoldRefusal):
        raise ProblemRaised(OF_HOLD[lifted])
    return Reply(200, HoldOut.of(lifted))


@operation(
    summary="Holds, newest first",
    right=(Resource.HOLD, Action.READ),
    query=HoldQuery,
    returns={200: HoldList},
)
async def list_holds(request: web.Request, query: HoldQuery) -> Reply:
    services = request.app[SERVICES]
    async with services.readers() as session:
        holds = await services.flow.store.holds.newest(session, query.active, LIST_LIMIT)
    return Reply(200, HoldList(holds=[HoldOut.of(hold) for hold in holds]))


@operation(
    summary="A hold, and that it was obeyed",
    right=(Resource.HOLD, Action.READ),
    path=HoldPath,
    returns={200: HoldDetail},
)
async def read_hold(request: web.Request, path: HoldPath) -> Reply:
    """Who ordered it, when each process saw it, and how much it has stopped until now."""
    services = request.app[SERVICES]
    async with services.readers() as session:
        shown = await show_hold(session, HoldId(path.hold_id), services.clock())
    if shown is None:
        raise ProblemRaised(NOT_FOUND)
    return Reply(200, HoldDetail.showing(shown))


ROUTES = (
    web.post("/v1/holds", place_hold),
    web.get("/v1/holds", list_holds, allow_head=False),
    web.get("/v1/holds/{hold_id}", read_hold, allow_head=False),
    web.post("/v1/holds/{hold_id}/lift", lift_hold),
)
