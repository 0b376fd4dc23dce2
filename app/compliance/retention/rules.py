"""How long an order's identity data are kept: a table, and pure functions over it (R8.1, R9.4).

The clock starts when service ended, or when the order was over without one. A legal hold stops destruction
whatever the table says.
"""

from __future__ import annotations

from calendar import isleap
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from activation.order import OrderState as S
from app.texts.text import Text

#: Years go by the calendar of the country whose rule it is.
CALENDAR = ZoneInfo("Asia/Shanghai")
_DAY, _INSTANT = timedelta(days=1), timedelta(microseconds=1)


class Kept(StrEnum):
    """As what an order's data are kept once it is over; ON_WISH: the applicant asked for their deletion."""

    SERVICE_ENDED = "service_ended"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    EXPIRED = "expired"
    NEVER_CONFIRMED = "never_confirmed"
    ON_WISH = "on_wish"


@dataclass(frozen=True)
class Period:
    """How long, by which rule, and why so long. Neither years nor days: over at once.

    Counted as the Civil Code counts (articles 201 to 204): the first day does not count, the last one counts
    whole, and where the last month has no such day (29 February) it is the month's last.
    """

    rule: str
    why: Text
    years: int = 0
    days: int = 0

    def end(self, since: datetime) -> datetime:
        """When a period that began at `since` is over."""
        if not (self.years or self.days):
            return since
        last = self._last_day(since.astimezone(CALENDAR).date())
        return _midnight(last + _DAY).astimezone(since.tzinfo)

    def bound(self, now: datetime) -> datetime:
        """For searches: a period is over at `now` exactly where it began before this."""
        if not (self.years or self.days):
            return now + _INSTANT
        today = now.astimezone(CALENDAR).date()
        first = _years_later(today, -self.years) - self.days * _DAY + 2 * _DAY
        while self._last_day(first) >= today:
            first -= _DAY
        return _midnight(first + _DAY).astimezone(now.tzinfo)

    def _last_day(self, first: date) -> date:
        return _years_later(first, self.years) + self.days * _DAY


def _years_later(day: date, years: int) -> date:
    leap = (day.month, day.day) == (2, 29) and not isleap(day.year + years)
    return day.replace(year=day.year + years, day=28 if leap else day.day)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=CALENDAR)


#: Policy. Every period has its reason; a longer one needs a better one, a shorter one may break a rule.
PERIODS: dict[Kept, Period] = {
    Kept.SERVICE_ENDED: Period(
        "R8.1",
        Text("规定在终止服务后保存两年。", "The rule keeps identity data for two years after service ends."),
        years=2,
    ),
    Kept.REFUSED: Period(
        "R8.2",
        Text(
            "申请人可能就拒绝决定提出异议，反诈申诉需要核查材料。",
            "The refusal may be disputed and appealed against; the material shows why it was made.",
        ),
        days=180,
    ),
    Kept.CANCELLED: Period(
        "R8.2",
        Text("处理退件和取消后的疑问。", "Questions after a cancellation, and parcels still on their way."),
        days=30,
    ),
    Kept.RETURNED: Period(
        "R8.2",
        Text("处理退件和承运人的疑问。", "Questions of carriers and recipients about a returned parcel."),
        days=30,
    ),
    Kept.EXPIRED: Period(
        "R8.2",
        Text("处理逾期后的疑问。", "Questions after the order ran out of time."),
        days=30,
    ),
    Kept.NEVER_CONFIRMED: Period(
        "R8.2",
        Text(
            "从未确认提交，仅留时间处理故障反馈。",
            "Never confirmed, so nothing rests on it; a week to look into troubles that were reported.",
        ),
        days=7,
    ),
    Kept.ON_WISH: Period(
        "R8.2",
        Text("申请人要求删除。", "The applicant asked for deletion."),
    ),
}

#: R9.4: how long face embeddings are kept after activation: as long as that decision is usually disputed.
TEMPLATES_AFTER_ACTIVATION = timedelta(days=90)

_BY_STATE: dict[S, Kept] = {
    S.ENDED: Kept.SERVICE_ENDED,
    S.REFUSED: Kept.REFUSED,
    S.CANCELLED: Kept.CANCELLED,
    S.RETURNED: Kept.RETURNED,
    S.EXPIRED: Kept.EXPIRED,
}
#: Orders that an applicant may have destroyed at once, unless something speaks against them (`Standing`): no
#: service came of them, and nothing was decided.
MAY_GO_ON_WISH = frozenset(S) - {S.ACTIVATING, S.ACTIVE, S.ENDED, S.REFUSED}
#: Ended without an answer of the gate; where one was due, the order is kept as if it had been refused.
DISPUTABLE = frozenset({S.CANCELLED, S.EXPIRED, S.RETURNED})


@dataclass(frozen=True)
class Standing:
    """What the rules look at. over_at: end of service, or when the order was over; for a live one: any.

    confirmed: the applicant had confirmed what was read. wished: they asked for deletion. disputed: what was
    found of them is not decided, or speaks of an attack; whoever cancels such an order does not wipe it out.
    """

    state: S
    over_at: datetime
    confirmed: bool
    held: bool = False
    wished: bool = False
    disputed: bool = False


def kept_as(standing: Standing) -> Kept | None:
    """None: the order lives, or its service does."""
    if standing.disputed and standing.state in DISPUTABLE:
        return Kept.REFUSED
    if standing.state is S.EXPIRED and not standing.confirmed:
        found: Kept | None = Kept.NEVER_CONFIRMED
    else:
        found = _BY_STATE.get(standing.state)
    if found is not None and standing.wished and standing.state in MAY_GO_ON_WISH:
        return Kept.ON_WISH
    return found


def destroyed_from(standing: Standing) -> datetime | None:
    """From when on the data must be destroyed. None: not foreseeable, or a legal hold stops it (R8.1)."""
    kept = kept_as(standing)
    if kept is None or standing.held:
        return None
    return PERIODS[kept].end(standing.over_at)


def is_due(standing: Standing, now: datetime) -> bool:
    """The data must be destroyed now. A wish waits for nothing, not even for clocks that differ a little."""
    since = destroyed_from(standing)
    return since is not None and (since <= now or kept_as(standing) is Kept.ON_WISH)
