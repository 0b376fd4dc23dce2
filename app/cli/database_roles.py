"""`python -m app database roles --app NAME`: give the application's role what it needs, and no more.

Run it as the owner of the tables (DATABASE_URL), after each `python -m app migrate`; the server then runs as
NAME. PostgreSQL only.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from app.cli import Subparsers


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("roles", help="grant the application's role", description=__doc__)
    parser.add_argument("--app", required=True, metavar="NAME", help="the application's role, made already")
    parser.add_argument("--print", action="store_true", help="print the statements, run none")
    return parser


def run(arguments: argparse.Namespace) -> int:
    from activation.adapters.sql.roles import NoSuchRole
    from app.config import load_settings

    settings = load_settings()
    if settings.sqlite:
        print("SQLite has no roles; the trail's proof is its checkpoints", file=sys.stderr)
        return 2
    try:
        statements = asyncio.run(grant(settings.database_url, arguments.app, only_print=arguments.print))
    except NoSuchRole as mistake:
        print(mistake, file=sys.stderr)
        return 1
    print("\n".join(f"{statement};" for statement in statements))
    return 0


async def grant(url: str, role: str, *, only_print: bool = False) -> tuple[str, ...]:
    """Run the statements as the role of `url`, all or none; returns them."""
    from activation.adapters.sql.engine import open_engine
    from activation.adapters.sql.roles import grants

    engine = open_engine(url)
    try:
        async with engine.begin() as connection:
            statements = await connection.run_sync(grants, role)
            for statement in () if only_print else statements:
                await connection.exec_driver_sql(statement)
    finally:
        await engine.dispose()
    return statements
