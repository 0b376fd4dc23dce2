"""`python -m app casefile export ORDER --reason … --to PUBLIC_KEY --out FILE`: sealed for one recipient.

The recipient makes a pair of keys with `openssl genpkey -algorithm X25519 -out private.pem` and gives away
what `openssl pkey -in private.pem -pubout` prints. No clear ZIP touches the disk (R10.3).
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli import Subparsers

if TYPE_CHECKING:
    from typing import BinaryIO

    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    from activation.ids import OrderId
    from app.compliance.casefile.making import CaseMade, CaseRefusal

ACTOR = "command:casefile-export"
MIN_REASON, MAX_REASON = 3, 500


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("export", help="make a sealed case file", description=__doc__)
    parser.add_argument("order", help="the order's id: ord_ and 24 hex digits")
    parser.add_argument("--reason", required=True, help="why; becomes part of the record")
    parser.add_argument("--to", type=Path, required=True, help="the recipient's X25519 public key (PEM)")
    parser.add_argument("--out", type=Path, required=True, help="a file that is not there yet")
    parser.add_argument("--with-media", action="store_true", help="pictures and clips too")
    parser.add_argument("--with-identity", action="store_true", help="the applicant in clear; recorded")
    return parser


def run(arguments: argparse.Namespace) -> int:
    from activation.ids import OrderId
    from activation.order_keys import OrderKeysFault
    from app.compliance.casefile.making import CaseMade
    from app.compliance.casefile.members import TooMuch
    from app.compliance.casefile.packing import CaseTooLarge
    from app.compliance.casefile.sealing import RecipientUnusable, read_recipient
    from media.vault import VaultFault

    if not MIN_REASON <= len(arguments.reason.strip()) <= MAX_REASON:
        print(f"--reason: {MIN_REASON} to {MAX_REASON} characters", file=sys.stderr)
        return 2
    try:
        order, recipient = OrderId(arguments.order), read_recipient(arguments.to)
        made = _write(arguments, order, recipient)
    except FileExistsError:
        print(f"{arguments.out.name} is there already", file=sys.stderr)
        return 2
    except (RecipientUnusable, CaseTooLarge, TooMuch, VaultFault, OrderKeysFault, ValueError) as refused:
        print(f"no case file was made: {refused}", file=sys.stderr)
        return 2
    if not isinstance(made, CaseMade):
        print(f"no case file was made: {made}", file=sys.stderr)
        return 1
    print(f"{arguments.out}: manifest {made.manifest}, {made.missing} objects of evidence missing")
    return 0


def _write(
    arguments: argparse.Namespace, order: OrderId, recipient: X25519PublicKey
) -> CaseMade | CaseRefusal:
    """Leaves no file behind where none could be made whole."""
    from app.compliance.casefile.making import CaseMade

    made: CaseMade | CaseRefusal | None = None
    handle = os.open(arguments.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            made = asyncio.run(_make(arguments, order, recipient, file))
    finally:
        if not isinstance(made, CaseMade):
            arguments.out.unlink()
    return made


async def _make(
    arguments: argparse.Namespace, order: OrderId, recipient: X25519PublicKey, file: BinaryIO
) -> CaseMade | CaseRefusal:
    from datetime import UTC, datetime

    from activation.acting import acting_as
    from app.compliance.casefile.making import CaseFiles, CaseRequest
    from app.compliance.casefile.sealing import Sealer
    from app.config import load_settings
    from app.records import open_records

    to = hashlib.sha256(recipient.public_bytes_raw()).hexdigest()[:16]
    wanted = CaseRequest(
        order, arguments.reason.strip(), arguments.with_media, arguments.with_identity, f"key {to}"
    )
    async with open_records(load_settings()) as records:
        files = CaseFiles(
            records.sessions, records.readers, records.vault, records.keys.audit, lambda: datetime.now(UTC)
        )
        sealer = Sealer(file, recipient)
        with acting_as(ACTOR):
            made = await files.make(wanted, sealer)
        await asyncio.to_thread(sealer.finish)
    return made
