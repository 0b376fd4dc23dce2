"""Where the flow lays down cases and reviewers decide them. A decision is one more fact for the gate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.store import Store
from activation.evidence import Facts, Handover, ReviewDecision, ReviewOutcome, ReviewStage
from activation.findings import Reason
from activation.ids import CaseId, Digest, OrderId, StaffId
from activation.order import FINAL
from activation.ports import Clock, OrderFile
from app.review.case import CaseState, takes_second_person
from app.review.cases import Case, Cases, Objection, Proposal
from app.review.view import CaseSeen, see_case


class CaseRefusal(StrEnum):
    """Why a reviewer cannot do something with a case."""

    NOT_FOUND = "not_found"
    CLAIMED_BY_ANOTHER = "claimed_by_another"
    NOT_CLAIMED = "not_claimed"
    WRONG_STATE = "wrong_state"
    MAKER_IS_CHECKER = "maker_is_checker"
    TOOK_PART = "took_part"
    ORDER_OVER = "order_over"


@dataclass(frozen=True)
class FlowDesk:
    """`activation.ports.CaseDesk`: what the flow needs of review."""

    cases: Cases

    async def open_case(
        self,
        session: AsyncSession,
        order_id: OrderId,
        stage: ReviewStage,
        reasons: tuple[Reason, ...],
        two_people: bool,
        about: int,
        at: datetime,
    ) -> CaseId:
        """The order's undecided case of the stage, widened, or a new one. The same again changes nothing."""
        case = await self.cases.lock_open(session, order_id, stage)
        if case is None:
            case = Case(
                id=CaseId.new(),
                order=order_id,
                stage=stage,
                state=CaseState.OPEN,
                reasons=reasons,
                two_people=two_people,
                about=about,
                claimed_by=None,
                claimed_until=None,
                proposal=None,
                opened_at=at,
                closed_at=None,
            )
            await self.cases.create(session, case)
        elif about > case.about or not set(reasons) <= set(case.reasons):
            # What the gate finds now is what is open now; reasons that have gone are not shown again.
            await self.cases.widen(session, case, reasons, two_people, max(about, case.about))
        return case.id


@dataclass(frozen=True)
class ReviewDesk:
    """Use cases of reviewers. Each call is one transaction; the row of the case is held throughout."""

    sessions: async_sessionmaker[AsyncSession]
    readers: async_sessionmaker[AsyncSession]
    clock: Clock
    store: Store
    cases: Cases
    orders: OrderFile

    async def queue(self) -> list[Case]:
        """What waits for people, oldest first."""
        async with self.readers() as session:
            return await self.cases.queue(session)

    async def see(self, reviewer: StaffId, case_id: CaseId) -> CaseSeen | CaseRefusal:
        """The case; with identity and evidence where the reviewer has claimed it."""
        async with self.sessions.begin() as session:
            case = await self.cases.read(session, case_id)
            if case is None:
                return CaseRefusal.NOT_FOUND
            claimed = case.is_with(reviewer, self.clock())
            await self.cases.seen(session, case, reviewer, whole=claimed)
            return await see_case(session, case, claimed=claimed)

    async def look(self, reviewer: StaffId, case_id: CaseId, digest: Digest) -> OrderId | CaseRefusal:
        """R9.1: writes the look down and says in whose evidence the reviewer may look."""
        now = self.clock()
        async with self.sessions.begin() as session:
            case = await self.cases.read(session, case_id)
            if case is None:
                return CaseRefusal.NOT_FOUND
            if not case.is_with(reviewer, now):
                return CaseRefusal.NOT_CLAIMED
            await self.cases.looked(session, case, reviewer, digest, now)
            return case.order

    async def claim(self, reviewer: StaffId, case_id: CaseId) -> Case | CaseRefusal:
        """The case is the reviewer's for 15 minutes; claiming again starts them anew."""
        now = self.clock()
        async with self.sessions.begin() as session:
            case = await self.cases.lock(session, case_id)
            if case is None:
                return CaseRefusal.NOT_FOUND
            if refusal := await self._why_not(session, case, reviewer, now):
                return refusal
            await self.cases.claim(session, case, reviewer, now)
            return await self.cases.read(session, case_id) or CaseRefusal.NOT_FOUND

    async def propose(
        self, reviewer: StaffId, case_id: CaseId, outcome: ReviewOutcome, reason: str
    ) -> Case | CaseRefusal:
        """Decides the case, or leaves it to a second person where a failed check would be overridden."""
        now = self.clock()
        async with self.sessions.begin() as session:
            case = await self._claimed(session, reviewer, case_id, CaseState.CLAIMED, now)
            if isinstance(case, CaseRefusal):
                return case
            proposal = Proposal(reviewer, outcome, reason)
            if takes_second_person(case.two_people, case.stage, outcome):
                await self.cases.propose(session, case, proposal)
            else:
                await self._decide(session, case, proposal, None, now)
            return await self.cases.read(session, case_id) or CaseRefusal.NOT_FOUND

    async def confirm(
        self, reviewer: StaffId, case_id: CaseId, agree: bool, reason: str
    ) -> Case | CaseRefusal:
        """The second person's word. Without agreement the case is open again, with the objection."""
        now = self.clock()
        async with self.sessions.begin() as session:
            case = await self._claimed(session, reviewer, case_id, CaseState.PROPOSED, now)
            if isinstance(case, CaseRefusal):
                return case
            if case.proposal is None or case.proposal.maker == reviewer:
                return CaseRefusal.MAKER_IS_CHECKER
            if agree:
                both = f"{case.proposal.reason} | {reason}"
                proposal = Proposal(case.proposal.maker, case.proposal.outcome, both)
                await self._decide(session, case, proposal, reviewer, now)
            else:
                objection = Objection(case.proposal, reviewer, reason, now)
                await self.cases.reopen(session, case, objection)
            return await self.cases.read(session, case_id) or CaseRefusal.NOT_FOUND

    async def _claimed(
        self, session: AsyncSession, reviewer: StaffId, case_id: CaseId, state: CaseState, now: datetime
    ) -> Case | CaseRefusal:
        seen = await self.cases.read(session, case_id)
        if seen is None:
            return CaseRefusal.NOT_FOUND
        # First the order, then the case, as the flow does: in the other order each would wait for the other.
        order = await self.store.orders.lock(session, seen.order)
        case = await self.cases.lock(session, case_id)
        if case is None:
            return CaseRefusal.NOT_FOUND
        if case.state is not state:
            return CaseRefusal.WRONG_STATE
        if not case.is_with(reviewer, now):
            return CaseRefusal.NOT_CLAIMED
        return CaseRefusal.ORDER_OVER if order.state in FINAL else case

    async def _why_not(
        self, session: AsyncSession, case: Case, reviewer: StaffId, now: datetime
    ) -> CaseRefusal | None:
        if case.state is CaseState.DECIDED:
            return CaseRefusal.WRONG_STATE
        if case.is_with_another(reviewer, now):
            return CaseRefusal.CLAIMED_BY_ANOTHER
        if case.proposal is not None and case.proposal.maker == reviewer:
            return CaseRefusal.MAKER_IS_CHECKER
        order = await self.store.orders.read(session, case.order)
        if order is None or order.state in FINAL:
            return CaseRefusal.ORDER_OVER
        facts = await self.store.facts.load(session, case.order)
        return CaseRefusal.TOOK_PART if took_part(reviewer, facts) else None

    async def _decide(
        self,
        session: AsyncSession,
        case: Case,
        proposal: Proposal,
        checker: StaffId | None,
        now: datetime,
    ) -> None:
        await self.cases.decide(session, case, proposal, now)
        fact = ReviewDecision(
            at=now,
            stage=case.stage,
            outcome=proposal.outcome,
            reason=proposal.reason,
            maker=proposal.maker,
            checker=checker,
            about=case.about,
        )
        await self.orders.record(session, case.order, fact)


def took_part(person: StaffId, facts: Facts) -> bool:
    """Whether somebody made evidence at the door about which they would now judge."""
    return any(isinstance(fact, Handover) and fact.courier == person for fact in facts.evidence)
