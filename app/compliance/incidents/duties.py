"""What an incident is, and by when who must be told: the one place where these times stand (R9.2).

Sources: D(4) and D(6) of Decree 25 want a leak, damage or loss remedied at once, and reported to the
authority at once where serious consequences are possible; PIPL art. 57 wants the people concerned told
without a number of hours. "At once" is an hour here and "told" three days; an operator with a shorter rule
of its own changes `WITHIN`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from activation.ids import OrderId, StaffId


class IncidentKind(StrEnum):
    LEAK = "leak"
    DAMAGE = "damage"
    LOSS = "loss"
    MISUSE = "misuse"


class Severity(StrEnum):
    """MINOR: no serious consequences are possible. SERIOUS: they are. GRAVE: they have come."""

    MINOR = "minor"
    SERIOUS = "serious"
    GRAVE = "grave"


class IncidentState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class Duty(StrEnum):
    REMEDY = "remedy"
    REPORT_AUTHORITY = "report_authority"
    TELL_PEOPLE = "tell_people"
    FINAL_REPORT = "final_report"


_ALL, _NOT_MINOR = frozenset(Severity), frozenset({Severity.SERIOUS, Severity.GRAVE})
#: From the discovery: how long, for which severity, and by which text.
WITHIN: dict[Duty, tuple[timedelta, frozenset[Severity], str]] = {
    Duty.REMEDY: (timedelta(hours=1), _ALL, "D(4): remedied at once"),
    Duty.REPORT_AUTHORITY: (timedelta(hours=1), _NOT_MINOR, "D(4), D(6): reported to the authority at once"),
    Duty.TELL_PEOPLE: (timedelta(hours=72), _NOT_MINOR, "PIPL art. 57: the people concerned are told"),
    Duty.FINAL_REPORT: (timedelta(days=30), _NOT_MINOR, "D(6): what came of it"),
}


def deadlines(severity: Severity, discovered_at: datetime) -> dict[Duty, datetime]:
    """The duties of an incident of this severity, each with its time."""
    return {
        duty: discovered_at + within
        for duty, (within, severities, _) in WITHIN.items()
        if severity in severities
    }


@dataclass(frozen=True)
class Criteria:
    """Whose looks, in which time, and which orders are affected anyway. since, until: None is unbounded.

    held: every order whose data existed in that time, whoever looked: a store was copied, damaged or lost.
    """

    accounts: tuple[StaffId, ...] = ()
    orders: tuple[OrderId, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    held: bool = False

    def stored(self) -> dict[str, Any]:
        """JSON."""
        return {
            "accounts": list(self.accounts),
            "orders": list(self.orders),
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "held": self.held,
        }

    @classmethod
    def read(cls, stored: dict[str, Any]) -> Criteria:
        """Inverse of `stored`."""
        return cls(
            tuple(StaffId(each) for each in stored["accounts"]),
            tuple(OrderId(each) for each in stored["orders"]),
            _instant(stored["since"]),
            _instant(stored["until"]),
            stored.get("held", False),
        )


def stored_searches(searches: Iterable[Criteria]) -> dict[str, Any]:
    """JSON."""
    return {"searches": [each.stored() for each in searches]}


def read_searches(stored: dict[str, Any]) -> tuple[Criteria, ...]:
    """Inverse of `stored_searches`; the criteria of one alone are one search."""
    return tuple(Criteria.read(each) for each in stored.get("searches", [stored]))


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
