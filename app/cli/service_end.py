"""`python -m app service end ORDER --reason … --by NAME`: end a subscriber's service (R8.1)."""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app.cli import Subparsers
from app.cli._operator import NotSignedIn, add_operator, operating, read_password, told

if TYPE_CHECKING:
    from activation.ids import OrderId


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser(
        "end", help="switch a subscriber off for good; retention begins", description=__doc__
    )
    parser.add_argument("order", help="the order's id: ord_ and 24 hex digits")
    parser.add_argument("--reason", required=True, help="3 to 500 characters, nothing personal")
    parser.add_argument(
        "--keep-number", action="store_true", help="the number left with its subscriber: never free again"
    )
    add_operator(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    from pydantic import ValidationError

    from activation.ids import OrderId
    from app.http.retention import ServiceEndNew

    try:
        order_id = OrderId(arguments.order)
        asked = ServiceEndNew(reason=arguments.reason, keep_number=arguments.keep_number)
    except ValidationError:
        print("the reason: 3 to 500 characters, no document or phone numbers", file=sys.stderr)
        return 2
    except ValueError:
        print("an order's id is ord_ and 24 hex digits", file=sys.stderr)
        return 2
    try:
        return asyncio.run(
            _end(order_id, asked.reason, asked.keep_number, arguments.by, read_password(arguments))
        )
    except NotSignedIn as mistake:
        return told(mistake)


async def _end(order_id: OrderId, reason: str, keep_number: bool, by: str, password: str) -> int:
    from activation.adapters.sql.service_ends import ServiceEnd
    from activation.ending import EndDesk

    async with operating(by, password) as ground:
        desk = EndDesk(ground.work, lambda: datetime.now(UTC))
        async with ground.sessions.begin() as session:
            asked = await desk.ask(session, order_id, keep_number, reason)
    if not isinstance(asked, ServiceEnd):
        print(f"not ended: {asked}", file=sys.stderr)
        return 1
    print(f"{order_id}: asked for at {asked.asked_at:%F %T} UTC, ended {asked.ended_at or 'not yet'}")
    return 0
