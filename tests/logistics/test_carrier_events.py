"""Carriers' events: once, in any order, and never more than a carrier can know."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from activation.evidence import HandoverOutcome
from activation.ids import Waybill
from activation.order import OrderState
from activation.sim import SimState
from logistics.carrier_events import Taken, Told
from logistics.deliveries import Delivery
from logistics.delivery import DeliveryState
from tests.logistics.depot import CARRIER, Depot

_ids = itertools.count()


def told(delivery: Delivery, event: str, at: datetime, event_id: str = "", carrier: str = CARRIER) -> Told:
    return Told(carrier, event_id or f"event-{next(_ids)}", delivery.waybill, event, at)


async def tell(depot: Depot, delivery: Delivery, *events: str) -> list[Taken]:
    """One after another, a minute apart."""
    taken = []
    for event in events:
        at = depot.clock.forward(timedelta(minutes=1))
        taken.append(await depot.logistics.carrier_desk.take(told(delivery, event, at)))
    return taken


async def state(depot: Depot, delivery: Delivery) -> DeliveryState:
    return (await depot.read(delivery.id)).state


async def test_a_parcel_moves_with_its_events(depot: Depot) -> None:
    delivery = await depot.shipped()
    taken = await tell(depot, delivery, "collected", "in_transit", "out_for_delivery", "attempt_failed")
    assert taken == [Taken.APPLIED, Taken.RECORDED, Taken.APPLIED, Taken.APPLIED]
    assert await state(depot, delivery) is DeliveryState.NOT_HOME
    async with depot.sessions() as session:
        events = await depot.logistics.deliveries.events(session, delivery.id)
    assert [(each.event, each.moved_to) for each in events] == [
        ("collected", DeliveryState.COLLECTED),
        ("in_transit", None),
        ("out_for_delivery", DeliveryState.OUT),
        ("attempt_failed", DeliveryState.NOT_HOME),
    ]


async def test_the_same_event_again_changes_nothing(depot: Depot) -> None:
    delivery = await depot.shipped()
    event = told(delivery, "collected", depot.clock(), "the-event")
    taken = await asyncio.gather(*(depot.logistics.carrier_desk.take(event) for _ in range(5)))
    assert sorted(taken) == [Taken.APPLIED, *[Taken.DUPLICATE] * 4]
    other = replace(event, event="returned")
    assert await depot.logistics.carrier_desk.take(other) is Taken.DUPLICATE
    assert await state(depot, delivery) is DeliveryState.COLLECTED


async def test_events_that_come_late_are_recorded(depot: Depot) -> None:
    delivery = await depot.shipped()
    desk, start = depot.logistics.carrier_desk, depot.clock()
    depot.clock.forward(timedelta(hours=1))
    minute = timedelta(minutes=1)
    assert await desk.take(told(delivery, "out_for_delivery", start + 3 * minute)) is Taken.APPLIED
    assert await desk.take(told(delivery, "collected", start + minute)) is Taken.RECORDED
    assert await desk.take(told(delivery, "attempt_failed", start + 2 * minute)) is Taken.RECORDED
    assert await state(depot, delivery) is DeliveryState.OUT
    assert await desk.take(told(delivery, "attempt_failed", start + 4 * minute)) is Taken.APPLIED


async def test_a_failed_attempt_from_before_does_not_stop_the_courier_at_the_door(depot: Depot) -> None:
    courier = await depot.courier()
    delivery = await depot.shipped()
    before = depot.clock()
    depot.clock.forward(timedelta(hours=1))
    await depot.logistics.rounds.collect(courier, delivery.id)
    await depot.logistics.rounds.depart(courier, delivery.id)
    late = told(delivery, "attempt_failed", before)
    assert await depot.logistics.carrier_desk.take(late) is Taken.RECORDED
    assert await state(depot, delivery) is DeliveryState.OUT


async def test_an_event_from_the_future_does_not_make_later_ones_old(depot: Depot) -> None:
    delivery = await depot.shipped()
    desk = depot.logistics.carrier_desk
    ahead = told(delivery, "collected", depot.clock() + timedelta(days=30))
    assert await desk.take(ahead) is Taken.APPLIED
    assert await tell(depot, delivery, "out_for_delivery") == [Taken.APPLIED]


async def test_delivered_by_the_carrier_is_not_handed_over(depot: Depot) -> None:
    delivery = await depot.shipped()
    taken = await tell(depot, delivery, "out_for_delivery", "delivered", "delivered")
    assert taken == [Taken.APPLIED, Taken.RECORDED, Taken.RECORDED]
    await depot.bench.checked(delivery.order)
    await depot.run()
    assert await state(depot, delivery) is DeliveryState.OUT
    assert (await depot.bench.order(delivery.order)).state is OrderState.VERIFIED


async def test_what_we_do_not_follow_is_recorded(depot: Depot) -> None:
    delivery = await depot.shipped()
    assert await tell(depot, delivery, "customs_cleared", "x" * 32) == [Taken.RECORDED, Taken.RECORDED]
    assert await state(depot, delivery) is DeliveryState.CREATED


async def test_unknown_waybills_may_become_known(depot: Depot) -> None:
    delivery = await depot.shipped()
    desk = depot.logistics.carrier_desk
    nobodys = Told(CARRIER, "early", Waybill("KK000000000000"), "collected", depot.clock())
    assert await desk.take(nobodys) is Taken.UNKNOWN_WAYBILL
    others = told(delivery, "collected", depot.clock(), "early", carrier="another")
    assert await desk.take(others) is Taken.UNKNOWN_WAYBILL
    assert await desk.take(replace(nobodys, waybill=delivery.waybill)) is Taken.APPLIED


@pytest.mark.parametrize("at_the_door", [None, HandoverOutcome.REFUSED, HandoverOutcome.NOT_HOME])
async def test_a_returned_parcel_gives_back_card_and_number(
    depot: Depot, at_the_door: HandoverOutcome | None
) -> None:
    courier = await depot.courier()
    delivery = await depot.out(courier)
    if at_the_door:
        report = replace(await depot.report(delivery), outcome=at_the_door)
        await depot.logistics.door.record(courier, delivery.id, report)
    assert await tell(depot, delivery, "returned") == [Taken.APPLIED]
    await depot.run()
    order = await depot.bench.order(delivery.order)
    assert order.state is OrderState.RETURNED
    async with depot.sessions.begin() as session:
        card = await depot.bench.store.sims.read(session, delivery.iccid)
        free = await depot.bench.store.numbers.search(session, order.msisdn)
        taken = await depot.bench.store.quota.taken(session, order.identity.number or order.contact)
    assert card is not None
    assert card.state in (SimState.RETURNED, SimState.BLOCKED)
    assert [each.msisdn for each in free] == [order.msisdn]
    assert taken == 0
    assert await depot.bench.hlr.read(card.imsi) is None


async def test_what_was_handed_over_does_not_come_back(depot: Depot) -> None:
    courier = await depot.courier()
    delivery = await depot.out(courier)
    await depot.logistics.door.record(courier, delivery.id, await depot.report(delivery))
    assert await tell(depot, delivery, "returned") == [Taken.RECORDED]
    assert (await depot.bench.order(delivery.order)).state is OrderState.DELIVERED
