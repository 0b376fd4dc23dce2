"""`python -m app retention prove ORDER`: try to open everything that mentions an order (R8.2).

Works on a restored backup as well: point DATABASE_URL and the vault at it, and the key store at today's.
Exit status: 0 nothing opens, 1 something does, 2 not an order's id.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from app.cli import Subparsers
from app.cli._retention import keeping

if TYPE_CHECKING:
    from activation.ids import OrderId
    from app.compliance.retention.prove import Proof

NOTHING, OPENS, NOT_AN_ORDER = 0, 1, 2


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("prove", help="try to open an order's data", description=__doc__)
    parser.add_argument("order", help="the order's id: ord_ and 24 hex digits")
    return parser


def run(arguments: argparse.Namespace) -> int:
    from activation.ids import OrderId

    try:
        order_id = OrderId(arguments.order)
    except ValueError:
        print("an order's id is ord_ and 24 hex digits", file=sys.stderr)
        return NOT_AN_ORDER
    proof = asyncio.run(_prove(order_id))
    for each in proof.tried:
        if each.there:
            print(f"{each.place:<32} {each.there:>5} found {each.opened:>5} opened")
    print(f"rows in tables that are emptied: {proof.rows}; tombstone: {'yes' if proof.destroyed else 'no'}")
    print("nothing opens" if proof.nothing_opens else "SOMETHING OPENS")
    return NOTHING if proof.nothing_opens else OPENS


async def _prove(order_id: OrderId) -> Proof:
    from app.compliance.retention.prove import prove

    async with keeping() as kept, kept.readers() as session:
        return await prove(session, kept.vault, order_id)
