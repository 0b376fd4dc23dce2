"""`python -m app audit verify [--export FILE] [--public-key FILE]`: go over the whole trail again.

Names every entry, head, checkpoint, fact and decision that is not as it was written, and ends with status 1
where there is one. An export needs neither database nor settings.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli import Subparsers

if TYPE_CHECKING:
    from app.compliance.audit.signed import PublicKeys, Signed
    from app.compliance.audit.verifying import Verified

#: Faults that are told one by one.
MOST_TOLD = 1_000
SECONDS_APART = 1.0


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("verify", help="find whatever was tampered with", description=__doc__)
    parser.add_argument("--export", type=Path, metavar="FILE", help="an export instead of the database")
    parser.add_argument(
        "--public-key",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a trusted audit key (PEM), former ones too; left out: the one of the settings",
    )
    parser.add_argument(
        "--kept", type=Path, metavar="FILE", help="checkpoints kept elsewhere (`audit checkpoint --append`)"
    )
    return parser


def run(arguments: argparse.Namespace) -> int:
    from app.compliance.audit.exported import NotAnExport
    from app.compliance.audit.signed import PublicKeyUnusable, read_public_keys

    try:
        keys = read_public_keys(arguments.public_key)
        if arguments.export is not None:
            verified = _of_export(arguments.export, keys)
        else:
            verified = asyncio.run(_of_database(keys, _kept(arguments.kept)))
    except (OSError, NotAnExport, PublicKeyUnusable) as mistake:
        print(mistake, file=sys.stderr)
        return 2
    return _tell(verified)


def _tell(verified: Verified) -> int:
    for fault in verified.faults[:MOST_TOLD]:
        print(fault)
    more = len(verified.faults) - MOST_TOLD
    if more > 0:
        print(f"… and {more} more")
    print(f"{verified.entries} entries, {verified.checkpoints} checkpoints, {len(verified.faults)} faults")
    if verified.beyond > 0:
        print(f"{verified.beyond} entries are newer than the last checkpoint")
    return 1 if verified.faults else 0


def _of_export(path: Path, keys: PublicKeys) -> Verified:
    from app.compliance.audit.exported import key_in, verify_export
    from app.compliance.audit.signed import key_id, read_public_pem

    with path.open(encoding="ascii", errors="backslashreplace") as file:
        if not keys:
            key = read_public_pem(key_in(file.readline()))
            keys = {key_id(key): key}
            print(f"believing the key in the file, {key_id(key)}: compare it with the published one")
            file.seek(0)
        return verify_export(file, keys)


async def _of_database(keys: PublicKeys, kept: list[Signed]) -> Verified:
    from activation.adapters.sql.engine import open_engine, open_readers
    from app.compliance.audit.signed import key_id
    from app.compliance.audit.verifying import verify
    from app.config import load_settings
    from app.keys import load_audit_key

    settings = load_settings()
    if not keys:
        public = load_audit_key(settings).public_key()
        keys = {key_id(public): public}
    engine = open_engine(settings.database_url)
    try:
        return await verify(open_readers(engine), keys, kept, _Progress())
    finally:
        await engine.dispose()


class _Progress:
    """A line on standard error now and then, where the work takes long."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() - self._told >= SECONDS_APART:
            self._told = time.monotonic()
            print(f"{done} of {total} entries", file=sys.stderr)


def _kept(path: Path | None) -> list[Signed]:
    from app.compliance.audit.exported import NotAnExport
    from app.compliance.audit.signed import Signed

    if path is None:
        return []
    try:
        members = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
        kept = [Signed(each["content"], each["hash"], each["signature"]) for each in members]
        for each in kept:
            int(each.told["number"])
    except (ValueError, KeyError, TypeError):
        raise NotAnExport(f"{path} holds no checkpoints") from None
    return kept
