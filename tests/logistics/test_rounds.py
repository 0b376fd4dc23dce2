"""A courier's round: own parcels only, collected by scanning, out again, the document compared."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from activation.adapters.sql.facts import FactLog
from activation.adapters.sql.fields import FieldKeys
from activation.evidence import (
    FaceComparison,
    FaceConsent,
    FaceSource,
    HandoverOutcome,
    ReviewOutcome,
)
from activation.ids import DeliveryId, Digest, Waybill
from activation.order import OrderState
from activation.order_keys import order_keys
from app.access.passwords import Passwords
from app.access.principals import Role
from app.access.staff import StaffAccounts
from logistics.codes import MAX_FAILURES, MAX_ISSUES, make_code, masked_name, tail_matches
from logistics.delivery import DeliveryState
from logistics.handover import Recorded
from logistics.rounds import TAKEN_OVER, DocumentLooked, Photo, RoundRefusal
from logistics.shipping import CodeRefusal
from tests.activation.stand_ins import DOCUMENT, MODEL
from tests.logistics.depot import TAIL, Depot

PHOTO = Photo(Digest("a" * 64), "courier_photo", "image/jpeg", 100)


async def test_parcels_go_to_who_has_least(depot: Depot) -> None:
    first, second = await depot.courier(), await depot.courier()
    await depot.courier("another")
    couriers = [(await depot.shipped()).courier for _ in range(4)]
    assert couriers == [first, second, first, second]


async def test_without_couriers_whoever_scans_it_gets_it(depot: Depot) -> None:
    delivery = await depot.shipped()
    assert delivery.courier is None
    courier = await depot.courier()
    collected = await depot.logistics.rounds.collect(courier, delivery.id)
    assert not isinstance(collected, RoundRefusal)
    assert (collected.courier, collected.state) == (courier, DeliveryState.COLLECTED)
    assert await depot.logistics.rounds.in_hand(courier) == [collected]


async def test_a_courier_sees_only_the_own_parcels(depot: Depot) -> None:
    mine, other, stranger = await depot.courier(), await depot.courier(), await depot.courier("another")
    operator = await depot.staff(Role.OPERATOR)
    delivery = await depot.shipped()
    assert delivery.courier == mine
    rounds = depot.logistics.rounds
    assert [each.id for each in await rounds.in_hand(mine)] == [delivery.id]
    assert await rounds.in_hand(other) == []
    # Before it is collected a colleague who has it in hand may look, and nobody else.
    assert not isinstance(await rounds.look_up(other, delivery.waybill), RoundRefusal)
    for nobody in (stranger, operator):
        assert await rounds.look_up(nobody, delivery.waybill) is RoundRefusal.NOT_FOUND
        assert await rounds.collect(nobody, delivery.id) is RoundRefusal.NOT_FOUND
    await rounds.collect(mine, delivery.id)
    for call in (rounds.read, rounds.collect, rounds.depart):
        assert await call(other, delivery.id) is RoundRefusal.NOT_FOUND
    assert await rounds.look_up(other, delivery.waybill) is RoundRefusal.NOT_FOUND
    assert await rounds.look_up(mine, Waybill("KK000000000000")) is RoundRefusal.NOT_FOUND
    assert await rounds.read(mine, DeliveryId.new()) is RoundRefusal.NOT_FOUND


async def test_the_parcel_shows_a_masked_name_and_no_number(depot: Depot) -> None:
    courier = await depot.courier()
    delivery = await depot.shipped()
    found = await depot.logistics.rounds.look_up(courier, delivery.waybill)
    assert not isinstance(found, RoundRefusal)
    assert (found.name, found.address, found.stopped) == ("样*", "广东省深圳市样本路 1 号", False)
    assert DOCUMENT.number not in repr(found)
    assert "样" not in repr(found)


async def test_the_parcel_of_a_destroyed_order_shows_nobody(depot: Depot) -> None:
    """R8.2"""
    courier = await depot.courier()
    delivery = await depot.shipped()
    await order_keys().destroy(delivery.order)
    found = await depot.logistics.rounds.look_up(courier, delivery.waybill)
    assert not isinstance(found, RoundRefusal)
    assert (found.name, found.recipient, found.address) == ("", None, "")
    assert [each.id for each in await depot.logistics.rounds.in_hand(courier)] == [delivery.id]
    looked = await depot.logistics.rounds.check_document(courier, delivery.id, TAIL)
    assert not isinstance(looked, DocumentLooked) or not looked.matches


async def test_collecting_and_setting_out_twice_is_once(depot: Depot) -> None:
    courier = await depot.courier()
    delivery = await depot.shipped()
    rounds = depot.logistics.rounds
    assert await rounds.depart(courier, delivery.id) is RoundRefusal.WRONG_STATE
    for step in (rounds.collect, rounds.collect, rounds.depart, rounds.depart):
        assert not isinstance(await step(courier, delivery.id), RoundRefusal)
    assert await rounds.collect(courier, delivery.id) is RoundRefusal.WRONG_STATE
    async with depot.sessions() as session:
        events = await depot.logistics.deliveries.events(session, delivery.id)
    assert [each.event for each in events] == ["collected", "out"]


async def test_the_document_is_compared_with_limited_tries(depot: Depot) -> None:
    courier = await depot.courier()
    delivery = await depot.out(courier)
    rounds = depot.logistics.rounds
    assert await rounds.check_document(courier, delivery.id, TAIL.lower()) == DocumentLooked(True, 5)
    for left in reversed(range(MAX_FAILURES)):
        assert await rounds.check_document(courier, delivery.id, "0000") == DocumentLooked(False, left)
    locked = await rounds.check_document(courier, delivery.id, TAIL)
    assert locked is RoundRefusal.DOCUMENT_LOCKED
    async with depot.sessions.begin() as session:
        await depot.logistics.shipping.new_code(session, delivery.order)
    assert await rounds.check_document(courier, delivery.id, TAIL) is RoundRefusal.DOCUMENT_LOCKED
    async with depot.sessions.begin() as session:
        await depot.logistics.shipping.new_code(session, delivery.order, also_unlock_document=True)
    assert await rounds.check_document(courier, delivery.id, TAIL) == DocumentLooked(True, 5)


async def test_a_photo_belongs_to_one_attempt(depot: Depot) -> None:
    courier, other = await depot.courier(), await depot.courier()
    delivery = await depot.out(courier)
    rounds = depot.logistics.rounds
    compared = (FaceComparison(FaceSource.COURIER_PHOTO, FaceSource.FRONT_PORTRAIT, 0.8, MODEL),)
    assert await rounds.keep_photo(other, delivery.id, PHOTO, compared) is RoundRefusal.WRONG_STATE
    assert await rounds.keep_photo(courier, delivery.id, PHOTO, compared) is None
    kept = await depot.read(delivery.id)
    assert (kept.photo, kept.comparisons) == (PHOTO.digest, compared)
    nobody = replace(await depot.report(delivery), outcome=HandoverOutcome.NOT_HOME)
    await depot.logistics.door.record(courier, delivery.id, nobody)
    assert await rounds.keep_photo(courier, delivery.id, PHOTO, compared) is RoundRefusal.WRONG_STATE
    await rounds.depart(courier, delivery.id)
    gone = await depot.read(delivery.id)
    assert (gone.photo, gone.comparisons) == (None, ())


async def test_no_comparison_is_kept_after_the_consent_was_taken_back(depot: Depot) -> None:
    """R9.4: it may be taken back while the photo is measured."""
    courier = await depot.courier()
    delivery = await depot.out(courier)
    async with depot.sessions.begin() as session:
        await FactLog().append(session, delivery.order, FaceConsent(depot.clock(), False, "2026-1"))
    compared = (FaceComparison(FaceSource.COURIER_PHOTO, FaceSource.FRONT_PORTRAIT, 0.8, MODEL),)
    assert await depot.logistics.rounds.keep_photo(courier, delivery.id, PHOTO, compared) is None
    kept = await depot.read(delivery.id)
    assert (kept.photo, kept.comparisons) == (PHOTO.digest, ())


async def test_a_parcel_whose_courier_has_left_is_taken_over(depot: Depot) -> None:
    left, colleague, stranger = await depot.courier(), await depot.courier(), await depot.courier("another")
    delivery = await depot.out(left)
    rounds = depot.logistics.rounds
    assert await rounds.keep_photo(left, delivery.id, PHOTO, ()) is None
    assert await rounds.depart(colleague, delivery.id) is RoundRefusal.NOT_FOUND
    async with depot.sessions.begin() as session:
        assert await StaffAccounts(Passwords(), depot.clock).disable(session, left)
    assert await rounds.look_up(stranger, delivery.waybill) is RoundRefusal.NOT_FOUND
    assert not isinstance(await rounds.look_up(colleague, delivery.waybill), RoundRefusal)
    for _ in range(2):
        assert not isinstance(await rounds.depart(colleague, delivery.id), RoundRefusal)
    taken = await depot.read(delivery.id)
    # What the colleague before had photographed is no evidence about this handover.
    assert (taken.courier, taken.state, taken.photo) == (colleague, DeliveryState.OUT, None)
    async with depot.sessions() as session:
        events = await depot.logistics.deliveries.events(session, delivery.id)
    assert [(each.event, each.source) for each in events][-1] == (TAKEN_OVER, colleague)
    assert [each.event for each in events].count(TAKEN_OVER) == 1
    done = await depot.logistics.door.record(colleague, delivery.id, await depot.report(delivery))
    assert isinstance(done, Recorded)


async def test_no_code_is_sent_for_an_order_that_is_over(depot: Depot) -> None:
    delivery = await depot.shipped()
    async with depot.sessions.begin() as session:
        assert await depot.bench.flow.end(session, delivery.order, OrderState.CANCELLED)
    async with depot.sessions.begin() as session:
        refused = await depot.logistics.shipping.new_code(session, delivery.order)
    assert refused is CodeRefusal.DELIVERY_OVER


async def test_after_a_mismatch_two_reviewers_let_it_out_again(depot: Depot) -> None:
    courier, maker, checker = await depot.courier(), await depot.reviewer(), await depot.reviewer()
    delivery = await depot.out(courier)
    rounds, review = depot.logistics.rounds, depot.review
    mismatch = replace(await depot.report(delivery), outcome=HandoverOutcome.MISMATCH)
    await depot.logistics.door.record(courier, delivery.id, mismatch)
    await depot.run()
    assert await rounds.depart(courier, delivery.id) is RoundRefusal.REVIEW_WANTED
    (case,) = await review.queue()
    await review.claim(maker, case.id)
    await review.propose(maker, case.id, ReviewOutcome.APPROVE, "a misunderstanding")
    assert await rounds.depart(courier, delivery.id) is RoundRefusal.REVIEW_WANTED
    await review.claim(checker, case.id)
    await review.confirm(checker, case.id, True, "agreed")
    assert not isinstance(await rounds.depart(courier, delivery.id), RoundRefusal)
    depot.clock.forward(timedelta(minutes=1))
    done = await depot.logistics.door.record(courier, delivery.id, await depot.report(delivery))
    assert isinstance(done, Recorded)


async def test_a_stopped_order_does_not_go_out(depot: Depot) -> None:
    courier = await depot.courier()
    delivery = await depot.shipped()
    await depot.logistics.rounds.collect(courier, delivery.id)
    async with depot.sessions.begin() as session:
        assert await depot.bench.flow.end(session, delivery.order, OrderState.REFUSED)
    assert await depot.logistics.rounds.depart(courier, delivery.id) is RoundRefusal.ORDER_STOPPED
    found = await depot.logistics.rounds.read(courier, delivery.id)
    assert not isinstance(found, RoundRefusal)
    assert found.stopped


async def test_shipping_again_gives_the_same_parcel_and_code(depot: Depot) -> None:
    delivery = await depot.shipped()
    assert await depot.code(delivery) == await depot.code(delivery)
    async with depot.sessions.begin() as session:
        waybill, _ = await depot.logistics.shipping.create_delivery(
            session, delivery.order, delivery.iccid, depot.clock()
        )
    assert waybill == delivery.waybill


async def test_codes_are_made_a_limited_number_of_times(depot: Depot) -> None:
    delivery = await depot.shipped()
    shipping = depot.logistics.shipping
    issues: list[object] = []
    for _ in range(MAX_ISSUES):
        async with depot.sessions.begin() as session:
            issues.append(await shipping.new_code(session, delivery.order))
    assert issues == [*range(2, MAX_ISSUES + 1), CodeRefusal.TOO_MANY]


def test_codes_have_six_digits_and_differ(field_keys: FieldKeys) -> None:
    codes = {make_code(field_keys, DeliveryId.new(), issue) for issue in range(1, 200)}
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert len(codes) > 190


@pytest.mark.parametrize(("name", "masked"), [("张三", "张*"), ("欧阳娜娜", "欧***"), ("李", "李*")])
def test_names_are_masked(name: str, masked: str) -> None:
    assert masked_name(name) == masked


@pytest.mark.parametrize(
    ("typed", "matches"),
    [("002X", True), (" 002x ", True), ("0021", False), ("", False), ("二二二二", False)],
)
def test_tails(typed: str, matches: bool) -> None:
    assert tail_matches(typed, "11010519491231002X") is matches
