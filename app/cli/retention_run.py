"""`python -m app retention run [--limit N]`: destroy now what the nights would destroy (R8).

Exit status: 0 everything that was due is destroyed, 1 something was left; run it again.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from app.cli import Subparsers
from app.cli._retention import keeping

ACTOR = "command:retention-run"


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("run", help="destroy what is due", description=__doc__)
    parser.add_argument("--limit", type=int, default=500, help="at most so many orders (default 500)")
    return parser


def run(arguments: argparse.Namespace) -> int:
    from activation.acting import acting_as

    with acting_as(ACTOR):
        gone, left = asyncio.run(_run(max(1, arguments.limit)))
    print(f"{gone} orders destroyed")
    if left:
        print(f"{left} left: a store did not answer, or the server has to give back a card first")
    return 1 if left else 0


async def _run(limit: int) -> tuple[int, int]:
    from activation.ports import StepGaveUp
    from app.compliance.retention.due import due_orders
    from app.compliance.retention.routine import scrub

    gone = left = 0
    async with keeping() as kept:
        async with kept.readers() as session:
            due = await due_orders(session, kept.retention.clock(), limit)
        for order_id in due:
            try:
                gone += await kept.retention.destroyer.destroyed(order_id)
            except StepGaveUp as given_up:
                print(f"{order_id}: {given_up}", file=sys.stderr)
                left += 1
        await scrub(kept.retention.engine)
    return gone, left
