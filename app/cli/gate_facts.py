"""`python -m app gate facts ORDER`: what was measured about an order, each score beside its threshold."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from app.cli import Subparsers

if TYPE_CHECKING:
    from activation.evidence import Evidence, FaceComparison, Facts, LivenessMeasured
    from activation.ids import OrderId
    from activation.policy import Policy

Line = tuple[str, str]


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("facts", help="an order's facts with scores and thresholds")
    parser.add_argument("order", help="the order's id: ord_ and 24 hex digits")
    parser.add_argument("--json", action="store_true", help="one JSON list of [fact, name, value]")
    return parser


def run(arguments: argparse.Namespace) -> int:
    from activation.ids import OrderId
    from app.config import load_settings
    from app.wiring import policy_of

    settings = load_settings()
    try:
        order = OrderId(arguments.order)
    except ValueError:
        print("an order's id is ord_ and 24 hex digits", file=sys.stderr)
        return 2
    facts, policy = asyncio.run(_load(settings.database_url, order)), policy_of(settings)
    rows = [
        (index, name, value)
        for index, fact in enumerate(facts.evidence)
        for name, value in measured(fact, policy)
    ]
    if arguments.json:
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    for index, name, value in rows:
        print(f"{index:3} {name:<32} {value}")
    return 0 if rows else 1


async def _load(url: str, order: OrderId) -> Facts:
    from activation.adapters.sql.engine import open_engine, open_readers
    from activation.adapters.sql.facts import FactLog

    engine = open_engine(url)
    try:
        async with open_readers(engine).begin() as session:
            return await FactLog().load(session, order)
    finally:
        await engine.dispose()


def measured(fact: Evidence, policy: Policy) -> Iterator[Line]:
    """Names and values of one fact; nothing personal and no keyed hash."""
    from activation import evidence as e

    match fact:
        case e.CapturesMeasured():
            yield "captures", f"valid {fact.valid_today}, age {fact.age_years}, bareheaded {fact.bareheaded}"
            yield from _faces(fact.comparisons, policy)
        case e.RegistryAnswer():
            yield "registry", f"{fact.verdict} ({fact.reference})"
        case e.QuotaPlace():
            yield "card limit", f"place {fact.place or 'none'} of {fact.limit}"
        case e.SimBinding():
            yield "card", fact.iccid
        case e.Handover():
            yield (
                "handover",
                f"{fact.outcome}, code {fact.code_matched}, document {fact.document_tail_matched}",
            )
            yield from _faces(fact.comparisons, policy)
        case e.VideoCheckMeasured():
            yield "video check", f"attempt {fact.attempt}, {fact.outcome}, {fact.seconds:.1f} s"
            yield from _liveness(fact.liveness, policy)
            number = "read" if fact.document.number else "not read"
            yield "document in the video", f"{number} in {fact.document_frames} frames alike"
            yield "card in the video", fact.iccid or "not seen"
            yield from _faces(fact.comparisons, policy)
        case e.ReviewDecision():
            people = "two people" if fact.checker else "one person"
            yield "review", f"{fact.stage}: {fact.outcome} by {people}"
        case e.Hold():
            yield "hold", f"{fact.scope} {'placed' if fact.placed else 'lifted'}"
        case e.FaceConsent():
            yield "face recognition", f"consent {'given anew' if fact.given else 'taken back'}"


def _liveness(live: LivenessMeasured | None, policy: Policy) -> Iterator[Line]:
    if live is None:
        return
    limits = policy.liveness
    for each in live.movements:
        done = "done" if each.done and each.in_order else "not done"
        yield each.movement, f"{done}{f', {each.milliseconds} ms' if each.milliseconds else ''}"
    if live.planarity is not None:
        yield (
            "depth",
            f"{live.planarity:.4f} (a head from {limits.planarity_min}, flat to {limits.planarity_flat})",
        )
    yield (
        "frames",
        f"{live.frames}, {live.repeated_frames:.0%} repeated (at most {limits.repeated_frames_max:.0%})",
    )
    yield "track", f"{live.track_breaks} breaks, {live.second_faces} frames with a second face"
    if live.continuity is not None:
        yield from _faces([live.continuity], policy)


def _faces(comparisons: Iterable[FaceComparison], policy: Policy) -> Iterator[Line]:
    for each in comparisons:
        band = policy.faces.get(each.model.name)
        limits = f"accept {band.accept}, refuse {band.refuse}" if band else "counts for nothing"
        yield f"{each.left} ↔ {each.right}", f"{each.similarity:.3f} ({each.model.name}: {limits})"
