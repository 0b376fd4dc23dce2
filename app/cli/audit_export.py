"""`python -m app audit export FILE [--from DAY] [--to DAY]`: the trail in a file that proves itself.

Days are those of UTC; an export begins and ends at checkpoints. Without --to a new checkpoint is made first.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli import Subparsers

if TYPE_CHECKING:
    from app.config import Settings


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("export", help="write the trail to a file", description=__doc__)
    parser.add_argument("file", type=Path, help="a new file, JSON lines")
    parser.add_argument("--from", dest="since", type=date.fromisoformat, metavar="DAY", help="2026-01-01")
    parser.add_argument("--to", dest="until", type=date.fromisoformat, metavar="DAY", help="that day too")
    return parser


def run(arguments: argparse.Namespace) -> int:
    from activation.acting import acting_as
    from app.config import load_settings

    with acting_as("command:audit-export"):
        try:
            lines = asyncio.run(_export(load_settings(), arguments.file, arguments.since, arguments.until))
        except FileExistsError:
            print(f"{arguments.file} exists already", file=sys.stderr)
            return 1
    print(f"{lines} lines" if lines else "no checkpoint was made in that time; nothing is exported")
    return 0 if lines else 1


async def _export(settings: Settings, file: Path, since: date | None, until: date | None) -> int:
    from activation.adapters.sql.audit import note
    from activation.adapters.sql.engine import open_engine, open_readers, open_sessions
    from app.compliance.audit.checkpoints import Checkpoints
    from app.compliance.audit.exporting import export, span
    from app.compliance.audit.signed import public_pem
    from app.keys import load_audit_key

    key, engine = load_audit_key(settings), open_engine(settings.database_url)
    sessions, readers, lines = open_sessions(engine), open_readers(engine), 0
    try:
        if until is None:
            await Checkpoints(sessions, readers, key).take()
        async with sessions.begin() as session:
            after, to = await span(session, _midnight(since), _midnight(until, 1))
            if after >= to:
                return 0
            await note(session, "exports", "audit.exported", "R10.3", after=after, to=to)
        async with readers() as session:
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:
                async for line in export(session, after, to, public_pem(key.public_key())):
                    written.write(line + "\n")
                    lines += 1
    finally:
        await engine.dispose()
    return lines


def _midnight(day: date | None, later: int = 0) -> datetime | None:
    return None if day is None else datetime.combine(day + timedelta(days=later), time(), UTC)
