"""Every turn an order can take, on sandbox adapters and without durability, so that it is quick."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.orders import Document
from activation.adapters.sql.tables import CardPlaceRow, FactRow, NumberRow
from activation.evidence import (
    FaceConsent,
    FaceSource,
    HandoverOutcome,
    Hold,
    RegistryVerdict,
    ReviewDecision,
    ReviewOutcome,
    ReviewStage,
)
from activation.findings import Reason
from activation.gate import Pass, Review, Wait
from activation.ids import Imsi, OrderId, StaffId
from activation.order import OrderState as S
from activation.ports import HlrFault, MessageKind, Subscriber
from activation.sim import SimState
from activation.steps import AGAIN_AFTER
from activation.upkeep import Upkeep
from app.check_standing import new_check_wanted
from tests.activation.stand_ins import (
    DOCUMENT,
    PICTURES,
    Bench,
    PromptWork,
    face,
    handover,
    make_bench,
    msisdn,
    now,
    video_check,
)

REVIEWER, SECOND = StaffId.new(), StaffId.new()
OTHER = Document("别人", "110105194912310038", "")


class Scene:
    """A bench and its work."""

    def __init__(self, bench: Bench, work: PromptWork) -> None:
        self.bench, self.work = bench, work

    async def run(self) -> None:
        await self.work.run(self.bench.flow)

    async def submitted(self, document: Document = DOCUMENT, similarity: float = 0.9) -> OrderId:
        order_id = await self.bench.draft()
        assert await self.bench.submit(order_id, document, similarity)
        await self.run()
        return order_id

    async def happens(self, order_id: OrderId, fact: object) -> S:
        await self.bench.record(order_id, fact)
        await self.run()
        return (await self.bench.order(order_id)).state

    async def sweep(self) -> None:
        await Upkeep(self.bench.flow).sweep()
        await self.run()

    async def time_passes(self, order_id: OrderId) -> None:
        """The order's due date comes."""
        async with self.bench.sessions.begin() as session:
            due = (await self.bench.order(order_id)).due_at
            assert due is not None, "nothing would ever look at the order again"
            await self.bench.store.orders.put_off(session, order_id, now())
        await self.sweep()

    async def state(self, order_id: OrderId) -> S:
        return (await self.bench.order(order_id)).state

    async def subscriber(self, order_id: OrderId) -> Subscriber | None:
        async with self.bench.sessions.begin() as session:
            card = await self.bench.store.sims.of_order(session, order_id)
        return None if card is None else await self.bench.hlr.read(card.imsi)


@pytest.fixture
async def scene(sessions: async_sessionmaker[AsyncSession]) -> Scene:
    work = PromptWork(sessions)
    bench = make_bench(sessions, work)
    await bench.furnish()
    return Scene(bench, work)


def review(
    outcome: ReviewOutcome, about: int, stage: ReviewStage = ReviewStage.SHIP, second: bool = False
) -> ReviewDecision:
    return ReviewDecision(now(), stage, outcome, "seen", REVIEWER, SECOND if second else None, about)


def hold(placed: bool) -> Hold:
    return Hold(now(), "order", placed, REVIEWER, "asked by the authority")


async def test_the_two_last_facts_may_come_in_either_order(scene: Scene) -> None:
    """R4.3"""
    first, second = await scene.submitted(), await scene.submitted(OTHER)
    assert await scene.state(first) is S.SHIPPED
    await scene.bench.handed_over(first)
    await scene.run()
    assert await scene.state(first) is S.DELIVERED
    await scene.bench.checked(first)
    await scene.run()
    assert await scene.state(first) is S.ACTIVE
    await scene.bench.checked(second, document=OTHER)
    await scene.run()
    assert await scene.state(second) is S.VERIFIED
    await scene.bench.handed_over(second)
    await scene.run()
    assert await scene.state(second) is S.ACTIVE


async def test_both_facts_before_anybody_decided(scene: Scene) -> None:
    order_id = await scene.submitted()
    await scene.bench.checked(order_id)
    await scene.bench.handed_over(order_id)
    await scene.run()
    assert await scene.state(order_id) is S.ACTIVE


async def test_a_card_in_the_post_is_off(scene: Scene) -> None:
    """R4.1"""
    order_id = await scene.submitted()
    subscriber = await scene.subscriber(order_id)
    assert subscriber is not None
    assert subscriber.is_off
    assert subscriber.msisdn == (await scene.bench.order(order_id)).msisdn


@pytest.mark.parametrize("verdict", [RegistryVerdict.MISMATCH, RegistryVerdict.UNKNOWN])
async def test_nothing_ships_that_the_registry_does_not_know(scene: Scene, verdict: RegistryVerdict) -> None:
    """R1.5, R3.2"""
    scene.bench.registry.verdict = verdict
    order_id = await scene.submitted()
    expected = S.REFUSED if verdict is RegistryVerdict.MISMATCH else S.IN_REVIEW
    assert await scene.state(order_id) is expected
    assert await scene.subscriber(order_id) is None


async def test_a_silent_registry_is_asked_again_when_the_order_is_due(scene: Scene) -> None:
    scene.bench.registry.verdict = None
    order_id = await scene.submitted()
    assert await scene.state(order_id) is S.SUBMITTED
    await scene.time_passes(order_id)
    await scene.time_passes(order_id)
    assert await scene.state(order_id) is S.SUBMITTED
    async with scene.bench.sessions.begin() as session:
        kinds = (await session.scalars(sa.select(FactRow.kind).order_by(FactRow.seq))).all()
    assert kinds == ["captures", "registry", "quota"]  # silence is one fact, however long it lasts
    scene.bench.registry.verdict = RegistryVerdict.MATCH
    await scene.time_passes(order_id)
    assert await scene.state(order_id) is S.SHIPPED
    assert len(set(scene.bench.registry.keys)) == 1  # every question carries the same idempotency key


async def test_the_sixth_card_of_a_document_is_refused_and_a_place_comes_back(scene: Scene) -> None:
    """R2.1"""
    orders = [await scene.submitted() for _ in range(6)]
    assert [await scene.state(one) for one in orders] == [S.SHIPPED] * 5 + [S.REFUSED]
    async with scene.bench.sessions.begin() as session:
        assert await scene.bench.flow.end(session, orders[2], S.CANCELLED)
    await scene.run()
    assert await scene.state(await scene.submitted()) is S.SHIPPED
    assert await scene.state(await scene.submitted()) is S.REFUSED


async def test_a_refused_order_gives_everything_back_and_is_told_so(scene: Scene) -> None:
    scene.bench.registry.verdict = RegistryVerdict.MISMATCH
    order_id = await scene.submitted()
    async with scene.bench.sessions.begin() as session:
        assert (await session.scalars(sa.select(CardPlaceRow.place))).all() == []
        assert set(await session.scalars(sa.select(NumberRow.held_by))) == {None}
    await scene.bench.flow.tell(order_id, MessageKind.ORDER_REFUSED, "")
    text = await scene.bench.told(order_id, MessageKind.ORDER_REFUSED)
    for reason in Reason:
        assert reason.value not in text


async def test_an_uncertain_face_goes_to_a_reviewer_and_on_approval_is_shipped(scene: Scene) -> None:
    order_id = await scene.submitted(similarity=0.4)
    assert await scene.state(order_id) is S.IN_REVIEW
    [(opened, stage, reasons, two_people, about)] = scene.bench.desk.opened
    assert (opened, stage, two_people) == (order_id, ReviewStage.SHIP, False)
    assert reasons == (Reason.PRECHECK_FACE_UNCERTAIN,)
    assert await scene.happens(order_id, review(ReviewOutcome.APPROVE, about)) is S.SHIPPED


async def test_a_different_face_takes_two_reviewers(scene: Scene) -> None:
    order_id = await scene.submitted(similarity=0.1)
    about = scene.bench.desk.opened[0][-1]
    assert await scene.happens(order_id, review(ReviewOutcome.APPROVE, about)) is S.IN_REVIEW
    assert await scene.happens(order_id, review(ReviewOutcome.APPROVE, about, second=True)) is S.SHIPPED


async def test_new_captures_lead_back_to_the_draft_and_on_from_there(scene: Scene) -> None:
    """R1.4"""
    order_id = await scene.submitted(similarity=0.4)
    assert await scene.happens(order_id, review(ReviewOutcome.NEW_CAPTURE, 2)) is S.DRAFT
    async with scene.bench.sessions.begin() as session:
        assert (await session.scalars(sa.select(CardPlaceRow.place))).all() == []
    assert await scene.bench.submit(order_id)
    await scene.run()
    assert await scene.state(order_id) is S.SHIPPED


@pytest.mark.parametrize("withdrawn_in", [S.IN_REVIEW, S.DELIVERED])
async def test_face_recognition_agreed_to_anew_wants_new_captures_or_leads_nowhere(
    scene: Scene, withdrawn_in: S
) -> None:
    """R9.4: the pictures from before are destroyed. After shipping there are store and attended call."""
    before = withdrawn_in is S.IN_REVIEW
    order_id = await scene.submitted(similarity=0.4 if before else 0.9)
    if not before:
        await scene.bench.checked(order_id, similarity=0.4)
        await scene.bench.handed_over(order_id)
        await scene.run()
    assert await scene.state(order_id) is withdrawn_in
    assert await scene.happens(order_id, FaceConsent(now(), False, "2026-1")) is withdrawn_in
    anew = await scene.happens(order_id, FaceConsent(now(), True, "2026-1"))
    if before:
        assert anew is S.DRAFT
        assert await scene.bench.submit(order_id)
        await scene.run()
        assert await scene.state(order_id) is S.SHIPPED
        return
    assert anew is S.DELIVERED
    await scene.bench.checked(order_id)
    await scene.run()
    assert await scene.state(order_id) is S.DELIVERED
    assert not told(scene, MessageKind.NEW_CHECK_WANTED)
    subscriber = await scene.subscriber(order_id)
    assert subscriber is not None
    assert subscriber.is_off


async def test_a_hold_stops_an_accepted_order_until_it_is_lifted(scene: Scene) -> None:
    """R9.3"""
    order_id = await scene.bench.draft()
    await scene.bench.submit(order_id)
    await scene.bench.flow.accept(order_id)
    assert await scene.happens(order_id, hold(True)) is S.ACCEPTED
    assert await scene.happens(order_id, hold(False)) is S.SHIPPED


async def test_a_hold_that_comes_after_the_decision_stops_the_switch(scene: Scene) -> None:
    """R9.3: between step 1 and step 2 of `decide`."""
    order_id = await scene.submitted()
    await scene.bench.handed_over(order_id)
    await scene.bench.checked(order_id)
    switching = scene.bench.flow.switching
    async with scene.bench.sessions.begin() as session:
        imsi = Imsi(await scene.bench.flow._decide(session, order_id) or "")
    assert await scene.state(order_id) is S.ACTIVATING
    await scene.bench.record(order_id, hold(True))
    assert not await switching.switch_on(order_id, imsi)
    await scene.run()
    subscriber = await scene.subscriber(order_id)
    assert subscriber is not None
    assert subscriber.is_off
    assert await scene.state(order_id) is S.VERIFIED
    assert await scene.happens(order_id, hold(False)) is S.ACTIVE
    assert await scene.bench.hlr.switched_on(imsi) == 1


async def test_a_switch_that_nobody_heard_of_is_undone_by_a_hold(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R9.3: the HLR switched on, its answer was lost, and then the order was held."""
    order_id = await scene.submitted()
    await scene.bench.handed_over(order_id)
    await scene.bench.checked(order_id)
    switch_on = scene.bench.hlr.switch_on

    async def unheard(imsi: Imsi) -> Subscriber:
        await switch_on(imsi)
        raise HlrFault("the answer was lost")

    with monkeypatch.context() as patched:
        patched.setattr(scene.bench.hlr, "switch_on", unheard)
        while scene.work.enqueued:
            with suppress(HlrFault):
                await scene.run()
    assert await scene.happens(order_id, hold(True)) is S.VERIFIED
    subscriber = await scene.subscriber(order_id)
    assert subscriber is not None
    assert subscriber.is_off
    assert (await scene.bench.order(order_id)).due_at is None


async def test_another_person_in_the_video_goes_to_two_reviewers_and_stays_off(scene: Scene) -> None:
    """R4.2"""
    order_id = await scene.submitted()
    await scene.bench.handed_over(order_id)
    await scene.bench.checked(order_id, similarity=0.1)
    await scene.run()
    assert await scene.state(order_id) is S.DELIVERED
    assert scene.bench.desk.opened[-1][1:4] == (ReviewStage.ACTIVATE, (Reason.LIVE_FACE_DIFFERS,), True)
    subscriber = await scene.subscriber(order_id)
    assert subscriber is not None
    assert subscriber.is_off
    refused = review(ReviewOutcome.REFUSE, 5, ReviewStage.ACTIVATE)
    assert await scene.happens(order_id, refused) is S.REFUSED
    assert await scene.subscriber(order_id) is None
    async with scene.bench.sessions.begin() as session:
        card = await scene.bench.store.sims.of_order(session, order_id)
        assert card is not None
        assert card.state is SimState.BLOCKED


def told(scene: Scene, kind: MessageKind) -> list[tuple[str, ...]]:
    return [why for mission, _, why in scene.work.missions if mission == "tell" and why[0] == kind]


@pytest.mark.parametrize(
    ("similarity", "outcome", "second"),
    [(0.4, ReviewOutcome.NEW_CAPTURE, False), (0.1, ReviewOutcome.NEW_CAPTURE, True)],
)
async def test_who_is_to_do_a_new_check_is_told_so_once(
    scene: Scene, similarity: float, outcome: ReviewOutcome, second: bool
) -> None:
    order_id = await scene.submitted()
    await scene.bench.handed_over(order_id)
    about = await scene.bench.checked(order_id, similarity)
    await scene.run()
    assert told(scene, MessageKind.NEW_CHECK_WANTED) == []
    # What comes at the same moment hides nothing.
    await scene.bench.record(order_id, review(outcome, about, ReviewStage.ACTIVATE, second))
    await scene.happens(order_id, hold(placed=False))
    await scene.happens(order_id, hold(placed=False))
    assert len(told(scene, MessageKind.NEW_CHECK_WANTED)) == 1
    await scene.bench.checked(order_id)
    await scene.run()
    assert await scene.state(order_id) is S.ACTIVE


async def test_an_approved_sign_of_attack_still_wants_a_new_check_and_says_so(scene: Scene) -> None:
    order_id = await scene.submitted()
    await scene.bench.handed_over(order_id)
    iccid = (await scene.bench.order(order_id)).iccid
    flat = video_check(iccid)
    assert flat.liveness is not None
    about = await scene.bench.record(
        order_id, replace(flat, liveness=replace(flat.liveness, planarity=0.001))
    )
    await scene.run()
    await scene.happens(order_id, review(ReviewOutcome.APPROVE, about, ReviewStage.ACTIVATE, second=True))
    assert len(told(scene, MessageKind.NEW_CHECK_WANTED)) == 1


async def test_a_verified_order_whose_check_was_set_aside_goes_on_with_a_new_one(scene: Scene) -> None:
    """The courier was offline: the door's doubtful photo arrives after the check had been passed."""
    order_id = await scene.submitted()
    await scene.bench.checked(order_id)
    await scene.run()
    assert await scene.state(order_id) is S.VERIFIED
    iccid = (await scene.bench.order(order_id)).iccid
    assert iccid is not None
    unlike = face(FaceSource.COURIER_PHOTO, FaceSource.FRONT_PORTRAIT, 0.4)
    door = replace(handover(order_id, iccid), photo=PICTURES, comparisons=(unlike,))
    about = await scene.bench.record(order_id, door)
    await scene.run()
    await scene.happens(order_id, review(ReviewOutcome.NEW_CAPTURE, about, ReviewStage.ACTIVATE))
    approved = review(ReviewOutcome.APPROVE, about, ReviewStage.ACTIVATE)
    assert await scene.happens(order_id, approved) is S.VERIFIED
    async with scene.bench.sessions.begin() as session:
        order = await scene.bench.store.orders.read(session, order_id)
        assert order is not None
        assert await new_check_wanted(session, order)
    assert told(scene, MessageKind.NEW_CHECK_WANTED)
    await scene.bench.checked(order_id)
    await scene.run()
    assert await scene.state(order_id) is S.ACTIVE


async def test_nobody_is_told_of_a_new_check_who_did_none(scene: Scene) -> None:
    order_id = await scene.submitted()
    about = await scene.bench.handed_over(order_id, HandoverOutcome.MISMATCH)
    await scene.run()
    await scene.happens(order_id, review(ReviewOutcome.APPROVE, about, ReviewStage.ACTIVATE, second=True))
    assert told(scene, MessageKind.NEW_CHECK_WANTED) == []


async def test_not_at_home_waits_for_another_handover(scene: Scene) -> None:
    order_id = await scene.submitted()
    await scene.bench.checked(order_id)
    await scene.bench.handed_over(order_id, HandoverOutcome.NOT_HOME)
    await scene.run()
    assert await scene.state(order_id) is S.VERIFIED
    await scene.bench.handed_over(order_id)
    await scene.run()
    assert await scene.state(order_id) is S.ACTIVE


async def test_an_hlr_that_fails_is_tried_again_when_the_order_is_due(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = await scene.submitted()
    await scene.bench.handed_over(order_id)
    await scene.bench.checked(order_id)

    async def away(imsi: object) -> Subscriber:
        raise HlrFault("the HLR is away")

    with monkeypatch.context() as patched:
        patched.setattr(scene.bench.hlr, "switch_on", away)
        while scene.work.enqueued:
            with suppress(HlrFault):
                await scene.run()
    assert await scene.state(order_id) is S.ACTIVATING
    await scene.time_passes(order_id)
    assert await scene.state(order_id) is S.ACTIVE


async def test_an_empty_stock_is_looked_at_again(scene: Scene) -> None:
    async with scene.bench.sessions.begin() as session:
        for _ in range(10):
            await scene.bench.store.sims.reserve(session, OrderId.new(), now())
    order_id = await scene.submitted()
    assert await scene.state(order_id) is S.ACCEPTED
    await scene.bench.furnish(cards=11)
    await scene.time_passes(order_id)
    assert await scene.state(order_id) is S.SHIPPED


async def test_a_cancelled_order_frees_its_number_in_the_hlr_too(scene: Scene) -> None:
    order_id = await scene.submitted()
    number = (await scene.bench.order(order_id)).msisdn
    async with scene.bench.sessions.begin() as session:
        assert await scene.bench.flow.end(session, order_id, S.CANCELLED)
        assert not await scene.bench.flow.end(session, order_id, S.CANCELLED)
    await scene.run()
    assert await scene.subscriber(order_id) is None
    async with scene.bench.sessions.begin() as session:
        assert number in {free.msisdn for free in await scene.bench.store.numbers.search(session)}
    assert (await scene.bench.order(order_id)).due_at is None


async def test_an_order_that_is_cancelled_while_it_ships_leaves_nothing_behind(scene: Scene) -> None:
    order_id = await scene.bench.draft()
    await scene.bench.submit(order_id)
    await scene.bench.flow.accept(order_id)
    flow = scene.bench.flow
    async with scene.bench.sessions.begin() as session:
        card = await flow.steps.reserve(session, order_id)
        assert card is not None
    async with scene.bench.sessions.begin() as session:
        assert await flow.end(session, order_id, S.CANCELLED)
    await flow.ship(order_id)
    await scene.run()
    assert await scene.subscriber(order_id) is None
    async with scene.bench.sessions.begin() as session:
        assert await scene.bench.store.sims.of_order(session, order_id) is None


async def test_an_active_order_cannot_be_ended_by_cancelling(scene: Scene) -> None:
    order_id = await scene.submitted()
    await scene.bench.handed_over(order_id)
    await scene.bench.checked(order_id)
    await scene.run()
    async with scene.bench.sessions.begin() as session:
        for state in (S.CANCELLED, S.REFUSED, S.RETURNED, S.EXPIRED):
            assert not await scene.bench.flow.end(session, order_id, state)
    assert await scene.state(order_id) is S.ACTIVE


async def test_drafts_expire_after_half_an_hour_and_their_numbers_are_free(scene: Scene) -> None:
    """R1.1"""
    order_id, fresh = await scene.bench.draft(), await scene.bench.draft()
    async with scene.bench.sessions.begin() as session:
        await scene.bench.store.orders.put_off(session, order_id, now())
    await scene.sweep()
    assert await scene.state(order_id) is S.EXPIRED
    assert await scene.state(fresh) is S.DRAFT
    async with scene.bench.sessions.begin() as session:
        free = {number.msisdn for number in await scene.bench.store.numbers.search(session)}
    assert msisdn(0) in free
    assert msisdn(1) not in free
    assert not await scene.bench.submit(order_id)


async def test_the_same_fact_twice_activates_once(scene: Scene) -> None:
    order_id = await scene.submitted()
    for _ in range(3):
        await scene.bench.handed_over(order_id)
        await scene.bench.checked(order_id)
    await scene.run()
    await scene.bench.handed_over(order_id)
    await scene.run()
    assert await scene.state(order_id) is S.ACTIVE
    async with scene.bench.sessions.begin() as session:
        card = await scene.bench.store.sims.of_order(session, order_id)
        assert card is not None
    assert await scene.bench.hlr.switched_on(card.imsi) == 1


async def test_every_decision_replays_to_the_same_answer(scene: Scene) -> None:
    order_id = await scene.submitted(similarity=0.4)
    await scene.happens(order_id, review(ReviewOutcome.APPROVE, 2))
    await scene.bench.handed_over(order_id)
    await scene.run()
    await scene.bench.checked(order_id)
    await scene.run()
    async with scene.bench.sessions.begin() as session:
        decisions = await scene.bench.store.decisions.of_order(session, order_id)
    assert [type(one.answer) for one in decisions] == [Review, Pass, Wait, Pass]
    assert all(decision.replay() == decision.answer for decision in decisions)


async def test_late_missions_change_nothing(scene: Scene) -> None:
    """A mission that was enqueued twice, or resumed after a newer one did its work."""
    order_id = await scene.submitted()
    await scene.bench.handed_over(order_id)
    await scene.bench.checked(order_id)
    await scene.run()
    before = await scene.bench.order(order_id)
    for mission in ("accept", "ship", "decide", "release"):
        await getattr(scene.bench.flow, mission)(order_id)
    await scene.run()
    assert await scene.bench.order(order_id) == before
    async with scene.bench.sessions.begin() as session:
        held = sa.select(NumberRow.held_by).where(NumberRow.msisdn == before.msisdn)
        assert await session.scalar(held) == order_id
    subscriber = await scene.subscriber(order_id)
    assert subscriber is not None
    assert subscriber.is_on


def test_due_dates_are_later_than_a_mission_takes() -> None:
    assert AGAIN_AFTER.total_seconds() >= 60
