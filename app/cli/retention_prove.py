"""`python -m app retention prove ORDER`: try to open everything that mentions an order (R8.2).

Works on a restored backup as well: point DATABASE_URL and the vault at it, and the key store at today's.
Exit status: 0 nothing opens, 1 something does, 2 not an order's id, 3 nothing is proven: neither rows nor
objects nor a tombstone of such an order, or a key store that opens no living order either.
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

NOTHING, OPENS, NOT_AN_ORDER, NOT_PROVEN = 0, 1, 2, 3


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
    proof, store_opens = asyncio.run(_prove(order_id))
    for each in proof.tried:
        if each.there:
            print(f"{each.place:<32} {each.there:>5} found {each.opened:>5} opened")
    print(f"rows in tables that are emptied: {proof.rows}; tombstone: {'yes' if proof.destroyed else 'no'}")
    if not proof.nothing_opens:
        print("SOMETHING OPENS")
        return OPENS
    if not (proof.rows or proof.destroyed or any(each.there for each in proof.tried)):
        print("NOT PROVEN: there is no trace of such an order; is the id right, and the database?")
        return NOT_PROVEN
    if store_opens is False:
        print("NOT PROVEN: this key store opens no living order either; is it the right one?")
        return NOT_PROVEN
    print("nothing opens" + ("" if store_opens else "; there is no living order to try the key store with"))
    return NOTHING


async def _prove(order_id: OrderId) -> tuple[Proof, bool | None]:
    from app.compliance.retention.key_store_check import opens_living_orders
    from app.compliance.retention.prove import prove

    async with keeping() as kept, kept.readers() as session:
        return await prove(session, kept.vault, order_id), await opens_living_orders(session, order_id)
