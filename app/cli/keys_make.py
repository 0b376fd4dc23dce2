"""`python -m app keys make FOLDER`: a set of keys for production."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.cli import Subparsers
from app.keys import make_keys


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("make", help="make field, index, vault, token and audit keys")
    parser.add_argument("folder", type=Path, help="where to put them; existing keys are not overwritten")
    return parser


def run(arguments: argparse.Namespace) -> int:
    try:
        made = make_keys(arguments.folder)
    except FileExistsError as error:
        print(f"{error.filename2 or error.filename}: exists; a lost key is lost evidence, so it stays")
        return 1
    for path, variable in zip(made, ("FIELD", "INDEX", "VAULT", "TOKEN", "AUDIT"), strict=True):
        print(f"KAIKA_{variable}_KEY_FILE={path.resolve()}")
    return 0
