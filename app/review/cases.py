"""Cases in the database: opened by the flow, claimed for a time, proposed, decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit import note
from activation.adapters.sql.tables import OrderRow
from activation.evidence import ReviewOutcome, ReviewStage
from activation.findings import Reason
from activation.ids import CaseId, Digest, OrderId, StaffId
from activation.order import FINAL
from app.review.case import CLAIM, CaseState, states_before
from app.tables import EvidenceLookRow
from app.tables import ReviewCaseRow as C

#: Cases in one answer of the queue.
QUEUE_LIMIT = 100
#: Objections that are kept with one case.
OBJECTIONS_LIMIT = 20


@dataclass(frozen=True)
class Proposal:
    maker: StaffId
    outcome: ReviewOutcome
    reason: str


@dataclass(frozen=True)
class Objection:
    """A proposal that its second person did not confirm, and why. Stays with the case for whoever is next."""

    proposal: Proposal
    checker: StaffId
    reason: str
    at: datetime


@dataclass(frozen=True)
class Case:
    """One case. about: index of the last fact that it shows. claimed_by: whose it is until claimed_until.

    objections: oldest first, the newest OBJECTIONS_LIMIT.
    """

    id: CaseId
    order: OrderId
    stage: ReviewStage
    state: CaseState
    reasons: tuple[Reason, ...]
    two_people: bool
    about: int
    claimed_by: StaffId | None
    claimed_until: datetime | None
    proposal: Proposal | None
    opened_at: datetime
    closed_at: datetime | None
    objections: tuple[Objection, ...] = ()

    def is_with(self, reviewer: StaffId, now: datetime) -> bool:
        """Whether the reviewer has claimed the case and the claim still holds."""
        held = self.claimed_until is not None and self.claimed_until > now
        return held and self.claimed_by == reviewer and self.state is not CaseState.DECIDED

    def is_with_another(self, reviewer: StaffId, now: datetime) -> bool:
        held = self.claimed_until is not None and self.claimed_until > now
        return held and self.claimed_by not in (None, reviewer)


_COLUMNS = (
    *(C.id, C.order_id, C.stage, C.state, C.reasons, C.two_people, C.about),
    *(C.claimed_by, C.claimed_until, C.proposal, C.opened_at, C.closed_at),
)
_NOBODYS: dict[str, Any] = {"claimed_by": None, "claimed_until": None}


class Cases:
    """Holds nothing; each call gets the session, and with it the transaction, it works in."""

    async def create(self, session: AsyncSession, case: Case) -> None:
        await session.execute(
            sa.insert(C).values(
                id=case.id,
                order_id=case.order,
                stage=case.stage,
                state=case.state,
                reasons=list(case.reasons),
                two_people=case.two_people,
                about=case.about,
                opened_at=case.opened_at,
            )
        )
        await _note(session, case, "opened", ", ".join(case.reasons), about=case.about)

    async def lock(self, session: AsyncSession, case_id: CaseId) -> Case | None:
        """The case, held until the transaction ends."""
        return await _one(session, C.id == case_id, lock=True)

    async def read(self, session: AsyncSession, case_id: CaseId) -> Case | None:
        return await _one(session, C.id == case_id)

    async def lock_open(self, session: AsyncSession, order_id: OrderId, stage: ReviewStage) -> Case | None:
        """The order's undecided case of a stage; a unique index allows one."""
        undecided = sa.and_(C.order_id == order_id, C.stage == stage, C.state != CaseState.DECIDED)
        return await _one(session, undecided, lock=True)

    async def widen(
        self, session: AsyncSession, case: Case, reasons: Sequence[Reason], two_people: bool, about: int
    ) -> None:
        """New evidence: whoever looks at the case has not seen it and must claim it again."""
        await session.execute(
            sa.update(C)
            .where(C.id == case.id, C.state != CaseState.DECIDED)
            .values(
                state=CaseState.OPEN,
                reasons=list(reasons),
                two_people=two_people,
                about=about,
                proposal=_written(None, case.objections),
                **_NOBODYS,
            )
        )
        await _note(session, case, "widened", ", ".join(reasons), about=about)

    async def queue(self, session: AsyncSession, limit: int = QUEUE_LIMIT) -> list[Case]:
        """Undecided cases of orders that are not over, oldest first."""
        query = (
            sa.select(*_COLUMNS)
            .join(OrderRow, OrderRow.id == C.order_id)
            .where(C.state != CaseState.DECIDED, OrderRow.state.not_in(FINAL))
            .order_by(C.opened_at, C.id)
            .limit(limit)
        )
        return [_case(row) for row in await session.execute(query)]

    async def lies_open(self, session: AsyncSession, order_id: OrderId, stage: ReviewStage) -> bool:
        """Whether an undecided case of the stage waits for people."""
        undecided = (C.order_id == order_id, C.stage == stage, C.state != CaseState.DECIDED)
        return await session.scalar(sa.select(C.id).where(*undecided)) is not None

    async def of_order(self, session: AsyncSession, order_id: OrderId) -> list[Case]:
        """Every case about an order, oldest first."""
        query = sa.select(*_COLUMNS).where(C.order_id == order_id).order_by(C.opened_at, C.id)
        return [_case(row) for row in await session.execute(query)]

    async def claim(self, session: AsyncSession, case: Case, reviewer: StaffId, now: datetime) -> None:
        """The case is the reviewer's for CLAIM. A proposed one stays proposed: its checker looks at it."""
        state = CaseState.PROPOSED if case.state is CaseState.PROPOSED else CaseState.CLAIMED
        await self._change(session, case, state=state, claimed_by=reviewer, claimed_until=now + CLAIM)
        await _note(session, case, "claimed", by=reviewer)

    async def propose(self, session: AsyncSession, case: Case, proposal: Proposal) -> None:
        """Waits for a second person."""
        written = _written(proposal, case.objections)
        await self._move(session, case, CaseState.PROPOSED, proposal=written, **_NOBODYS)
        await _note(session, case, "proposed", outcome=proposal.outcome, maker=proposal.maker)

    async def reopen(self, session: AsyncSession, case: Case, objection: Objection) -> None:
        """The second person did not agree; the objection stays, for whoever claims the case next."""
        objections = (*case.objections, objection)[-OBJECTIONS_LIMIT:]
        await self._move(session, case, CaseState.OPEN, proposal=_written(None, objections), **_NOBODYS)
        await _note(session, case, "objected", checker=objection.checker)

    async def decide(self, session: AsyncSession, case: Case, proposal: Proposal, at: datetime) -> None:
        written = _written(proposal, case.objections)
        await self._move(session, case, CaseState.DECIDED, proposal=written, closed_at=at)
        await _note(session, case, "decided", outcome=proposal.outcome, maker=proposal.maker)

    async def looked(
        self, session: AsyncSession, case: Case, reviewer: StaffId, digest: Digest, at: datetime
    ) -> None:
        """R9.1: every look is recorded."""
        await session.execute(
            sa.insert(EvidenceLookRow).values(
                case_id=case.id, order_id=case.order, staff_id=reviewer, digest=digest, at=at
            )
        )
        await note(session, case.order, "evidence.shown", "R9.1", case=case.id, by=reviewer, digest=digest)

    async def seen(self, session: AsyncSession, case: Case, reviewer: StaffId, whole: bool) -> None:
        """R9.1: so is every reading of a case. whole: with the masked identity and the evidence list."""
        event = "identity.shown" if whole else "case.shown"
        await note(session, case.order, event, "R9.1", "case", case=case.id, by=reviewer)

    async def _move(self, session: AsyncSession, case: Case, to: CaseState, **also: Any) -> None:
        if case.state not in states_before(to):
            raise ValueError(f"a case cannot go from {case.state} to {to}")
        await self._change(session, case, state=to, **also)

    async def _change(self, session: AsyncSession, case: Case, **values: Any) -> None:
        """The caller holds the row; the condition is for the day when somebody forgets to."""
        changed = await session.execute(
            sa.update(C).where(C.id == case.id, C.state == case.state).values(**values).returning(C.id)
        )
        changed.one()


async def _note(session: AsyncSession, case: Case, what: str, reason: str = "", **details: Any) -> None:
    await note(session, case.order, f"case.{what}", "R4.2", reason, case=case.id, **details)


async def _one(session: AsyncSession, where: sa.ColumnElement[bool], lock: bool = False) -> Case | None:
    query = sa.select(*_COLUMNS).where(where)
    row = (await session.execute(query.with_for_update() if lock else query)).first()
    return None if row is None else _case(row)


def _written(proposal: Proposal | None, objections: Sequence[Objection]) -> dict[str, Any] | None:
    """The column `proposal`: the one that stands, beside the objections to those before."""
    objected = [
        {
            "to": _members(each.proposal),
            "checker": each.checker,
            "reason": each.reason,
            "at": each.at.isoformat(),
        }
        for each in objections
    ]
    stands = _members(proposal) if proposal else {}
    return {**stands, **({"objections": objected} if objected else {})} or None


def _members(proposal: Proposal) -> dict[str, Any]:
    return {"maker": proposal.maker, "outcome": proposal.outcome, "reason": proposal.reason}


def _proposal(written: dict[str, Any]) -> Proposal:
    return Proposal(StaffId(written["maker"]), ReviewOutcome(written["outcome"]), written["reason"])


def _objection(written: dict[str, Any]) -> Objection:
    return Objection(
        _proposal(written["to"]),
        StaffId(written["checker"]),
        written["reason"],
        datetime.fromisoformat(written["at"]),
    )


def _case(row: Any) -> Case:
    written: dict[str, Any] = row.proposal or {}
    return Case(
        id=CaseId(row.id),
        order=OrderId(row.order_id),
        stage=ReviewStage(row.stage),
        state=CaseState(row.state),
        reasons=tuple(Reason(each) for each in row.reasons),
        two_people=row.two_people,
        about=row.about,
        claimed_by=StaffId(row.claimed_by) if row.claimed_by else None,
        claimed_until=row.claimed_until,
        proposal=_proposal(written) if "maker" in written else None,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        objections=tuple(_objection(each) for each in written.get("objections", ())),
    )
