"""What happens at the door, on both databases: one transaction or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from activation.adapters.sql.sealed import unseal
from activation.evidence import Handover, HandoverOutcome
from activation.ids import DeliveryId, OrderId
from activation.order import OrderState
from logistics.codes import MAX_FAILURES
from logistics.delivery import DeliveryState
from logistics.handover import (
    MAX_AHEAD,
    MAX_BEHIND,
    Checklist,
    DoorRefusal,
    DoorReport,
    NotRecorded,
    Recorded,
)
from logistics.tables import DeliveryEventRow, DeliveryRow
from tests.activation.stand_ins import card
from tests.logistics.depot import SEEN, Depot, other_code

Outcome = HandoverOutcome


async def handovers(depot: Depot, delivery_order: object) -> list[Handover]:
    facts = await depot.facts(delivery_order)  # type: ignore[arg-type]
    return [fact for fact in facts.evidence if isinstance(fact, Handover)]


async def test_a_handover_is_recorded_with_order_and_delivery(depot: Depot) -> None:
    courier = await depot.courier()
    delivery = await depot.out(courier)
    done = await depot.logistics.door.record(courier, delivery.id, await depot.report(delivery))
    assert done == Recorded(delivery.id, DeliveryState.HANDED_OVER, depot.clock())
    assert (await depot.bench.order(delivery.order)).state is OrderState.DELIVERED
    (fact,) = await handovers(depot, delivery.order)
    assert fact == Handover(
        at=depot.clock(),
        outcome=Outcome.HANDED_OVER,
        delivery=delivery.id,
        order=delivery.order,
        iccid=delivery.iccid,
        courier=courier,
        code_matched=True,
        document_tail_matched=True,
        person_resembles_document=True,
        photo=None,
    )


async def test_the_card_is_switched_on_when_video_came_first(depot: Depot) -> None:
    courier = await depot.courier()
    delivery = await depot.out(courier)
    await depot.bench.checked(delivery.order)
    await depot.run()
    assert (await depot.bench.order(delivery.order)).state is OrderState.VERIFIED
    await depot.logistics.door.record(courier, delivery.id, await depot.report(delivery))
    assert (await depot.bench.order(delivery.order)).state is OrderState.VERIFIED
    await depot.run()
    assert (await depot.bench.order(delivery.order)).state is OrderState.ACTIVE


WRONG: dict[str, tuple[Callable[[DoorReport], DoorReport], DoorRefusal]] = {
    "no card": (lambda right: replace(right, iccid=None), DoorRefusal.OTHER_CARD),
    "another card": (lambda right: replace(right, iccid=card(99)[0]), DoorRefusal.OTHER_CARD),
    "document not seen": (
        lambda right: replace(right, checklist=replace(SEEN, document_original_seen=False)),
        DoorRefusal.CHECKLIST_INCOMPLETE,
    ),
    "another person": (
        lambda right: replace(right, checklist=replace(SEEN, person_resembles_document=False)),
        DoorRefusal.CHECKLIST_INCOMPLETE,
    ),
    "document expired": (
        lambda right: replace(right, checklist=replace(SEEN, document_valid=False)),
        DoorRefusal.CHECKLIST_INCOMPLETE,
    ),
    "nothing checked": (
        lambda right: replace(right, checklist=Checklist(False, False, False)),
        DoorRefusal.CHECKLIST_INCOMPLETE,
    ),
    "no code": (lambda right: replace(right, code=None), DoorRefusal.CODE_WRONG),
    "wrong code": (lambda right: replace(right, code=other_code(right.code or "")), DoorRefusal.CODE_WRONG),
    "no document": (lambda right: replace(right, document_tail=None), DoorRefusal.DOCUMENT_WRONG),
    "wrong document": (lambda right: replace(right, document_tail="0000"), DoorRefusal.DOCUMENT_WRONG),
    "from the future": (
        lambda right: replace(right, at=right.at + MAX_AHEAD + timedelta(seconds=1)),
        DoorRefusal.TIME_OUT_OF_RANGE,
    ),
    "from long ago": (
        lambda right: replace(right, at=right.at - MAX_BEHIND - timedelta(seconds=1)),
        DoorRefusal.TIME_OUT_OF_RANGE,
    ),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_handover_lacks_nothing(depot: Depot, name: str) -> None:
    courier = await depot.courier()
    delivery = await depot.out(courier)
    change, refusal = WRONG[name]
    right = await depot.report(delivery)
    done = await depot.logistics.door.record(courier, delivery.id, change(right))
    assert isinstance(done, NotRecorded)
    assert done.refusal is refusal
    assert await handovers(depot, delivery.order) == []
    assert (await depot.read(delivery.id)).state is DeliveryState.OUT
    assert (await depot.bench.order(delivery.order)).state is OrderState.SHIPPED
    assert isinstance(await depot.logistics.door.record(courier, delivery.id, right), Recorded)


async def test_the_code_locks_after_five_wrong_ones_until_a_new_one_is_sent(depot: Depot) -> None:
    courier = await depot.courier()
    delivery = await depot.out(courier)
    right = await depot.report(delivery)
    wrong = replace(right, code=other_code(right.code or ""))
    for left in reversed(range(MAX_FAILURES)):
        done = await depot.logistics.door.record(courier, delivery.id, wrong)
        assert done == NotRecorded(DoorRefusal.CODE_WRONG, left)
    locked = NotRecorded(DoorRefusal.CODE_LOCKED)
    assert await depot.logistics.door.record(courier, delivery.id, right) == locked
    async with depot.sessions.begin() as session:
        assert await depot.logistics.shipping.new_code(session, delivery.order) == 2
    assert await depot.code(delivery) != right.code
    old = await depot.logistics.door.record(courier, delivery.id, right)
    assert old == NotRecorded(DoorRefusal.CODE_WRONG, MAX_FAILURES - 1)
    renewed = replace(right, code=await depot.code(delivery))
    assert isinstance(await depot.logistics.door.record(courier, delivery.id, renewed), Recorded)


async def test_the_document_locks_after_five_wrong_tails_and_a_mismatch_remains(depot: Depot) -> None:
    courier = await depot.courier()
    delivery = await depot.out(courier)
    right = await depot.report(delivery)
    wrong = replace(right, document_tail="9999")
    for left in reversed(range(MAX_FAILURES)):
        done = await depot.logistics.door.record(courier, delivery.id, wrong)
        assert done == NotRecorded(DoorRefusal.DOCUMENT_WRONG, left)
    locked = NotRecorded(DoorRefusal.DOCUMENT_LOCKED)
    assert await depot.logistics.door.record(courier, delivery.id, right) == locked
    mismatch = replace(right, outcome=Outcome.MISMATCH)
    assert isinstance(await depot.logistics.door.record(courier, delivery.id, mismatch), Recorded)
    (fact,) = await handovers(depot, delivery.order)
    assert (fact.outcome, fact.code_matched, fact.document_tail_matched) == (Outcome.MISMATCH, True, False)


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.NOT_HOME, Outcome.MISMATCH])
async def test_other_outcomes_need_no_proof(depot: Depot, outcome: Outcome) -> None:
    courier = await depot.courier()
    delivery = await depot.out(courier)
    bare = DoorReport(outcome, depot.clock(), Checklist(False, False, False))
    done = await depot.logistics.door.record(courier, delivery.id, bare)
    assert isinstance(done, Recorded)
    assert done.state == outcome.value
    (fact,) = await handovers(depot, delivery.order)
    assert {fact.code_matched, fact.document_tail_matched, fact.person_resembles_document} == {False}
    assert (await depot.bench.order(delivery.order)).state is OrderState.SHIPPED


async def test_the_same_report_twice_is_one(depot: Depot) -> None:
    courier = await depot.courier()
    delivery = await depot.out(courier)
    report = await depot.report(delivery)
    done = await asyncio.gather(
        *(depot.logistics.door.record(courier, delivery.id, report) for _ in range(5))
    )
    assert sorted(each.again for each in done if isinstance(each, Recorded)) == [False] + [True] * 4
    assert len(await handovers(depot, delivery.order)) == 1


async def test_a_report_that_comes_late_does_not_end_the_next_attempt(depot: Depot) -> None:
    courier = await depot.courier()
    delivery = await depot.out(courier)
    first = DoorReport(Outcome.NOT_HOME, depot.clock(), Checklist(False, False, False))
    await depot.logistics.door.record(courier, delivery.id, first)
    depot.clock.forward(timedelta(hours=2))
    await depot.logistics.rounds.depart(courier, delivery.id)
    again = await depot.logistics.door.record(courier, delivery.id, first)
    assert isinstance(again, Recorded)
    assert again.again
    assert (await depot.read(delivery.id)).state is DeliveryState.OUT
    assert len(await handovers(depot, delivery.order)) == 1


async def test_another_outcome_is_refused(depot: Depot) -> None:
    courier = await depot.courier()
    delivery = await depot.out(courier)
    report = await depot.report(delivery)
    await depot.logistics.door.record(courier, delivery.id, report)
    other = replace(report, outcome=Outcome.REFUSED)
    refused = NotRecorded(DoorRefusal.OTHER_OUTCOME)
    assert await depot.logistics.door.record(courier, delivery.id, other) == refused


async def test_only_the_courier_who_has_it_can_tell(depot: Depot) -> None:
    courier, thief = await depot.courier(), await depot.courier()
    delivery = await depot.out(courier)
    report = await depot.report(delivery)
    not_found = NotRecorded(DoorRefusal.NOT_FOUND)
    assert await depot.logistics.door.record(thief, delivery.id, report) == not_found
    assert await depot.logistics.door.record(courier, DeliveryId.new(), report) == not_found


async def test_nothing_is_handed_over_before_setting_out(depot: Depot) -> None:
    courier = await depot.courier()
    delivery = await depot.shipped()
    report = await depot.report(delivery)
    not_out = NotRecorded(DoorRefusal.NOT_OUT)
    assert await depot.logistics.door.record(courier, delivery.id, report) == not_out
    await depot.logistics.rounds.collect(courier, delivery.id)
    assert await depot.logistics.door.record(courier, delivery.id, report) == not_out


async def test_a_cancelled_order_is_not_handed_over(depot: Depot) -> None:
    courier = await depot.courier()
    delivery = await depot.out(courier)
    async with depot.sessions.begin() as session:
        assert await depot.bench.flow.end(session, delivery.order, OrderState.CANCELLED)
    report = await depot.report(delivery)
    stopped = NotRecorded(DoorRefusal.ORDER_STOPPED)
    assert await depot.logistics.door.record(courier, delivery.id, report) == stopped
    brought_back = replace(report, outcome=Outcome.REFUSED)
    assert isinstance(await depot.logistics.door.record(courier, delivery.id, brought_back), Recorded)


async def test_a_fault_half_way_leaves_nothing(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    courier = await depot.courier()
    delivery = await depot.out(courier)
    report = await depot.report(delivery)

    async def fails(*_: object) -> int:
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr(depot.bench.flow, "record", fails)
        with pytest.raises(ConnectionError):
            await depot.logistics.door.record(courier, delivery.id, report)
    assert (await depot.read(delivery.id)).state is DeliveryState.OUT
    assert (await depot.bench.order(delivery.order)).state is OrderState.SHIPPED
    assert isinstance(await depot.logistics.door.record(courier, delivery.id, report), Recorded)


async def test_time_and_place_are_kept_and_the_place_encrypted(depot: Depot) -> None:
    courier = await depot.courier()
    delivery = await depot.out(courier)
    depot.clock.forward(timedelta(minutes=3))
    report = replace(await depot.report(delivery), at=depot.clock() - timedelta(seconds=1))
    await depot.logistics.door.record(courier, delivery.id, report)
    async with depot.sessions() as session:
        event = (
            await session.scalars(sa.select(DeliveryEventRow).order_by(DeliveryEventRow.id.desc()))
        ).first()
        assert event is not None
        raw = await session.scalar(sa.text("SELECT position FROM delivery_events WHERE position IS NOT NULL"))
        order = await session.scalar(
            sa.select(DeliveryRow.order_id).where(DeliveryRow.id == event.delivery_id)
        )
    position = await unseal(OrderId(str(order)), "delivery_events.position", event.position)
    assert position == "31.230000,121.470000,12"
    assert (event.happened_at, event.recorded_at) == (report.at, depot.clock())
    assert b"121.47" not in bytes(raw)
