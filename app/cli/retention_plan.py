"""`python -m app retention plan [--days N]`: what must be destroyed, by rule and reason; changes nothing."""

from __future__ import annotations

import argparse
import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from app.cli import Subparsers
from app.cli._retention import keeping

if TYPE_CHECKING:
    from app.compliance.retention.due import PlanLine

MOST_DAYS = 3_650


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("plan", help="what must be destroyed, by rule", description=__doc__)
    parser.add_argument("--days", type=int, default=0, help="look so many days ahead (default: now)")
    return parser


def run(arguments: argparse.Namespace) -> int:
    days = min(max(arguments.days, 0), MOST_DAYS)
    lines, faces = asyncio.run(_plan(days))
    print(f"{'kept as':<16} {'rule':<5} {'due':>8} {'held':>8}  why")
    for line in lines:
        _show(line)
    print(f"{faces} orders of whose applicant a face is held")
    return 0


def _show(line: PlanLine) -> None:
    from app.compliance.retention.rules import PERIODS

    period = PERIODS[line.kept]
    print(f"{line.kept:<16} {period.rule:<5} {line.due:>8} {line.held:>8}  {period.why.en}")


async def _plan(days: int) -> tuple[list[PlanLine], int]:
    from app.compliance.retention.due import plan

    async with keeping() as kept, kept.readers() as session:
        found = await plan(session, kept.retention.clock() + timedelta(days=days))
        held = await kept.retention.faces.held()
    return found, held.held
