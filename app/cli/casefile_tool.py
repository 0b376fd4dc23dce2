"""`python -m app casefile tool --out casefile.pyz`: the program that opens and verifies, as one file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app.cli import Subparsers


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("tool", help="write the stand-alone program", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="a file that is not there yet")
    return parser


def run(arguments: argparse.Namespace) -> int:
    from app.compliance.casefile.tool import write_tool

    try:
        write_tool(arguments.out)
    except OSError as failed:
        print(f"{arguments.out.name}: {failed.strerror}", file=sys.stderr)
        return 2
    print(f"{arguments.out}: needs Python 3.11 and the package cryptography")
    return 0
