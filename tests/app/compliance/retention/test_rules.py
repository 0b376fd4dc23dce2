"""The table of retention: every state, calendar years, holds and wishes (R8.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activation.order import FINAL
from activation.order import OrderState as S
from app.compliance.retention.rules import (
    MAY_GO_ON_WISH,
    PERIODS,
    Kept,
    Period,
    Standing,
    destroyed_from,
    is_due,
    kept_as,
)

AT = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
TWO_YEARS = PERIODS[Kept.SERVICE_ENDED]
EARLIEST, LATEST = datetime(2000, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001 (hypothesis adds the zone)
INSTANTS = st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC))


def china(year: int, month: int, day: int, hour: int = 12) -> datetime:
    return datetime(year, month, day, hour, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)


@pytest.mark.parametrize(
    ("state", "confirmed", "days"),
    [
        (S.REFUSED, True, 180),
        (S.CANCELLED, True, 30),
        (S.CANCELLED, False, 30),
        (S.RETURNED, True, 30),
        (S.EXPIRED, True, 30),
        (S.EXPIRED, False, 7),
    ],
)
def test_orders_without_service_by_their_own_shorter_rule(state: S, confirmed: bool, days: int) -> None:
    over = china(2026, 3, 14, 17)
    standing, until = Standing(state, over, confirmed), china(2026, 3, 15, 0) + days * DAY
    assert destroyed_from(standing) == until
    assert not is_due(standing, until - timedelta(microseconds=1))
    assert is_due(standing, until)


@pytest.mark.parametrize("state", sorted(frozenset(S) - FINAL))
def test_a_live_order_is_never_due(state: S) -> None:
    """Also an applicant's wish destroys nothing before the order is over."""
    for wished in (False, True):
        standing = Standing(state, AT, True, wished=wished)
        assert kept_as(standing) is None
        assert not is_due(standing, AT + 10_000 * DAY)


def test_every_final_state_has_a_rule() -> None:
    for state in FINAL:
        assert kept_as(Standing(state, AT, True)) is not None
    assert set(PERIODS) == set(Kept)
    assert all(period.why.zh and period.why.en and period.rule for period in PERIODS.values())


@pytest.mark.parametrize(
    ("ended", "until"),
    [
        (china(2026, 3, 14), china(2028, 3, 15, 0)),  # the last day counts whole
        (china(2028, 2, 29), china(2030, 3, 1, 0)),  # there is no 29 February 2030
        (china(2026, 2, 28), china(2028, 2, 29, 0)),
        (china(2026, 12, 31, 23), china(2029, 1, 1, 0)),
        # In China it is the 29th already, in UTC still the 28th.
        (datetime(2028, 2, 28, 17, tzinfo=UTC), china(2030, 3, 1, 0)),
    ],
)
def test_two_calendar_years_after_the_end_of_service(ended: datetime, until: datetime) -> None:
    assert destroyed_from(Standing(S.ENDED, ended, True)) == until


def test_a_legal_hold_stops_everything() -> None:
    for state in FINAL:
        for wished in (False, True):
            held = Standing(state, AT, True, held=True, wished=wished)
            assert destroyed_from(held) is None
            assert not is_due(held, AT + 10_000 * DAY)


@pytest.mark.parametrize("state", sorted(FINAL))
def test_a_wish_is_met_at_once_where_nothing_stands_against_it(state: S) -> None:
    wished = Standing(state, AT, True, wished=True)
    if state in (S.ENDED, S.REFUSED):
        assert destroyed_from(wished) == destroyed_from(Standing(state, AT, True))
    else:
        assert destroyed_from(wished) == AT


@pytest.mark.parametrize("state", [S.CANCELLED, S.RETURNED, S.EXPIRED])
def test_what_is_disputed_is_kept_as_a_refusal_whatever_was_wished(state: S) -> None:
    for wished in (False, True):
        disputed = Standing(state, AT, True, wished=wished, disputed=True)
        assert destroyed_from(disputed) == destroyed_from(Standing(S.REFUSED, AT, True))


def test_no_wish_destroys_what_service_rests_on() -> None:
    assert MAY_GO_ON_WISH.isdisjoint({S.ACTIVE, S.ACTIVATING, S.ENDED, S.REFUSED})


@given(INSTANTS)
def test_a_period_never_ends_sooner_than_its_years(since: datetime) -> None:
    end = TWO_YEARS.end(since)
    assert timedelta(days=730) <= end - since <= timedelta(days=732)


@given(INSTANTS, st.sampled_from(sorted(PERIODS)), st.timedeltas(-3 * DAY, 3 * DAY))
def test_the_bound_for_searches_is_exact(now: datetime, kept: Kept, off: timedelta) -> None:
    period = PERIODS[kept]
    since = period.bound(now) + off
    assert (period.end(since) <= now) == (since < period.bound(now))


@pytest.mark.parametrize("year", [2027, 2028, 2029, 2030])
def test_the_bound_is_exact_around_the_end_of_february(year: int) -> None:
    for hours in range(0, 24 * 5, 7):
        now = china(year, 2, 26) + timedelta(hours=hours)
        bound = TWO_YEARS.bound(now)
        for off in (-DAY, -timedelta(microseconds=1), timedelta(0), DAY):
            assert (TWO_YEARS.end(bound + off) <= now) == (off < timedelta(0))


def test_days_are_added_after_years() -> None:
    assert Period("R8.1", TWO_YEARS.why, years=1, days=1).end(china(2027, 2, 28)) == china(2028, 3, 1, 0)
