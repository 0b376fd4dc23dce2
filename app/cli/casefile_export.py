"""`python -m app casefile export ORDER --reason … --to PUBLIC_KEY --out FILE --by NAME`: a case file.

Sealed for one recipient, and made by an operator whose name stands in the record.

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
from app.cli._operator import NotSignedIn, add_operator, operating, read_password, told

if TYPE_CHECKING:
    from typing import BinaryIO

    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    from activation.ids import OrderId
    from app.compliance.casefile.making import CaseMade, CaseRefusal


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("export", help="make a sealed case file", description=__doc__)
    parser.add_argument("order", help="the order's id: ord_ and 24 hex digits")
    parser.add_argument("--reason", required=True, help="3 to 500 characters, nothing personal")
    parser.add_argument("--to", type=Path, required=True, help="the recipient's X25519 public key (PEM)")
    parser.add_argument("--out", type=Path, required=True, help="a file that is not there yet")
    parser.add_argument("--with-media", action="store_true", help="pictures and clips too")
    parser.add_argument("--with-identity", action="store_true", help="the applicant in clear; recorded")
    add_operator(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    from pydantic import TypeAdapter, ValidationError

    from activation.ids import OrderId
    from activation.order_keys import OrderKeysFault
    from app.compliance.casefile.making import CaseMade
    from app.compliance.casefile.members import TooMuch
    from app.compliance.casefile.packing import CaseTooLarge
    from app.compliance.casefile.sealing import RecipientUnusable, read_recipient
    from app.http.inputs import ReasonText
    from media.vault import VaultFault

    try:
        arguments.reason = TypeAdapter(ReasonText).validate_python(arguments.reason.strip())
    except ValidationError:
        print("--reason: 3 to 500 characters, no document or phone numbers", file=sys.stderr)
        return 2
    try:
        order, recipient = OrderId(arguments.order), read_recipient(arguments.to)
        made = _write(arguments, order, recipient, read_password(arguments))
    except NotSignedIn as mistake:
        return told(mistake)
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
    arguments: argparse.Namespace, order: OrderId, recipient: X25519PublicKey, password: str
) -> CaseMade | CaseRefusal:
    """Leaves no file behind where none could be made whole."""
    from app.compliance.casefile.making import CaseMade

    made: CaseMade | CaseRefusal | None = None
    handle = os.open(arguments.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            made = asyncio.run(_make(arguments, order, recipient, file, password))
    finally:
        if not isinstance(made, CaseMade):
            arguments.out.unlink()
    return made


async def _make(
    arguments: argparse.Namespace,
    order: OrderId,
    recipient: X25519PublicKey,
    file: BinaryIO,
    password: str,
) -> CaseMade | CaseRefusal:
    from datetime import UTC, datetime

    from app.compliance.casefile.making import CaseFiles, CaseRequest
    from app.compliance.casefile.sealing import Sealer
    from app.config import load_settings
    from app.records import open_records

    to = hashlib.sha256(recipient.public_bytes_raw()).hexdigest()[:16]
    wanted = CaseRequest(order, arguments.reason, arguments.with_media, arguments.with_identity, f"key {to}")
    async with operating(arguments.by, password), open_records(load_settings()) as records:
        files = CaseFiles(
            records.sessions, records.readers, records.vault, records.keys.audit, lambda: datetime.now(UTC)
        )
        sealer = Sealer(file, recipient)
        made = await files.make(wanted, sealer)
        await asyncio.to_thread(sealer.finish)
    return made
