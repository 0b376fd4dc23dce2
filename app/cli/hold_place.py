"""`python -m app hold place SCOPE --reason … --by NAME`: stop at once, while the server runs (R9.3)."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app.cli import Subparsers
from app.cli._holds import add_wait, line, until_obeyed
from app.cli._operator import NotSignedIn, add_operator, operating, read_password, told

if TYPE_CHECKING:
    from app.compliance.holds.desk import NewHold


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("place", help="stop everything, a province, a dealer, a channel, an order")
    parser.add_argument("scope", help="all, province:广东, dealer:ID, channel:NAME or order:ord_…")
    parser.add_argument("--reason", required=True, help="3 to 500 characters, nothing personal")
    parser.add_argument("--authority", default="", help="who ordered it; left out where the operator does")
    parser.add_argument("--document", default="", help="number of the authority's document")
    add_operator(parser)
    add_wait(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    new = _wanted(arguments)
    if isinstance(new, str):
        print(new, file=sys.stderr)
        return 2
    try:
        return asyncio.run(_place(new, arguments, read_password(arguments)))
    except NotSignedIn as mistake:
        return told(mistake)


def _wanted(arguments: argparse.Namespace) -> NewHold | str:
    """The same rules as over HTTP; a text says what is wrong."""
    from pydantic import ValidationError

    from app.compliance.holds.desk import NewHold
    from app.http.holds import HoldNew

    kind, _, value = arguments.scope.partition(":")
    authority = {"name": arguments.authority, "document": arguments.document}
    wanted = {
        "scope": {"kind": kind, "value": value},
        "authority": authority if any(authority.values()) else None,
        "reason": arguments.reason,
    }
    try:
        given = HoldNew.model_validate_json(json.dumps(wanted))
    except ValidationError as wrong:
        found = (f"{'.'.join(map(str, each['loc']))}: {each['type']}" for each in wrong.errors())
        return "not a hold: " + ", ".join(found)
    name, document = (given.authority.name, given.authority.document) if given.authority else ("", "")
    return NewHold(given.scope.scope, given.reason, name, document)


async def _place(new: NewHold, arguments: argparse.Namespace, password: str) -> int:
    from app.compliance.holds.desk import HoldDesk, HoldRefusal

    async with operating(arguments.by, password) as ground:
        desk = HoldDesk(ground.sessions, lambda: datetime.now(UTC), ground.work)
        placed = await desk.place(ground.operator, new)
        if isinstance(placed, HoldRefusal):
            print(f"not placed: {placed}", file=sys.stderr)
            return 1
        print(line(placed), flush=True)
        return await until_obeyed(ground.readers, placed.id, arguments.wait)
