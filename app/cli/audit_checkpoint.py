"""`python -m app audit checkpoint [--append FILE]`: sign the heads of all chains now."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli import Subparsers

if TYPE_CHECKING:
    from app.compliance.audit.signed import Signed
    from app.config import Settings


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("checkpoint", help="sign the heads of all chains now", description=__doc__)
    parser.add_argument(
        "--append",
        type=Path,
        metavar="FILE",
        help="also write it there, to be kept elsewhere",
    )
    return parser


def run(arguments: argparse.Namespace) -> int:
    from activation.acting import acting_as
    from app.config import load_settings

    with acting_as("command:audit-checkpoint"):
        signed = asyncio.run(_take(load_settings()))
    told = signed.told
    if arguments.append is not None:
        members = {"content": signed.content, "hash": signed.hash, "signature": signed.signature}
        with arguments.append.open("a") as file:
            file.write(json.dumps(members) + "\n")
    print(
        f"checkpoint {told['number']}: {told['chains']} chains, {told['entries']} entries, key {told['key']}"
    )
    print(signed.hash)
    return 0


async def _take(settings: Settings) -> Signed:
    from activation.adapters.sql.engine import open_engine, open_readers, open_sessions
    from app.compliance.audit.checkpoints import Checkpoints
    from app.keys import load_audit_key

    engine = open_engine(settings.database_url)
    try:
        key = load_audit_key(settings)
        return await Checkpoints(open_sessions(engine), open_readers(engine), key).take()
    finally:
        await engine.dispose()
