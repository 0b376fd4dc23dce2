"""`python -m app privacy scan`: looks for personal data in clear wherever the program writes (R9.1).

Exit status: 0 clean, 1 something was found or could not be read, 2 it could not be done.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli import Subparsers

if TYPE_CHECKING:
    from activation.ids import OrderId
    from app.compliance.privacy.scan import Scope
    from app.compliance.privacy.subjects import Sought
    from app.config import Settings

CLEAN, FOUND, NOT_DONE = 0, 1, 2


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("scan", help="look for personal data in clear", description=__doc__)
    parser.add_argument("--data-dir", type=Path, help="default: KAIKA_DATA_DIR, or its newest demo")
    parser.add_argument("--database-url", help="default: DATABASE_URL, or SQLite in the data folder")
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--order", help="look for this order's data; default: those of the newest orders")
    whose.add_argument("--needles", type=Path, help="JSON file: name, number, address, phone to look for")
    parser.add_argument("--temp", type=Path, action="append", help="temp folders; default: the system's")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    return parser


def run(arguments: argparse.Namespace) -> int:
    from app.compliance.privacy.files import TooManyFiles
    from app.compliance.privacy.needles import patterns_of
    from app.compliance.privacy.report import as_json, clean, lines
    from app.compliance.privacy.scan import ScanBlind, scan
    from app.compliance.privacy.subjects import NeedlesUnusable

    settings = _settings(arguments)
    try:
        sought = _sought(arguments, settings)
        patterns = patterns_of(sought.needles)
        _tell(f"{settings.data_dir}: {sought.orders} orders, {len(patterns)} forms are looked for")
        if sought.destroyed:
            _tell(f"{sought.destroyed} orders were destroyed; nobody knows their data any more")
        places = scan(_scope(arguments, settings), patterns, _tell)
    except (NeedlesUnusable, ScanBlind, TooManyFiles, LookupError, ValueError) as refused:
        print(refused, file=sys.stderr)
        return NOT_DONE
    if arguments.json:
        print(json.dumps(as_json(places), ensure_ascii=False))
    else:
        print("\n".join(lines(places)))
    return CLEAN if clean(places) else FOUND


def _settings(arguments: argparse.Namespace) -> Settings:
    """Those of the environment, but for what the command line says."""
    from app.config import load_settings

    chosen: dict[str, str] = {}
    if arguments.data_dir is not None:
        chosen["KAIKA_DATA_DIR"] = str(arguments.data_dir)
    if arguments.database_url is not None:
        chosen["DATABASE_URL"] = arguments.database_url
    settings = load_settings(None, **chosen)
    database = settings.data_dir / "kaika.sqlite"
    if settings.database_url != f"sqlite:///{database}" or database.exists():
        return settings
    demos = sorted(settings.data_dir.glob("demo-*/kaika.sqlite"), key=lambda path: path.stat().st_mtime)
    return load_settings(None, KAIKA_DATA_DIR=str(demos[-1].parent)) if demos else settings


def _sought(arguments: argparse.Namespace, settings: Settings) -> Sought:
    """Raises NeedlesUnusable, LookupError, ValueError."""
    from activation.ids import OrderId
    from app.compliance.privacy.subjects import read_needles

    if arguments.needles is not None:
        return read_needles(arguments.needles)
    order = OrderId(arguments.order) if arguments.order is not None else None
    sought = asyncio.run(_unsealed(settings, order))
    if not sought.orders and not sought.destroyed:
        raise LookupError("there is no order whose data could be looked for; see --data-dir and --needles")
    return sought


async def _unsealed(settings: Settings, order: OrderId | None) -> Sought:
    from app.compliance.privacy.subjects import needles_of_orders
    from app.records import open_records

    async with open_records(settings) as records, records.readers() as session:
        return await needles_of_orders(session, order)


def _scope(arguments: argparse.Namespace, settings: Settings) -> Scope:
    import tempfile
    from functools import partial

    from app.compliance.privacy.buckets import objects_of
    from app.compliance.privacy.files import first_write
    from app.compliance.privacy.scan import Scope
    from app.storage import open_buckets

    opened = open_buckets(settings)
    buckets = () if opened is None else opened.all()
    database = settings.data_dir / "kaika.sqlite"
    nothing = settings.database_url == f"sqlite:///{database}" and not database.exists()
    return Scope(
        data_dir=settings.data_dir,
        database_url=None if nothing else settings.database_url,
        temp=tuple(arguments.temp or [Path(tempfile.gettempdir())]),
        here=Path.cwd(),
        left_out=() if arguments.needles is None else (arguments.needles,),
        since=first_write(settings.data_dir),
        buckets=tuple((each.name, partial(objects_of, each)) for each in buckets),
    )


def _tell(line: str) -> None:
    """Progress, for whoever looks."""
    print(line, file=sys.stderr, flush=True)
