"""`python -m app migrate`: brings the database at DATABASE_URL to the newest schema."""

from __future__ import annotations

import argparse
import asyncio

from app.cli import Subparsers


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("migrate", help="bring the database to the newest schema")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; status 1 where it is not the newest"
    )
    return parser


def run(arguments: argparse.Namespace) -> int:
    import migrations
    from activation.acting import acting_as
    from app.config import load_settings

    settings = load_settings()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not arguments.check:
        with acting_as("command:migrate"):
            asyncio.run(migrations.upgrade(settings.database_url))
    current = asyncio.run(migrations.is_current(settings.database_url))
    print("the schema is the newest" if current else "the schema is not the newest")
    return 0 if current else 1
