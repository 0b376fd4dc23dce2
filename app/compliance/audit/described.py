"""Facts and decisions compared with what the trail says of them: their digests, one order after the other."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from activation.adapters.sql.audit_chain import digest_of
from app.compliance.audit.chains import Fault
from app.compliance.audit.rows import Row

#: After this entry an order's rows are gone, all of them, and a tombstone says so (R8.2).
DESTROYED = "retention.destroyed"
_STANDS = "still stands, and is said to be destroyed"
_INSTANT = "%Y-%m-%d %H:%M:%S.%f"


@dataclass
class Described:
    """What one order's chain says: number of the fact, or id of the decision, to seq and entry.

    destroyed: seq of the entry that says so.
    """

    facts: dict[int, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    decisions: dict[int, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    destroyed: int | None = None

    def take(self, seq: int, told: dict[str, Any]) -> None:
        """One entry of the chain; raises KeyError or TypeError where it does not say what it should."""
        event = str(told["event"])
        if event == DESTROYED:
            self.destroyed = seq
        elif event.startswith("fact."):
            self.facts[int(told["details"]["seq"])] = (seq, told)
        elif event.startswith("decision."):
            self.decisions[int(told["details"]["id"])] = (seq, told)


def compare_facts(orders: dict[str, Described], rows: Iterable[Row]) -> Iterable[Fault]:
    """rows: order, seq, kind, at, body. What was described and is not there comes from `missing`."""
    for order, number, kind, at, body in rows:
        if orders[order].destroyed is not None:
            yield Fault(order, orders[order].destroyed, f"fact {number} {_STANDS}")
            continue
        entry = orders[order].facts.pop(number, None)
        if entry is None:
            yield Fault(order, None, f"fact {number} is in no entry: put in")
            continue
        seq, told = entry
        parsed = _parsed(body)
        if parsed is None or digest_of(parsed) != told["details"].get("sha256"):
            yield Fault(order, seq, f"fact {number} is not the one that was recorded: changed")
        elif (f"fact.{kind}", kind, at) != (told["event"], parsed["kind"], _instant(parsed["at"])):
            yield Fault(order, seq, f"fact {number} has another kind or time in its columns than in its body")


def compare_decisions(orders: dict[str, Described], rows: Iterable[Row]) -> Iterable[Fault]:
    """rows: order, id, question, facts_seen, at, input, answer."""
    for order, number, question, facts_seen, at, asked, answer in rows:
        if orders[order].destroyed is not None:
            yield Fault(order, orders[order].destroyed, f"decision {number} {_STANDS}")
            continue
        entry = orders[order].decisions.pop(number, None)
        if entry is None:
            yield Fault(order, None, f"decision {number} is in no entry: put in")
            continue
        seq, told = entry
        details = told["details"]
        for name, text in (("input", asked), ("answer", answer)):
            parsed = _parsed(text)
            if parsed is None or digest_of(parsed) != details.get(f"{name}_sha256"):
                yield Fault(order, seq, f"decision {number}: its {name} is not the recorded one: changed")
        columns = (f"decision.{question}", facts_seen, at)
        if columns != (told["event"], details.get("facts"), _instant(details.get("at"))):
            yield Fault(order, seq, f"decision {number}: question, time or count of facts changed")


def missing(orders: dict[str, Described]) -> Iterable[Fault]:
    """What is left after comparing: described, and no longer there."""
    for order, described in orders.items():
        if described.destroyed is not None:
            continue
        for number, (seq, _) in described.facts.items():
            yield Fault(order, seq, f"fact {number} is missing")
        for number, (seq, _) in described.decisions.items():
            yield Fault(order, seq, f"decision {number} is missing")


def not_destroyed(
    orders: dict[str, Described], standing: Iterable[str], buried: Iterable[str]
) -> Iterable[Fault]:
    """Of those said to be destroyed. standing: whose row is there; buried: whose tombstone is finished."""
    there, over = set(standing), set(buried)
    for order, described in orders.items():
        if described.destroyed is None:
            continue
        if order in there:
            yield Fault(order, described.destroyed, f"the order {_STANDS}")
        if order not in over:
            yield Fault(order, described.destroyed, "is said to be destroyed, and no tombstone says when")


def _parsed(text: str) -> Any:
    """The JSON value; None where it is not written as the application writes it."""
    try:
        parsed = json.loads(text)
        return parsed if json.dumps(parsed) == text else None
    except (ValueError, TypeError, RecursionError):
        return None


def _instant(told: Any) -> str | None:
    try:
        return datetime.fromisoformat(told).astimezone(UTC).strftime(_INSTANT)
    except (ValueError, TypeError):
        return None
