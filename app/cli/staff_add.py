"""`python -m app staff add --role operator --username NAME`: an account, made beside the database.

The password comes from the first line of standard input, or is asked for at a terminal; never from an argument,
which everybody on the machine could read.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from app.cli import Subparsers

ROLES = ("operator", "reviewer", "courier")


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("add", help="make an account; the password is read from standard input")
    parser.add_argument("--role", required=True, choices=ROLES)
    parser.add_argument("--username", required=True)
    parser.add_argument("--carrier", help="whom a courier works for")
    return parser


def run(arguments: argparse.Namespace) -> int:
    import asyncio

    password = _read_password()
    said = asyncio.run(_add(arguments.role, arguments.username, password, arguments.carrier))
    print(said, file=sys.stderr if said.startswith("refused") else sys.stdout)
    return 1 if said.startswith("refused") else 0


def _read_password() -> str:
    if sys.stdin.isatty():
        import getpass

        return getpass.getpass("Password: ")
    return sys.stdin.readline().rstrip("\r\n")


async def _add(role: str, username: str, password: str, carrier: str | None) -> str:
    from activation.adapters.sql.engine import open_engine, open_sessions
    from app.access.passwords import Passwords
    from app.access.principals import Role
    from app.access.staff import AccountRefusal, NewAccount, StaffAccounts
    from app.config import load_settings

    engine, passwords = open_engine(load_settings().database_url), Passwords()
    try:
        accounts = StaffAccounts(passwords, lambda: datetime.now(UTC))
        async with open_sessions(engine).begin() as session:
            made = await accounts.create(session, NewAccount(username, password, Role(role), carrier))
    finally:
        passwords.close()
        await engine.dispose()
    return f"refused: {made}" if isinstance(made, AccountRefusal) else f"{made} {role} {username}"
