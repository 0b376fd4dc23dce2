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
        gone, faces, left = asyncio.run(_run(max(1, arguments.limit)))
    print(f"{gone} orders destroyed, faces of {faces} orders let go")
    if left:
        print(f"at least {left} left: more than --limit were due, a store did not answer, or the server")
        print("has to give back a card first; run it again")
    return 1 if left else 0


async def _run(limit: int) -> tuple[int, int, int]:
    """Orders destroyed, orders whose faces went, and how many of both are still due, at most so many."""
    from activation.ports import StepGaveUp
    from app.compliance.retention.due import due_orders
    from app.compliance.retention.routine import scrub

    gone = faces = 0
    async with keeping() as kept:
        room = kept.retention
        async with kept.readers() as session:
            due, served = await due_orders(session, room.clock(), limit), await room.faces.expired(session)
        for order_id in due:
            try:
                gone += await room.destroyer.destroyed(order_id)
            except StepGaveUp as given_up:
                print(f"{order_id}: {given_up}", file=sys.stderr)
        for order_id in served:
            try:
                await room.faces.forget(order_id)
                faces += 1
            except StepGaveUp as given_up:
                print(f"{order_id}: {given_up}", file=sys.stderr)
        async with kept.readers() as session:
            left = len(await due_orders(session, room.clock(), limit))
            left += len(await room.faces.expired(session))
        await scrub(room.engine)
    return gone, faces, left
