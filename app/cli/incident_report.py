"""`python -m app incident report INCIDENT FILE`: ready to send; JSON or PDF by the name (R9.2)."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli import Subparsers

if TYPE_CHECKING:
    from app.compliance.incidents.report import Report

OWNER_ONLY = 0o600


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("report", help="write the report on an incident, nothing personal in it")
    parser.add_argument("incident", help="the incident's id: inc_ and 24 hex digits")
    parser.add_argument("file", type=Path, help="a new file, .json or .pdf")
    parser.add_argument("--locale", choices=("zh-CN", "en"), default="zh-CN", help="of the PDF")
    return parser


def run(arguments: argparse.Namespace) -> int:
    from app.compliance.incidents.pdf import report_pdf
    from app.config import load_settings
    from app.texts.text import Locale

    if arguments.file.suffix not in (".json", ".pdf"):
        print("the file's name ends in .json or .pdf", file=sys.stderr)
        return 2
    report = asyncio.run(_make(load_settings().database_url, arguments.incident))
    if report is None:
        print("there is no such incident", file=sys.stderr)
        return 1
    if arguments.file.suffix == ".pdf":
        body = report_pdf(report, Locale(arguments.locale))
    else:
        body = json.dumps(report.json(), ensure_ascii=False, indent=2).encode()
    try:
        opened = os.open(arguments.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    except FileExistsError:
        print(f"{arguments.file} is there already", file=sys.stderr)
        return 1
    with os.fdopen(opened, "wb") as file:
        file.write(body)
    print(f"{arguments.file}: {report.file.affected.orders} orders")
    return 0


async def _make(url: str, incident: str) -> Report | None:
    from activation.adapters.sql.engine import open_engine, open_readers
    from activation.ids import IncidentId
    from app.compliance.incidents.report import make_report

    if not IncidentId.pattern.fullmatch(incident):
        return None
    engine = open_engine(url)
    try:
        async with open_readers(engine)() as session:
            return await make_report(session, IncidentId(incident), datetime.now(UTC))
    finally:
        await engine.dispose()
