"""`python -m app gate replay ORDER`: make the recorded decisions about an order again."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from app.cli import Subparsers

if TYPE_CHECKING:
    from activation.adapters.sql.decisions import RecordedDecision
    from activation.gate import Decision
    from activation.ids import OrderId

#: Exit statuses: every decision the same; one differs; nothing to compare.
SAME, DIFFERENT, NOTHING = 0, 1, 2


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser(
        "replay", help="make an order's recorded decisions again and compare", description=__doc__
    )
    parser.add_argument("order", help="the order's id: ord_ and 24 hex digits")
    return parser


def run(arguments: argparse.Namespace) -> int:
    from activation.ids import OrderId
    from app.config import load_settings

    try:
        order_id = OrderId(arguments.order)
    except ValueError:
        print("an order's id is ord_ and 24 hex digits", file=sys.stderr)
        return NOTHING
    return asyncio.run(replay(load_settings().database_url, order_id))


async def replay(url: str, order_id: OrderId) -> int:
    """Print each recorded decision beside today's; the exit status."""
    from activation.adapters.sql.decisions import Decisions
    from activation.adapters.sql.engine import open_engine, open_readers

    engine = open_engine(url)
    try:
        async with open_readers(engine).begin() as session:
            recorded = await Decisions().of_order(session, order_id)
    finally:
        await engine.dispose()
    if not recorded:
        print(f"no decision is recorded about {order_id}", file=sys.stderr)
        return NOTHING
    same = [_compare(number, decision) for number, decision in enumerate(recorded, start=1)]
    print(f"{sum(same)} of {len(same)} decisions are the same")
    return SAME if all(same) else DIFFERENT


def _compare(number: int, recorded: RecordedDecision) -> bool:
    replayed = recorded.replay()
    same = replayed == recorded.answer
    facts, policy, at = len(recorded.facts.evidence), recorded.policy.version, f"{recorded.at:%F %T}"
    print(f"{number}. {recorded.question} at {at} UTC, {facts} facts, policy {policy}")
    print(f"   recorded: {_words(recorded.answer)}")
    print(f"   replayed: {_words(replayed)}   {'same' if same else 'DIFFERENT'}")
    return same


def _words(answer: Decision) -> str:
    from activation.findings import Reason, rule_of
    from activation.gate import Pass, Refuse, Review, Wait

    def listed(reasons: tuple[Reason, ...]) -> str:
        return ", ".join(f"{reason} ({rule_of(reason)})" for reason in reasons)

    match answer:
        case Pass():
            return "pass"
        case Wait(missing):
            return f"wait: {listed(missing)}"
        case Refuse(reasons):
            return f"refuse: {listed(reasons)}"
        case Review(reasons, two_people):
            return f"review by {'two' if two_people else 'one'}: {listed(reasons)}"
