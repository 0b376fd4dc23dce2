"""`python -m app incident open WHAT --kind leak --severity serious --by NAME`: record one at once (R9.2)."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app.cli import Subparsers
from app.cli._operator import NotSignedIn, add_operator, operating, read_password, told

if TYPE_CHECKING:
    from app.http.incident_bodies import IncidentNew


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("open", help="record an incident; its deadlines run from now on")
    parser.add_argument("what", help="what happened, 3 to 2000 characters, nothing personal")
    parser.add_argument("--kind", required=True, choices=("leak", "damage", "loss", "misuse"))
    parser.add_argument("--severity", required=True, choices=("minor", "serious", "grave"))
    parser.add_argument("--discovered", metavar="TIME", help="ISO 8601 with zone; now, where left out")
    parser.add_argument("--account", action="append", default=[], metavar="STAFF", help="whose looks count")
    parser.add_argument("--order", action="append", default=[], metavar="ORDER", help="affected anyway")
    parser.add_argument("--since", metavar="TIME", help="looks from then on")
    parser.add_argument("--until", metavar="TIME", help="looks until then")
    add_operator(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    new = _wanted(arguments)
    if isinstance(new, str):
        print(new, file=sys.stderr)
        return 2
    try:
        return asyncio.run(_open(new, arguments.by, read_password(arguments)))
    except NotSignedIn as mistake:
        return told(mistake)


def _wanted(arguments: argparse.Namespace) -> IncidentNew | str:
    """The same rules as over HTTP; a text says what is wrong."""
    from pydantic import ValidationError

    from app.http.incident_bodies import IncidentNew

    affected = {
        "accounts": arguments.account,
        "orders": arguments.order,
        "since": arguments.since,
        "until": arguments.until,
    }
    given = {
        "kind": arguments.kind,
        "severity": arguments.severity,
        "what": arguments.what,
        "discovered_at": arguments.discovered,
        "affected": affected,
    }
    try:
        return IncidentNew.model_validate_json(json.dumps(given))
    except ValidationError as wrong:
        found = (f"{'.'.join(map(str, each['loc']))}: {each['type']}" for each in wrong.errors())
        return "not an incident: " + ", ".join(found)


async def _open(new: IncidentNew, name: str, password: str) -> int:
    from app.compliance.incidents.desk import IncidentDesk, NewIncident
    from app.compliance.incidents.incidents import read_file

    now = datetime.now(UTC)
    found = min(new.discovered_at or now, now)
    asked = NewIncident(new.kind, new.severity, new.what, found, new.affected.criteria)
    async with operating(name, password) as ground:
        desk = IncidentDesk(ground.sessions, lambda: datetime.now(UTC))
        incident = await desk.open(ground.operator, asked)
        async with ground.readers() as session:
            file = await read_file(session, incident)
    print(incident)
    if file is not None:
        print(f"  affected: {file.affected.orders} orders, {file.affected.people} people")
        for each in file.incident.deadlines:
            print(f"  {each.duty} by {each.due_at:%Y-%m-%d %H:%M} UTC")
    return 0
