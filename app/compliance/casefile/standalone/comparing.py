"""Facts and decisions of a case file, compared with the digests that its audit chain holds of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

Case = Mapping[str, Any]
Findings = Iterator[tuple[str, str]]
_FACTS, _DECISIONS = "facts.json", "decisions.json"


def entries_of(case: Case) -> list[dict[str, Any]]:
    """Entries of the chain, which goes on in `audit-2.json` and so on where it is long. Raises KeyError."""
    more = sum(name.startswith("audit-") for name in case)
    names = ["audit.json", *(f"audit-{number}.json" for number in range(2, more + 2))]
    return [entry for name in names for entry in case[name]["entries"]]


def told(case: Case) -> list[dict[str, Any]]:
    """What the entries of the chain say, oldest first."""
    return [json.loads(entry["content"]) for entry in entries_of(case)]


def check_facts(case: Case) -> Findings:
    """Each is the one that was recorded, none is put in, none is missing."""
    recorded = _recorded(case, "fact.", "seq")
    for fact in case[_FACTS]["facts"]:
        number, body = fact["seq"], fact["body"]
        entry = recorded.pop(number, None)
        if entry is None:
            yield _FACTS, f"fact {number} is in no entry of the chain: put in"
        elif digest_of(body) != entry["details"]["sha256"]:
            yield _FACTS, f"fact {number} is not the one that was recorded: changed"
        elif (entry["event"], fact["kind"]) != (f"fact.{fact['kind']}", body["kind"]) or not _same_instant(
            fact["at"], body["at"]
        ):
            yield _FACTS, f"fact {number} has another kind or time than its body"
    for number in recorded:
        yield _FACTS, f"fact {number} is missing"


def check_decisions(case: Case) -> Findings:
    """Input, answer, question and time of each as recorded; the policies are those of the inputs."""
    recorded = _recorded(case, "decision.", "id")
    policies: dict[str, Any] = {}
    for made in case[_DECISIONS]["decisions"]:
        number, policy = made["id"], made["input"]["policy"]
        policies[digest_of(policy)] = policy.get("version")
        if made["policy_sha256"] != digest_of(policy):
            yield _DECISIONS, f"decision {number}: policy_sha256 is another policy's"
        entry = recorded.pop(number, None)
        if entry is None:
            yield _DECISIONS, f"decision {number} is in no entry of the chain: put in"
            continue
        details = entry["details"]
        for name in ("input", "answer"):
            if digest_of(made[name]) != details[f"{name}_sha256"]:
                yield _DECISIONS, f"decision {number}: its {name} is not the recorded one: changed"
        columns = (f"decision.{made['question']}", made["facts_seen"])
        if columns != (entry["event"], details["facts"]) or not _same_instant(made["at"], details["at"]):
            yield _DECISIONS, f"decision {number}: question, time or count of facts changed"
    for number in recorded:
        yield _DECISIONS, f"decision {number} is missing"
    if case[_DECISIONS]["policies"] != policies:
        yield _DECISIONS, "the list of policies is not that of the decisions"


def digest_of(value: Any) -> str:
    """SHA-256 of a JSON value in one form: sorted keys, no spaces, ASCII. Raises ValueError."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _recorded(case: Case, prefix: str, number: str) -> dict[int, dict[str, Any]]:
    """Entries about rows of one kind, by the number of the row."""
    return {int(entry["details"][number]): entry for entry in told(case) if entry["event"].startswith(prefix)}


def _same_instant(one: str, other: str) -> bool:
    return datetime.fromisoformat(one) == datetime.fromisoformat(other)
