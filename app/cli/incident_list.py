"""`python -m app incident list`: incidents and what is overdue of them (R9.2). Status 1: something is."""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app.cli import Subparsers

if TYPE_CHECKING:
    from app.compliance.incidents.incidents import Incident


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("list", help="open incidents, their deadlines; status 1: one is overdue")
    parser.add_argument("--all", action="store_true", help="also those that are closed")
    return parser


def run(arguments: argparse.Namespace) -> int:
    from app.config import load_settings

    found, now = asyncio.run(_read(load_settings().database_url, arguments.all)), datetime.now(UTC)
    late = False
    for each in found:
        print(
            f"{each.id} {each.state:<6} {each.kind} {each.severity}, {each.discovered_at:%Y-%m-%d %H:%M} UTC"
        )
        for due in each.deadlines:
            late = late or due.overdue(now)
            stands = "OVERDUE" if due.overdue(now) else "done" if due.done_at else "due"
            print(f"    {due.duty:<18} {due.due_at:%Y-%m-%d %H:%M} UTC  {stands}")
    return 1 if late else 0


async def _read(url: str, everything: bool) -> list[Incident]:
    from activation.adapters.sql.engine import open_engine, open_readers
    from app.compliance.incidents.incidents import newest

    engine = open_engine(url)
    try:
        async with open_readers(engine)() as session:
            return await newest(session, open_only=not everything)
    finally:
        await engine.dispose()
