"""`python -m app casefile open FILE --key PRIVATE --out FOLDER`: needs no settings and no database."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.cli import Subparsers


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("open", help="open a case file into a new folder", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--key", type=Path, help="the recipient's X25519 private key (PEM)")
    parser.add_argument("--out", type=Path, required=True, help="a folder that is not there yet")
    return parser


def run(arguments: argparse.Namespace) -> int:
    from app.compliance.casefile.standalone.__main__ import run as run_alone

    return run_alone("open", arguments.file, arguments.key, arguments.out)
