"""What only the database can promise: one holder per number, card and place, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.checks import ATTEMPTS, TooManyAttempts
from activation.adapters.sql.facts import UnknownOrder
from activation.adapters.sql.fields import FieldKeys
from activation.adapters.sql.numbers import HOLD, PatternInvalid
from activation.adapters.sql.orders import Document, NewOrder
from activation.adapters.sql.store import Store
from activation.check import CheckState
from activation.evidence import Hold
from activation.ids import CheckId, Iccid, Imsi, Msisdn, OrderId, StaffId, luhn_check_digit
from activation.order import OrderState
from activation.sim import SimState

Sessions = async_sessionmaker[AsyncSession]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STORE = Store()


def msisdn(number: int) -> Msisdn:
    return Msisdn(f"138{number:08d}")


def card(number: int) -> tuple[Iccid, Imsi]:
    digits = f"898600{number:012d}"
    return Iccid(digits + luhn_check_digit(digits)), Imsi(f"46000{number:010d}")


async def draft(sessions: Sessions) -> OrderId:
    new = NewOrder(OrderId.new(), msisdn(1), msisdn(2), "广东省深圳市样本路 1 号", "440300")
    async with sessions.begin() as session:
        await STORE.orders.create(session, new, NOW, NOW + HOLD)
    return new.id


async def test_the_last_place_goes_to_one_of_fifty_orders(sessions: Sessions, field_keys: FieldKeys) -> None:
    """R2.2"""
    document = field_keys.digest("number", "11010519491231002X")

    async def take(limit: int = 5) -> int | None:
        async with sessions.begin() as session:
            return await STORE.quota.take(session, document, OrderId.new(), limit, NOW)

    assert [await take() for _ in range(4)] == [1, 2, 3, 4]
    places = await asyncio.gather(*(take() for _ in range(50)))
    assert sorted(place for place in places if place is not None) == [5]
    async with sessions.begin() as session:
        assert await STORE.quota.taken(session, document) == 5


async def test_an_order_keeps_its_place_and_gives_back_the_lowest(
    sessions: Sessions, field_keys: FieldKeys
) -> None:
    document = field_keys.digest("number", "x")
    first, second = OrderId.new(), OrderId.new()
    async with sessions.begin() as session:
        assert await STORE.quota.take(session, document, first, 5, NOW) == 1
        assert await STORE.quota.take(session, document, second, 5, NOW) == 2
        assert await STORE.quota.take(session, document, second, 5, NOW) == 2
        await STORE.quota.release(session, first)
        assert await STORE.quota.take(session, document, OrderId.new(), 5, NOW) == 1


async def test_fifty_people_want_one_number(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        assert await STORE.numbers.add(session, [(msisdn(7), "440300")]) == 1
        assert await STORE.numbers.add(session, [(msisdn(7), "440300")]) == 0

    async def hold() -> bool:
        async with sessions.begin() as session:
            return await STORE.numbers.hold(session, msisdn(7), OrderId.new(), NOW)

    assert sum(await asyncio.gather(*(hold() for _ in range(50)))) == 1


async def test_a_lapsed_hold_may_be_taken_over_and_a_kept_number_never(sessions: Sessions) -> None:
    first, second, third = OrderId.new(), OrderId.new(), OrderId.new()
    later = NOW + HOLD + timedelta(seconds=1)
    async with sessions.begin() as session:
        await STORE.numbers.add(session, [(msisdn(7), "")])
        assert await STORE.numbers.hold(session, msisdn(7), first, NOW)
        assert not await STORE.numbers.hold(session, msisdn(7), second, NOW + HOLD)
        assert await STORE.numbers.hold(session, msisdn(7), second, later)
        assert not await STORE.numbers.keep(session, msisdn(7), first)
        assert await STORE.numbers.keep(session, msisdn(7), second)
        assert not await STORE.numbers.hold(session, msisdn(7), third, later + timedelta(days=999))
        assert await STORE.numbers.release(session, second)
        assert await STORE.numbers.hold(session, msisdn(7), third, later)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*", ["13800000088", "13800001234", "13812345688", "13912340000"]),
        ("138*", ["13800000088", "13800001234", "13812345688"]),
        ("*88", ["13800000088", "13812345688"]),
        ("138*88", ["13800000088", "13812345688"]),
        ("*1234*", ["13800001234", "13812345688", "13912340000"]),
        ("1380000?234", ["13800001234"]),
        ("13912340000", ["13912340000"]),
        ("*99999", []),
    ],
)
async def test_numbers_are_found_by_pattern(sessions: Sessions, pattern: str, found: list[str]) -> None:
    pool = ["13800000088", "13800001234", "13812345688", "13912340000", "13800000000"]
    async with sessions.begin() as session:
        await STORE.numbers.add(session, [(Msisdn(number), "") for number in pool])
        await STORE.numbers.hold(session, Msisdn("13800000000"), OrderId.new(), NOW)
        matches = await STORE.numbers.search(session, pattern)
        assert sorted(match.msisdn for match in matches) == found


@pytest.mark.parametrize("pattern", ["", "13_", "13%", "1' OR 1=1", "1" * 17, "一三八"])
async def test_other_patterns_are_refused(sessions: Sessions, pattern: str) -> None:
    async with sessions.begin() as session:
        with pytest.raises(PatternInvalid):
            await STORE.numbers.search(session, pattern)


async def test_orders_at_once_reserve_different_cards(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        assert await STORE.sims.add(session, [card(n) for n in range(20)], "b1", NOW) == 20
        assert await STORE.sims.add(session, [card(3)], "b2", NOW) == 0

    async def reserve() -> Iccid | None:
        async with sessions.begin() as session:
            reserved = await STORE.sims.reserve(session, OrderId.new(), NOW)
            return reserved.iccid if reserved else None

    taken = await asyncio.gather(*(reserve() for _ in range(20)))
    assert None not in taken
    assert len(set(taken)) == 20
    assert await reserve() is None


async def test_a_card_is_reserved_once_per_order_and_released_by_its_state(sessions: Sessions) -> None:
    order = OrderId.new()
    async with sessions.begin() as session:
        await STORE.sims.add(session, [card(1), card(2)], "b", NOW)
        reserved = await STORE.sims.reserve(session, order, NOW)
        again = await STORE.sims.reserve(session, order, NOW)
        assert reserved is not None
        assert again == reserved
        await STORE.sims.release(session, order, NOW)
        back = await STORE.sims.read(session, reserved.iccid)
        assert back is not None
        assert (back.state, back.order_id) == (SimState.IN_STOCK, None)
        assert not await STORE.sims.move(session, reserved.iccid, SimState.ACTIVE, NOW)


async def test_an_order_moves_only_along_its_table(sessions: Sessions) -> None:
    order = await draft(sessions)
    async with sessions.begin() as session:
        orders = STORE.orders
        assert not await orders.move(session, order, OrderState.ACTIVE, NOW)
        document = Document("样本", "11010519491231002X", "样本路")
        assert await orders.submit(session, order, document, NOW, NOW)
        assert not await orders.submit(session, order, document, NOW, NOW)
        view = await orders.read(session, order)
        assert view is not None
        assert view.state is OrderState.SUBMITTED
        assert view.identity == document.identity
        stored = await orders.document(session, order)
        assert stored is not None
        assert stored.number == document.number
        assert await orders.due(session, OrderState.SUBMITTED, NOW, 10) == [(order, NOW)]
        assert await orders.due(session, OrderState.DRAFT, NOW, 10) == []


async def test_personal_data_show_nothing_of_themselves(sessions: Sessions) -> None:
    order = await draft(sessions)
    async with sessions.begin() as session:
        contact = await STORE.orders.contact(session, order)
    assert contact is not None
    assert contact.address.startswith("广东")
    for shown in (repr(contact), repr(Document("张三", "11010519491231002X", ""))):
        assert "广东" not in shown
        assert "110105" not in shown


async def test_facts_are_numbered_without_gaps_whoever_writes(sessions: Sessions) -> None:
    order = await draft(sessions)

    async def append(number: int) -> int:
        async with sessions.begin() as session:
            hold = Hold(NOW, f"scope-{number}", True, StaffId.new(), "")
            return await STORE.facts.append(session, order, hold)

    assert sorted(await asyncio.gather(*(append(number) for number in range(30)))) == list(range(30))
    async with sessions.begin() as session:
        assert len((await STORE.facts.load(session, order)).evidence) == 30
        with pytest.raises(UnknownOrder):
            await STORE.facts.append(session, OrderId.new(), Hold(NOW, "", True, StaffId.new(), ""))


async def test_five_checks_an_hour_also_when_asked_for_at_once(sessions: Sessions) -> None:
    """R4.2"""
    order = await draft(sessions)

    async def attempt(at: datetime) -> int | None:
        async with sessions.begin() as session:
            ends = at + timedelta(minutes=3)
            made = await STORE.checks.create(session, order, CheckId.new(), {}, at, ends, "kaika-1")
            return None if isinstance(made, TooManyAttempts) else made.attempt

    made = await asyncio.gather(*(attempt(NOW) for _ in range(20)))
    assert sorted(number for number in made if number is not None) == list(range(1, ATTEMPTS + 1))
    assert await attempt(NOW + timedelta(minutes=59)) is None
    assert await attempt(NOW + timedelta(minutes=61)) == ATTEMPTS + 1


async def test_one_of_two_offers_gets_the_check(sessions: Sessions) -> None:
    order, check = await draft(sessions), CheckId.new()
    async with sessions.begin() as session:
        await STORE.checks.create(session, order, check, {}, NOW, NOW)

    async def connect() -> bool:
        async with sessions.begin() as session:
            return await STORE.checks.move(session, check, CheckState.CONNECTED, NOW, "kaika-1")

    assert sum(await asyncio.gather(*(connect() for _ in range(10)))) == 1
    async with sessions.begin() as session:
        long_ago = NOW - timedelta(days=1)
        late = await STORE.checks.overdue(session, NOW, long_ago, "kaika-1", 10)
        assert [view.id for view in late] == [check]
        assert await STORE.checks.overdue(session, NOW, long_ago, "kaika-2", 10) == []
        assert await STORE.checks.move(session, check, CheckState.EXPIRED, NOW)
        assert await STORE.checks.overdue(session, NOW, NOW, "", 10) == []
