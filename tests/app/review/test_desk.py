"""Cases from the gate's doubt to a decision, on both databases. A decision is evidence, no activation."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from activation.evidence import HandoverOutcome, ReviewDecision, ReviewOutcome, ReviewStage
from activation.findings import Reason
from activation.ids import CaseId, Digest, OrderId
from activation.order import OrderState
from app.review.case import CLAIM, CaseState
from app.review.cases import Case
from app.review.desk import CaseRefusal
from app.tables import EvidenceLookRow
from tests.logistics.depot import Depot

Outcome = ReviewOutcome
#: In and below the band of the test policy.
UNCERTAIN, FAILED = 0.4, 0.2


async def the_case(depot: Depot) -> Case:
    (case,) = await depot.review.queue()
    return case


async def doubtful(depot: Depot, similarity: float = UNCERTAIN) -> tuple[OrderId, Case]:
    """An order whose faces the gate doubts before shipping."""
    order = await depot.submitted(similarity)
    assert (await depot.bench.order(order)).state is OrderState.IN_REVIEW
    return order, await the_case(depot)


async def decisions(depot: Depot, order: OrderId) -> list[ReviewDecision]:
    return [fact for fact in (await depot.facts(order)).evidence if isinstance(fact, ReviewDecision)]


async def test_a_doubt_opens_one_case_that_shows_why(depot: Depot) -> None:
    order, case = await doubtful(depot)
    assert case.order == order
    assert case.stage is ReviewStage.SHIP
    assert case.reasons == (Reason.PRECHECK_FACE_UNCERTAIN,)
    assert not case.two_people
    assert case.about == len((await depot.facts(order)).evidence) - 1


async def test_one_reviewer_decides_an_uncertain_case(depot: Depot) -> None:
    order, case = await doubtful(depot)
    reviewer = await depot.reviewer()
    assert not isinstance(await depot.review.claim(reviewer, case.id), CaseRefusal)
    decided = await depot.review.propose(reviewer, case.id, Outcome.APPROVE, "the same person, older")
    assert not isinstance(decided, CaseRefusal)
    assert decided.state is CaseState.DECIDED
    (fact,) = await decisions(depot, order)
    assert (fact.outcome, fact.maker, fact.checker, fact.about) == (
        Outcome.APPROVE,
        reviewer,
        None,
        case.about,
    )
    # The decision is a fact; the gate, asked anew, lets the order ship.
    assert (await depot.bench.order(order)).state is OrderState.IN_REVIEW
    await depot.run()
    assert (await depot.bench.order(order)).state is OrderState.SHIPPED
    assert await depot.review.queue() == []


async def test_overriding_a_failed_check_takes_two_different_people(depot: Depot) -> None:
    order, case = await doubtful(depot, FAILED)
    assert case.two_people
    maker, checker = await depot.reviewer(), await depot.reviewer()
    await depot.review.claim(maker, case.id)
    proposed = await depot.review.propose(maker, case.id, Outcome.APPROVE, "bad light")
    assert not isinstance(proposed, CaseRefusal)
    assert proposed.state is CaseState.PROPOSED
    assert await decisions(depot, order) == []
    assert await depot.review.claim(maker, case.id) is CaseRefusal.MAKER_IS_CHECKER
    assert await depot.review.confirm(maker, case.id, True, "yes") is CaseRefusal.NOT_CLAIMED
    assert await depot.review.confirm(checker, case.id, True, "yes") is CaseRefusal.NOT_CLAIMED
    await depot.review.claim(checker, case.id)
    confirmed = await depot.review.confirm(checker, case.id, True, "agreed")
    assert not isinstance(confirmed, CaseRefusal)
    (fact,) = await decisions(depot, order)
    assert (fact.maker, fact.checker, fact.reason) == (maker, checker, "bad light | agreed")
    await depot.run()
    assert (await depot.bench.order(order)).state is OrderState.SHIPPED


async def test_without_agreement_the_case_is_open_again(depot: Depot) -> None:
    order, case = await doubtful(depot, FAILED)
    maker, checker = await depot.reviewer(), await depot.reviewer()
    await depot.review.claim(maker, case.id)
    await depot.review.propose(maker, case.id, Outcome.APPROVE, "bad light")
    await depot.review.claim(checker, case.id)
    reopened = await depot.review.confirm(checker, case.id, False, "another person")
    assert not isinstance(reopened, CaseRefusal)
    assert (reopened.state, reopened.proposal, reopened.claimed_by) == (CaseState.OPEN, None, None)
    assert await decisions(depot, order) == []
    # Who proposed what, and why the second person did not agree, stays for whoever looks next.
    (objection,) = reopened.objections
    assert (objection.proposal.maker, objection.proposal.reason) == (maker, "bad light")
    assert (objection.checker, objection.reason) == (checker, "another person")
    await depot.review.claim(checker, case.id)
    assert (await the_case(depot)).objections == (objection,)
    await depot.review.propose(checker, case.id, Outcome.REFUSE, "another person")
    await depot.run()
    assert (await depot.bench.order(order)).state is OrderState.REFUSED


async def test_new_evidence_does_not_hide_an_objection(depot: Depot) -> None:
    order, case = await doubtful(depot, FAILED)
    maker, checker = await depot.reviewer(), await depot.reviewer()
    await depot.review.claim(maker, case.id)
    await depot.review.propose(maker, case.id, Outcome.APPROVE, "bad light")
    await depot.review.claim(checker, case.id)
    await depot.review.confirm(checker, case.id, False, "another person")
    async with depot.sessions.begin() as session:
        desk = depot.bench.flow.steps.case_desk
        await desk.open_case(session, order, case.stage, case.reasons, True, case.about + 1, depot.clock())
    (objection,) = (await the_case(depot)).objections
    assert objection.reason == "another person"


async def test_a_decision_waits_for_the_flow_and_neither_for_ever(depot: Depot) -> None:
    """Both hold the order before the case; otherwise each could wait for what the other holds."""
    order, case = await doubtful(depot)
    reviewer = await depot.reviewer()
    await depot.review.claim(reviewer, case.id)
    desk, orders = depot.bench.flow.steps.case_desk, depot.bench.store.orders
    async with depot.sessions.begin() as session:
        await orders.lock(session, order)
        deciding = asyncio.create_task(depot.review.propose(reviewer, case.id, Outcome.APPROVE, "as I saw"))
        await asyncio.sleep(0.3)  # long enough for the other transaction to take what it can
        await desk.open_case(session, order, case.stage, case.reasons, True, case.about + 1, depot.clock())
    assert await deciding is CaseRefusal.WRONG_STATE
    assert (await the_case(depot)).two_people


async def test_one_reviewer_refuses_even_a_failed_check(depot: Depot) -> None:
    order, case = await doubtful(depot, FAILED)
    reviewer = await depot.reviewer()
    await depot.review.claim(reviewer, case.id)
    await depot.review.propose(reviewer, case.id, Outcome.REFUSE, "two people")
    await depot.run()
    assert (await depot.bench.order(order)).state is OrderState.REFUSED


async def test_asking_for_new_captures_leads_back_to_draft(depot: Depot) -> None:
    order, case = await doubtful(depot)
    reviewer = await depot.reviewer()
    await depot.review.claim(reviewer, case.id)
    await depot.review.propose(reviewer, case.id, Outcome.NEW_CAPTURE, "too dark to tell")
    await depot.run()
    assert (await depot.bench.order(order)).state is OrderState.DRAFT
    assert await depot.bench.submit(order)
    await depot.run()
    assert (await depot.bench.order(order)).state is OrderState.SHIPPED


async def test_a_claim_ends_after_a_quarter_of_an_hour(depot: Depot) -> None:
    _, case = await doubtful(depot)
    first, second = await depot.reviewer(), await depot.reviewer()
    await depot.review.claim(first, case.id)
    assert await depot.review.claim(second, case.id) is CaseRefusal.CLAIMED_BY_ANOTHER
    depot.clock.forward(CLAIM - timedelta(seconds=1))
    assert not isinstance(await depot.review.claim(first, case.id), CaseRefusal)
    depot.clock.forward(CLAIM)
    late = await depot.review.propose(first, case.id, Outcome.APPROVE, "too late")
    assert late is CaseRefusal.NOT_CLAIMED
    assert not isinstance(await depot.review.claim(second, case.id), CaseRefusal)
    assert await depot.review.claim(first, case.id) is CaseRefusal.CLAIMED_BY_ANOTHER


async def test_of_many_who_claim_at_once_one_gets_it(depot: Depot) -> None:
    _, case = await doubtful(depot)
    reviewers = [await depot.reviewer() for _ in range(5)]
    claims = await asyncio.gather(*(depot.review.claim(each, case.id) for each in reviewers))
    assert sum(not isinstance(each, CaseRefusal) for each in claims) == 1


async def test_new_evidence_takes_the_case_out_of_hand(depot: Depot) -> None:
    courier, reviewer, second = await depot.courier(), await depot.reviewer(), await depot.reviewer()
    delivery = await depot.out(courier)
    await depot.bench.checked(delivery.order, similarity=UNCERTAIN)
    await depot.run()
    case = await the_case(depot)
    await depot.review.claim(reviewer, case.id)
    await depot.bench.checked(delivery.order, similarity=FAILED)
    await depot.run()
    widened = await the_case(depot)
    assert widened.id == case.id
    assert widened.about > case.about
    assert (widened.state, widened.two_people) == (CaseState.OPEN, True)
    stale = await depot.review.propose(reviewer, case.id, Outcome.APPROVE, "of what I had seen")
    assert stale is CaseRefusal.WRONG_STATE
    # The same for a proposal that waits for its second person.
    await depot.review.claim(reviewer, case.id)
    await depot.review.propose(reviewer, case.id, Outcome.APPROVE, "of what I had seen")
    await depot.bench.checked(delivery.order, similarity=FAILED)
    await depot.run()
    assert not isinstance(await depot.review.claim(second, case.id), CaseRefusal)
    confirmed = await depot.review.confirm(second, case.id, True, "yes")
    assert confirmed is CaseRefusal.WRONG_STATE


async def test_the_same_finding_again_leaves_the_case_alone(depot: Depot) -> None:
    order, case = await doubtful(depot)
    reviewer = await depot.reviewer()
    await depot.review.claim(reviewer, case.id)
    async with depot.sessions.begin() as session:
        desk = depot.bench.flow.steps.case_desk
        same = await desk.open_case(
            session, order, case.stage, case.reasons, case.two_people, case.about, depot.clock()
        )
    assert same == case.id
    assert (await the_case(depot)).claimed_by == reviewer


async def test_who_delivered_cannot_review(depot: Depot) -> None:
    courier = await depot.courier()
    delivery = await depot.out(courier)
    await depot.logistics.door.record(
        courier, delivery.id, await depot.report(delivery, HandoverOutcome.MISMATCH)
    )
    await depot.run()
    case = await the_case(depot)
    assert case.reasons == (Reason.HANDOVER_MISMATCH,)
    assert await depot.review.claim(courier, case.id) is CaseRefusal.TOOK_PART


async def test_cases_of_orders_that_are_over_are_gone(depot: Depot) -> None:
    order, case = await doubtful(depot)
    reviewer = await depot.reviewer()
    await depot.review.claim(reviewer, case.id)
    async with depot.sessions.begin() as session:
        assert await depot.bench.flow.end(session, order, OrderState.CANCELLED)
    assert await depot.review.queue() == []
    assert await depot.review.claim(reviewer, case.id) is CaseRefusal.ORDER_OVER
    assert await depot.review.propose(reviewer, case.id, Outcome.APPROVE, "late") is CaseRefusal.ORDER_OVER


async def test_the_queue_is_oldest_first(depot: Depot) -> None:
    orders = []
    for _ in range(3):
        orders.append(await depot.submitted(UNCERTAIN))
        depot.clock.forward(timedelta(minutes=1))
    assert [case.order for case in await depot.review.queue()] == orders


async def test_identity_and_evidence_are_for_who_has_claimed_it(depot: Depot) -> None:
    order, case = await doubtful(depot)
    reviewer, other = await depot.reviewer(), await depot.reviewer()
    before = await depot.review.see(reviewer, case.id)
    assert not isinstance(before, CaseRefusal)
    assert (before.identity, before.evidence) == (None, ())
    await depot.review.claim(reviewer, case.id)
    seen = await depot.review.see(reviewer, case.id)
    assert not isinstance(seen, CaseRefusal)
    assert seen.identity is not None
    assert (seen.identity.name, seen.identity.number) == ("样*", "110**************X")
    assert [fact.kind for fact in seen.facts] == ["captures", "registry", "quota"]
    identity = (await depot.facts(order)).evidence[0]
    shown = str([fact.body for fact in seen.facts])
    assert str(identity.identity.number) not in shown  # type: ignore[union-attr]
    unclaimed = await depot.review.see(other, case.id)
    assert not isinstance(unclaimed, CaseRefusal)
    assert unclaimed.identity is None
    assert await depot.review.see(other, CaseId.new()) is CaseRefusal.NOT_FOUND


async def test_every_look_is_written_down(depot: Depot) -> None:
    order, case = await doubtful(depot)
    reviewer, other = await depot.reviewer(), await depot.reviewer()
    digest = Digest("b" * 64)
    assert await depot.review.look(reviewer, case.id, digest) is CaseRefusal.NOT_CLAIMED
    await depot.review.claim(reviewer, case.id)
    assert await depot.review.look(reviewer, case.id, digest) == order
    assert await depot.review.look(other, case.id, digest) is CaseRefusal.NOT_CLAIMED
    async with depot.sessions() as session:
        looks = (await session.scalars(sa.select(EvidenceLookRow))).all()
    assert [(look.staff_id, look.digest, look.order_id) for look in looks] == [(reviewer, digest, order)]


@pytest.mark.parametrize("outcome", list(Outcome))
async def test_nobody_decides_without_a_claim(depot: Depot, outcome: Outcome) -> None:
    order, case = await doubtful(depot)
    reviewer = await depot.reviewer()
    refused = await depot.review.propose(reviewer, case.id, outcome, "no claim")
    assert refused is CaseRefusal.WRONG_STATE
    assert await decisions(depot, order) == []
