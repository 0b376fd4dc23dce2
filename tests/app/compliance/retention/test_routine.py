"""What the clock does beside destruction: numbers out of quarantine, old answers, copies nobody fetched."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from activation.adapters.sql.numbers import Numbers
from activation.ending import QUARANTINE
from activation.order import OrderState as S
from app.compliance.retention.routine import OVERDUE
from app.compliance.subjects.requests import (
    ANSWERED_WITHIN,
    RequestAnswer,
    RequestKind,
    Requests,
    RequestState,
)
from app.tables import IdempotencyRow
from tests.app.compliance.retention.town import Town


async def test_numbers_come_back_after_their_quarantine(town: Town) -> None:
    order_id = await town.ended()
    msisdn = (await town.bench.order(order_id)).msisdn

    async def free() -> bool:
        async with town.sessions() as session:
            found = await town.bench.store.numbers.search(session, msisdn)
        return bool(found)

    await town.retention.tidy()
    assert not await free()
    town.clock.forward(QUARANTINE + timedelta(days=1))
    await town.retention.tidy()
    assert await free()


async def test_answers_are_forgotten_after_a_day_also_where_nobody_asks_any_more(town: Town) -> None:
    async with town.sessions.begin() as session:
        for key, age in (("old", timedelta(hours=25)), ("new", timedelta(hours=23))):
            values = {"key": key, "request_digest": "", "created_at": town.clock() - age}
            await session.execute(sa.insert(IdempotencyRow).values(**values))
    await town.retention.tidy()
    async with town.sessions() as session:
        assert list(await session.scalars(sa.select(IdempotencyRow.key))) == ["new"]


async def test_a_copy_that_nobody_came_for_lapses(town: Town) -> None:
    order_id, requests = await town.order(), Requests()
    async with town.sessions.begin() as session:
        ready = (RequestKind.ACCESS, RequestState.OPEN, RequestAnswer.COPY_READY)
        await requests.create(session, order_id, *ready, town.clock())
    await town.retention.tidy()
    async with town.sessions() as session:
        assert len(await requests.open(session)) == 1
    town.clock.forward(ANSWERED_WITHIN)
    await town.retention.tidy()
    async with town.sessions() as session:
        (asked,) = await requests.of_order(session, order_id)
    assert (asked.state, asked.answer) == (RequestState.DONE, RequestAnswer.LAPSED)


async def test_a_wish_is_carried_out_and_closed(town: Town) -> None:
    order_id = await town.over(await town.submitted(), S.CANCELLED)
    async with town.sessions.begin() as session:
        wish = (RequestKind.DELETION, RequestState.OPEN, RequestAnswer.DESTROYING)
        await Requests().create(session, order_id, *wish, town.clock())
    await town.night()  # the same day: a wish waits for nothing
    assert await town.orders() == set()
    async with town.sessions() as session:
        (asked,) = await Requests().of_order(session, order_id)
    assert (asked.state, asked.answer) == (RequestState.DONE, RequestAnswer.DESTROYED)


async def test_what_the_nights_leave_undone_is_said(town: Town) -> None:
    await town.over(await town.order(), S.EXPIRED)
    town.clock.forward(timedelta(days=9))
    await town.retention.look_for_overdue()
    gauge = OVERDUE.labels("never_confirmed")
    assert gauge._value.get() == 0  # due since a day: the next night's work
    town.clock.forward(timedelta(days=3))
    await town.retention.look_for_overdue()
    assert gauge._value.get() == 1
    await town.night()
    await town.retention.look_for_overdue()
    assert gauge._value.get() == 0


async def test_one_part_that_fails_stops_no_other(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> int:
        raise OperationalError("", {}, Exception())

    async with town.sessions.begin() as session:
        old = {"key": "old", "request_digest": "", "created_at": town.clock() - timedelta(hours=25)}
        await session.execute(sa.insert(IdempotencyRow).values(**old))
    monkeypatch.setattr(Numbers, "free_lapsed", fails)
    await town.retention.tidy()
    async with town.sessions() as session:
        assert list(await session.scalars(sa.select(IdempotencyRow.key))) == []


async def test_scrubbing_is_no_step_and_so_has_no_time_limit(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(town.work, "break_at", "")  # any step would die
    await town.retention.scrub()
    names = [each.name for each in town.retention.routines()]
    assert {"retention-overdue", "retention-orphans", "retention-scrub", "retention-tidy"} < set(names)
