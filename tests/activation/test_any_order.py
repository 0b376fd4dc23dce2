"""Orders, deliveries, checks, reviewers, holds and time in any order: no card is ever on without its proof.

Hypothesis drives the real flow on a real database. What must be proven is written here a second time,
without the gate.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from activation.adapters.sql.decisions import Question
from activation.adapters.sql.engine import open_engine, open_sessions
from activation.adapters.sql.holds import HoldView
from activation.adapters.sql.orders import Document, OrderView
from activation.adapters.sql.tables import CardPlaceRow, HlrSubscriberRow, OrderRow, SimRow
from activation.evidence import (
    CapturesMeasured,
    FaceSource,
    Facts,
    Handover,
    HandoverOutcome,
    Hold,
    QuotaPlace,
    RegistryAnswer,
    RegistryVerdict,
    ReviewDecision,
    ReviewOutcome,
    ReviewStage,
    SimBinding,
    VideoCheckMeasured,
)
from activation.gate import Pass
from activation.holds import Scope
from activation.ids import Iccid, Imsi, OrderId, StaffId
from activation.order import HOLDS_A_PLACE, OrderState
from activation.sim import SimState
from activation.upkeep import Upkeep
from activation.weighing import latest
from app.compliance.holds.desk import HoldDesk, NewHold
from tests.activation.stand_ins import (
    DOCUMENT,
    POLICY,
    PromptWork,
    captures,
    card,
    face,
    handover,
    make_bench,
    now,
    run_mission,
    video_check,
)

T = TypeVar("T")
OTHER = Document("别人", "110105194912310038", "")
MAKER, CHECKER = StaffId.new(), StaffId.new()
SIMILAR, DOUBTFUL, DIFFERENT = 0.9, 0.4, 0.1
CARDS, HOLDS = 8, 3


class AnyOrder(RuleBasedStateMachine):
    template: Path
    #: Orders that became active in all runs; a machine that activates nothing proves nothing.
    activated: set[OrderId] = set()  # noqa: RUF012
    orders = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="kaika-any-"))
        shutil.copy(self.template, self.folder / "db.sqlite")
        self.loop = asyncio.new_event_loop()
        self.engine = open_engine(f"sqlite:///{self.folder / 'db.sqlite'}")
        sessions = open_sessions(self.engine)
        self.work = PromptWork(sessions)
        self.bench = make_bench(sessions, self.work)
        self.desk = HoldDesk(sessions, now, self.work)
        self.placed: list[HoldView] = []
        #: Whose subscriber may have been switched off and on again.
        self.held_while_on: set[OrderId] = set()
        self.do(self.bench.furnish(CARDS))

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.do(self.engine.dispose())
        self.loop.close()
        shutil.rmtree(self.folder)

    def order(self, order_id: OrderId) -> OrderView:
        return self.do(self.bench.order(order_id))

    # What may happen.

    @rule(
        target=orders,
        document=st.sampled_from([DOCUMENT, OTHER]),
        similarity=st.sampled_from([SIMILAR, SIMILAR, DOUBTFUL, DIFFERENT]),
    )
    def apply(self, document: Document, similarity: float) -> OrderId | None:
        async def apply() -> OrderId | None:
            if len(await self._orders()) >= CARDS:
                return None
            order_id = await self.bench.draft()
            await self.bench.submit(order_id, document, similarity)
            return order_id

        return self.do(apply())

    @rule(order_id=orders, document=st.sampled_from([DOCUMENT, OTHER]), valid=st.booleans())
    def submit_again(self, order_id: OrderId | None, document: Document, valid: bool) -> None:
        async def submit() -> None:
            async with self.bench.sessions.begin() as session:
                assert order_id is not None
                given = replace(captures(document), valid_today=valid)
                await self.bench.flow.submit(session, order_id, document, given)

        if order_id is not None:
            self.do(submit())

    @rule(verdict=st.sampled_from([RegistryVerdict.MATCH, *RegistryVerdict]))
    def registry_changes(self, verdict: RegistryVerdict) -> None:
        silent = verdict is RegistryVerdict.UNAVAILABLE
        self.bench.registry.verdict = None if silent else verdict

    @rule(
        order_id=orders,
        outcome=st.sampled_from([HandoverOutcome.HANDED_OVER, *HandoverOutcome]),
        right_card=st.sampled_from([True, True, False]),
        confirmed=st.sampled_from([True, True, False]),
        photo=st.sampled_from([None, SIMILAR, DIFFERENT]),
    )
    def deliver(
        self,
        order_id: OrderId | None,
        outcome: HandoverOutcome,
        right_card: bool,
        confirmed: bool,
        photo: float | None,
    ) -> None:
        if order_id is None or (iccid := self.order(order_id).iccid) is None:
            return
        fact = handover(order_id, iccid if right_card else card(99)[0], outcome)
        fact = replace(fact, code_matched=confirmed)
        if photo is not None:
            seen = face(FaceSource.COURIER_PHOTO, FaceSource.FRONT_PORTRAIT, photo)
            fact = replace(fact, photo=DOCUMENT.identity.name, comparisons=(seen,))
        self.do(self.bench.record(order_id, fact))

    @rule(
        order_id=orders,
        similarity=st.sampled_from([SIMILAR, SIMILAR, DOUBTFUL, DIFFERENT]),
        shown=st.sampled_from(["card", "card", "other card", "no card"]),
        document=st.sampled_from([DOCUMENT, DOCUMENT, OTHER]),
        planarity=st.sampled_from([0.03, 0.03, 0.001, None]),
    )
    def check(
        self,
        order_id: OrderId | None,
        similarity: float,
        shown: str,
        document: Document,
        planarity: float | None,
    ) -> None:
        if order_id is None or (iccid := self.order(order_id).iccid) is None:
            return
        cards = {"card": iccid, "other card": card(99)[0], "no card": None}
        measured = video_check(cards[shown], similarity, document.identity)
        assert measured.liveness is not None
        measured = replace(measured, liveness=replace(measured.liveness, planarity=planarity))
        self.do(self.bench.record(order_id, measured))

    @rule(
        order_id=orders,
        stage=st.sampled_from(ReviewStage),
        outcome=st.sampled_from([ReviewOutcome.APPROVE, ReviewOutcome.APPROVE, *ReviewOutcome]),
        two=st.booleans(),
        about=st.integers(0, 12),
    )
    def review(
        self, order_id: OrderId | None, stage: ReviewStage, outcome: ReviewOutcome, two: bool, about: int
    ) -> None:
        if order_id is not None:
            checker = CHECKER if two else None
            self.do(
                self.bench.record(order_id, ReviewDecision(now(), stage, outcome, "", MAKER, checker, about))
            )

    @rule(order_id=orders, placed=st.booleans())
    def hold(self, order_id: OrderId | None, placed: bool) -> None:
        if order_id is None:
            return
        self.note_who_is_on()
        self.do(self.bench.record(order_id, Hold(now(), "order", placed, MAKER, "")))

    @rule(order_id=orders, wide=st.booleans())
    def place(self, order_id: OrderId | None, wide: bool) -> None:
        """A hold by scope, over everything or over one order; of an active one it suspends the subscriber."""
        scope = Scope.parse("all" if wide or order_id is None else f"order:{order_id}")
        if len(self.placed) < HOLDS:
            self.note_who_is_on()
            placed = self.do(self.desk.place(MAKER, NewHold(scope, "as ordered")))
            self.placed += [placed] if isinstance(placed, HoldView) else []

    @rule(choice=st.integers(0, HOLDS))
    def lift(self, choice: int) -> None:
        if self.placed:
            self.note_who_is_on()
            self.do(self.desk.lift(MAKER, self.placed.pop(choice % len(self.placed)).id, "it is over"))

    @rule()
    def everything_is_lifted(self) -> None:
        while self.placed:
            self.lift(0)
        self.everything_runs()

    def note_who_is_on(self) -> None:
        on = sa.select(OrderRow.id).where(OrderRow.state.in_([OrderState.ACTIVATING, OrderState.ACTIVE]))

        async def read() -> list[str]:
            async with self.bench.sessions.begin() as session:
                return list(await session.scalars(on))

        self.held_while_on |= {OrderId(each) for each in self.do(read())}

    @rule(
        order_id=orders,
        state=st.sampled_from([OrderState.CANCELLED, OrderState.RETURNED]),
        seldom=st.sampled_from([True, False, False, False]),
    )
    def end(self, order_id: OrderId | None, state: OrderState, seldom: bool) -> None:
        async def end() -> None:
            async with self.bench.sessions.begin() as session:
                assert order_id is not None
                await self.bench.flow.end(session, order_id, state)

        if order_id is not None and seldom:
            self.do(end())

    @rule(choice=st.integers(0, 100))
    def one_mission_runs(self, choice: int) -> None:
        waiting = list(self.work.enqueued)
        if waiting:
            key = waiting[choice % len(waiting)]
            mission, order_id, _ = self.work.enqueued.pop(key)
            if mission != "tell":
                self.do(run_mission(self.bench.flow, mission, order_id))

    @rule(order_id=orders)
    def goes_well(self, order_id: OrderId | None) -> None:
        """What an honest applicant and courier do next; without it few orders would come far."""
        if order_id is None:
            return
        self.bench.registry.verdict = RegistryVerdict.MATCH
        self.everything_runs()
        order = self.order(order_id)
        if order.iccid is None:
            return
        document = DOCUMENT if order.identity == DOCUMENT.identity else OTHER
        self.do(self.bench.handed_over(order_id))
        self.do(self.bench.checked(order_id, document=document))
        self.everything_runs()

    @rule()
    def everything_runs(self) -> None:
        self.do(self._run())
        self.do(self._check_held())

    async def _run(self) -> None:
        while self.work.enqueued or await self.desk.bring_back():
            await self.work.run(self.bench.flow)

    async def _check_held(self) -> None:
        """R9.3: whoever is held is off; nobody is being switched on while everything is held."""
        async with self.bench.sessions.begin() as session:
            for hold in self.placed:
                if hold.scope.value:
                    card = await self.bench.store.sims.of_order(session, OrderId(hold.scope.value))
                    assert card is None or card.state not in (SimState.ACTIVE, SimState.ACTIVATING)
                else:
                    states = await session.scalars(sa.select(OrderRow.state))
                    assert OrderState.ACTIVATING not in states.all()

    @rule()
    def time_passes(self) -> None:
        async def pass_time() -> None:
            async with self.bench.sessions.begin() as session:
                due = sa.update(OrderRow).where(OrderRow.due_at.is_not(None), OrderRow.state != "draft")
                await session.execute(due.values(due_at=now()))
            await Upkeep(self.bench.flow).sweep()

        self.do(pass_time())

    # What must hold.

    @invariant()
    def every_card_that_is_on_has_its_proof(self) -> None:
        self.do(self._check_cards())

    async def _check_cards(self) -> None:
        async with self.bench.sessions.begin() as session:
            on = await session.execute(
                sa.select(HlrSubscriberRow.imsi, HlrSubscriberRow.switched_on).where(
                    sa.or_(HlrSubscriberRow.cs_enabled, HlrSubscriberRow.ps_enabled)
                )
            )
            switched = {Imsi(row.imsi): row.switched_on for row in on}
            found = await session.execute(
                sa.select(SimRow.imsi, SimRow.order_id, SimRow.state).where(
                    sa.or_(SimRow.imsi.in_(switched), SimRow.state == SimState.ACTIVE)
                )
            )
            cards = found.all()
        for row in cards:
            assert row.order_id is not None
            await self._check_order(OrderId(row.order_id))
            assert row.imsi in switched
            assert row.state in (SimState.ACTIVATING, SimState.ACTIVE)
            if row.order_id not in self.held_while_on:
                assert switched[row.imsi] == 1

    async def _check_order(self, order_id: OrderId) -> None:
        async with self.bench.sessions.begin() as session:
            order = await self.bench.store.orders.read(session, order_id)
            assert order is not None
            assert order.state in (OrderState.ACTIVATING, OrderState.ACTIVE)
            held = sa.select(CardPlaceRow.place).where(CardPlaceRow.order_id == order_id)
            assert await session.scalar(held) is not None
            decisions = await self.bench.store.decisions.of_order(session, order_id)
        passed = [one for one in decisions if one.question is Question.MAY_ACTIVATE and one.answer == Pass()]
        assert passed
        assert order.iccid is not None
        assert missing_proof(passed[-1].facts, order.iccid) == []
        if order.state is OrderState.ACTIVE:
            self.activated.add(order_id)

    @invariant()
    def no_document_has_more_than_its_places(self) -> None:
        self.do(self._check_places())

    async def _check_places(self) -> None:
        async with self.bench.sessions.begin() as session:
            counted = await session.execute(
                sa.select(OrderRow.number_digest, sa.func.count())
                .where(OrderRow.state.in_(HOLDS_A_PLACE - {OrderState.SUBMITTED, OrderState.IN_REVIEW}))
                .group_by(OrderRow.number_digest)
            )
            assert all(count <= POLICY.card_limit for _, count in counted.all())

    async def _orders(self) -> list[str]:
        async with self.bench.sessions.begin() as session:
            return list(await session.scalars(sa.select(OrderRow.id)))


def missing_proof(facts: Facts, iccid: Iccid) -> list[str]:
    """What the facts of an activation do not prove; written without the gate."""
    submitted_at, given = latest(facts, CapturesMeasured)
    _, registry = latest(facts, RegistryAnswer)
    _, quota = latest(facts, QuotaPlace)
    _, sim = latest(facts, SimBinding)
    _, handed = latest(facts, Handover)
    approvals = [
        fact
        for fact in facts.evidence
        if isinstance(fact, ReviewDecision) and fact.outcome is ReviewOutcome.APPROVE
    ]

    def approved(index: int, two_people: bool) -> bool:
        return any(one.about >= index and (one.checker is not None or not two_people) for one in approvals)

    def alike(similarity: float, index: int) -> bool:
        return similarity >= 0.5 or approved(index, two_people=similarity < 0.3)

    def good(index: int, check: VideoCheckMeasured) -> bool:
        return (
            given is not None
            and check.document.number == given.identity.number
            and (check.document.name == given.identity.name or approved(index, False))
            and check.iccid == iccid
            and check.liveness is not None
            and check.liveness.planarity is not None
            and check.liveness.planarity > 0.01
            and all(alike(one.similarity, index) for one in check.comparisons)
            and len(check.comparisons) == 3
        )

    checks = [(at, fact) for at, fact in enumerate(facts.evidence) if isinstance(fact, VideoCheckMeasured)]
    holds = {fact.hold: fact.placed for fact in facts.evidence if isinstance(fact, Hold)}
    proven = {
        "precheck": given is not None
        and given.valid_today
        and given.handheld_number == given.identity.number,
        "precheck face": given is not None and alike(given.comparisons[0].similarity, submitted_at),
        "registry": given is not None
        and registry is not None
        and registry.identity == given.identity
        and (
            registry.verdict is RegistryVerdict.MATCH
            or (registry.verdict is RegistryVerdict.UNKNOWN and bool(approvals))
        ),
        "quota place": quota is not None and quota.place is not None and 1 <= quota.place <= 5,
        "card": sim is not None and sim.iccid == iccid,
        "handover": handed is not None
        and handed.outcome is HandoverOutcome.HANDED_OVER
        and (handed.order, handed.iccid) == (facts.order, iccid)
        and handed.code_matched,
        "video check": any(good(at, check) for at, check in checks),
        "no hold": not any(holds.values()),
        "no refusal": not any(
            isinstance(fact, ReviewDecision) and fact.outcome is ReviewOutcome.REFUSE
            for fact in facts.evidence
        ),
    }
    return [name for name, holds_true in proven.items() if not holds_true]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_card_is_ever_on_without_its_proof(sqlite_template: Path) -> None:
    AnyOrder.template = sqlite_template
    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            max_examples=70,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
    assert AnyOrder.activated
