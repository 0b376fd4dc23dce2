"""`python -m app hold lift HOLD --reason … --by NAME`: let go on (R9.3)."""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import UTC, datetime

from app.cli import Subparsers
from app.cli._holds import add_wait, line, until_obeyed
from app.cli._operator import NotSignedIn, add_operator, operating, read_password, told


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("lift", help="lift a hold; what it stopped goes on by itself")
    parser.add_argument("hold", help="the hold's id: hld_ and 24 hex digits")
    parser.add_argument("--reason", required=True, help="3 to 500 characters, nothing personal")
    add_operator(parser)
    add_wait(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    from pydantic import ValidationError

    from activation.ids import HoldId
    from app.http.holds import HoldLift

    try:
        hold = HoldId(arguments.hold)
        reason = HoldLift(reason=arguments.reason).reason
    except ValidationError:
        print("a reason has 3 to 500 characters and no document or phone numbers", file=sys.stderr)
        return 2
    except ValueError:
        print("a hold's id is hld_ and 24 hex digits", file=sys.stderr)
        return 2
    try:
        return asyncio.run(_lift(hold, reason, arguments, read_password(arguments)))
    except NotSignedIn as mistake:
        return told(mistake)


async def _lift(hold: str, reason: str, arguments: argparse.Namespace, password: str) -> int:
    from activation.holds import HoldState
    from activation.ids import HoldId
    from app.compliance.holds.desk import HoldDesk, HoldRefusal

    async with operating(arguments.by, password) as ground:
        desk = HoldDesk(ground.sessions, lambda: datetime.now(UTC), ground.work)
        lifted = await desk.lift(ground.operator, HoldId(hold), reason)
        if isinstance(lifted, HoldRefusal):
            print(f"not lifted: {lifted}", file=sys.stderr)
            return 1
        print(line(lifted), flush=True)
        if lifted.state is HoldState.ACTIVE:
            print("asked for; another operator has to lift what the authority has ordered")
            return 0
        return await until_obeyed(ground.readers, lifted.id, arguments.wait)
