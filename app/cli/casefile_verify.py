"""`python -m app casefile verify FILE|FOLDER --public-key KEY`: names whatever differs.

Exit status: 0 nothing differs, 1 something does, 2 it cannot be read. Needs no settings and no database.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from app.cli import Subparsers


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("verify", help="verify a case file", description=__doc__)
    parser.add_argument("file", type=Path, help="a case file, or the folder into which one was opened")
    parser.add_argument("--public-key", type=Path, required=True, help="the audit key (Ed25519, PEM)")
    parser.add_argument("--key", type=Path, help="the recipient's private key, where the file is sealed")
    return parser


def run(arguments: argparse.Namespace) -> int:
    from app.compliance.casefile.standalone.__main__ import run as run_alone

    return run_alone("verify", arguments.file, arguments.key, arguments.public_key)
