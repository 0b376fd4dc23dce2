"""Reviewers' cases: the queue, one case, claims, decisions by one or two people, evidence (R4.2, R9.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from activation.evidence import ReviewOutcome, ReviewStage
from activation.findings import Reason, rule_of
from activation.ids import CaseId
from app.access.rights import Action, Resource
from app.http import review_problems as problems
from app.http.contract import Input, Output, ProblemRaised, Reply, operation, staff_member
from app.http.inputs import ReasonText
from app.review.case import CaseState
from app.review.cases import Case, Objection
from app.review.desk import CaseRefusal
from app.review.view import CaseSeen
from app.services import SERVICES
from app.texts.reasons import REASONS
from app.texts.text import Locale, preferred_locale


class CasePath(Input):
    case_id: Annotated[str, Field(pattern=r"^cas_[0-9a-f]{24}$")]


class ProposalNew(Input):
    outcome: ReviewOutcome
    reason: ReasonText


class ConfirmationNew(Input):
    agree: bool
    reason: ReasonText


class ReasonSeen(Output):
    reason: Reason
    rule: str
    text: str


class CaseOut(Output):
    case_id: str
    order_id: str
    stage: ReviewStage
    state: CaseState
    reasons: list[ReasonSeen]
    two_people: bool
    opened_at: datetime
    age_s: int
    claimed: bool = Field(description="somebody is looking at it now")
    mine_until: datetime | None = Field(description="until when it is the caller's")


class Queue(Output):
    cases: list[CaseOut]


class FactOut(Output):
    index: int
    kind: str
    body: dict[str, Any]


class EvidenceOut(Output):
    digest: str
    kind: str
    media_type: str
    size: int
    at: datetime


class IdentityOut(Output):
    name: str
    number: str


class BandOut(Output):
    accept: float
    refuse: float


class ProposalSeen(Output):
    outcome: ReviewOutcome
    reason: str
    mine: bool


class ObjectionSeen(Output):
    """A proposal that the second person did not confirm."""

    outcome: ReviewOutcome
    reason: str
    objection: str
    at: datetime


class CaseWhole(CaseOut):
    """facts: all that a decision speaks of. faces: the bands that similarities are weighed with, by model."""

    about: int
    facts: list[FactOut]
    faces: dict[str, BandOut]
    identity: IdentityOut | None
    evidence: list[EvidenceOut]
    proposal: ProposalSeen | None
    objections: list[ObjectionSeen]


def _members(request: web.Request, case: Case) -> dict[str, Any]:
    now = request.app[SERVICES].clock()
    locale: Locale = preferred_locale(request.headers.get("Accept-Language", ""))
    caller = staff_member(request).id
    mine = case.is_with(caller, now)
    return {
        "case_id": str(case.id),
        "order_id": str(case.order),
        "stage": case.stage,
        "state": case.state,
        "reasons": [
            ReasonSeen(reason=each, rule=rule_of(each), text=REASONS[each].in_(locale))
            for each in case.reasons
        ],
        "two_people": case.two_people,
        "opened_at": case.opened_at,
        "age_s": max(0, int((now - case.opened_at).total_seconds())),
        "claimed": mine or case.is_with_another(caller, now),
        "mine_until": case.claimed_until if mine else None,
    }


def _answer(request: web.Request, done: Case | CaseRefusal) -> Reply:
    if isinstance(done, CaseRefusal):
        raise ProblemRaised(problems.OF_CASE[done])
    return Reply(200, CaseOut.model_validate(_members(request, done)))


@operation(summary="The queue", right=(Resource.CASE, Action.READ), returns={200: Queue})
async def queue(request: web.Request) -> Reply:
    """Cases that wait for people, oldest first, at most 100."""
    found = await request.app[SERVICES].review.queue()
    return Reply(200, Queue(cases=[CaseOut.model_validate(_members(request, each)) for each in found]))


@operation(summary="One case", right=(Resource.CASE, Action.READ), path=CasePath, returns={200: CaseWhole})
async def read_case(request: web.Request, path: CasePath) -> Reply:
    """Why it came, every measurement and score. Identity (masked) and evidence: for who has claimed it."""
    reviewer = staff_member(request)
    seen = await request.app[SERVICES].review.see(reviewer.id, CaseId(path.case_id))
    if isinstance(seen, CaseRefusal):
        raise ProblemRaised(problems.OF_CASE[seen])
    return Reply(200, _whole(request, seen))


@operation(
    summary="Claim a case",
    right=(Resource.CASE, Action.CHANGE),
    path=CasePath,
    returns={200: CaseOut},
    problems=problems.DECIDING,
)
async def claim(request: web.Request, path: CasePath) -> Reply:
    """For 15 minutes; claiming again starts them anew. A proposed case is claimed by who is to confirm it."""
    reviewer = staff_member(request)
    return _answer(request, await request.app[SERVICES].review.claim(reviewer.id, CaseId(path.case_id)))


@operation(
    summary="Propose a decision",
    right=(Resource.CASE, Action.CHANGE),
    path=CasePath,
    body=ProposalNew,
    returns={200: CaseOut},
    idempotent=True,
    problems=problems.DECIDING,
)
async def propose(request: web.Request, path: CasePath, body: ProposalNew) -> Reply:
    """Decides the case at once, unless it would override a failed check: then a second person confirms."""
    reviewer = staff_member(request)
    desk = request.app[SERVICES].review
    return _answer(request, await desk.propose(reviewer.id, CaseId(path.case_id), body.outcome, body.reason))


@operation(
    summary="Confirm a proposal",
    right=(Resource.CASE, Action.CHANGE),
    path=CasePath,
    body=ConfirmationNew,
    returns={200: CaseOut},
    idempotent=True,
    problems=problems.DECIDING,
)
async def confirm(request: web.Request, path: CasePath, body: ConfirmationNew) -> Reply:
    """By another reviewer than the one who proposed. Without agreement the case is open again."""
    reviewer = staff_member(request)
    desk = request.app[SERVICES].review
    return _answer(request, await desk.confirm(reviewer.id, CaseId(path.case_id), body.agree, body.reason))


def _whole(request: web.Request, seen: CaseSeen) -> CaseWhole:
    case = seen.case
    policy = request.app[SERVICES].policy
    caller = staff_member(request).id
    proposal = case.proposal and ProposalSeen(
        outcome=case.proposal.outcome, reason=case.proposal.reason, mine=case.proposal.maker == caller
    )
    identity = seen.identity and IdentityOut(name=seen.identity.name, number=seen.identity.number)
    return CaseWhole.model_validate(
        {
            **_members(request, case),
            "about": case.about,
            "facts": [FactOut(index=each.index, kind=each.kind, body=each.body) for each in seen.facts],
            "faces": {
                name: BandOut(accept=band.accept, refuse=band.refuse) for name, band in policy.faces.items()
            },
            "identity": identity,
            "evidence": [
                EvidenceOut(
                    digest=each.digest, kind=each.kind, media_type=each.media_type, size=each.size, at=each.at
                )
                for each in seen.evidence
            ],
            "proposal": proposal,
            "objections": [_objection(each) for each in case.objections],
        }
    )


def _objection(seen: Objection) -> ObjectionSeen:
    before = seen.proposal
    return ObjectionSeen(outcome=before.outcome, reason=before.reason, objection=seen.reason, at=seen.at)


_ONE = "/v1/review/cases/{case_id}"

ROUTES = (
    web.get("/v1/review/cases", queue, allow_head=False),
    web.get(_ONE, read_case, allow_head=False),
    web.post(f"{_ONE}/claim", claim),
    web.post(f"{_ONE}/proposal", propose),
    web.post(f"{_ONE}/confirmation", confirm),
)
