"""`python -m app hold list`: holds, who ordered them, and which processes obey (R9.3)."""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime

from app.cli import Subparsers
from app.cli._holds import line


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("list", help="holds in force, and that they are obeyed")
    parser.add_argument("--all", action="store_true", help="also those that were lifted")
    return parser


def run(arguments: argparse.Namespace) -> int:
    from app.config import load_settings

    for each in asyncio.run(_lines(load_settings().database_url, everything=arguments.all)):
        print(each)
    return 0


async def _lines(url: str, *, everything: bool) -> list[str]:
    from activation.adapters.sql.engine import open_engine, open_readers
    from activation.adapters.sql.holds import Holds
    from app.compliance.holds.shown import LIST_LIMIT, show_hold

    engine, lines = open_engine(url), list[str]()
    try:
        async with open_readers(engine)() as session:
            for hold in await Holds().newest(session, not everything, LIST_LIMIT):
                lines.append(line(hold))
                shown = await show_hold(session, hold.id, datetime.now(UTC))
                for seen in shown.processes if shown else ():
                    delay = "not yet" if seen.delay_s is None else f"saw it after {seen.delay_s:.2f} s"
                    lines.append(f"    {seen.executor} {'alive' if seen.alive else 'dead'}, {delay}")
                if shown is not None and shown.pending:
                    lines.append(f"    not switched off yet: {shown.pending} orders")
                for what, number in sorted(shown.stopped.items()) if shown else ():
                    lines.append(f"    stopped {number} {what}")
    finally:
        await engine.dispose()
    return lines
