"""`python -m app staff add NAME --role operator`: an account; the first operator can be made no other way.

The password is made here and printed once, or is the first line of standard input. It is never an argument,
which everybody on the machine could read.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from typing import TYPE_CHECKING

from app.cli import Subparsers

if TYPE_CHECKING:
    from activation.ids import StaffId
    from app.access.staff import AccountRefusal, NewAccount

PASSWORD_BYTES = 18


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser("add", help="make an account and print its password, once")
    parser.add_argument("username")
    parser.add_argument("--role", required=True, choices=("operator", "reviewer", "courier"))
    parser.add_argument("--carrier", help="whom a courier works for")
    parser.add_argument(
        "--password-stdin", action="store_true", help="read the password from standard input, print none"
    )
    return parser


def run(arguments: argparse.Namespace) -> int:
    from activation.acting import acting_as
    from app.access.principals import Role
    from app.access.staff import AccountRefusal, NewAccount
    from app.config import load_settings

    given = sys.stdin.readline().rstrip("\r\n") if arguments.password_stdin else None
    password = secrets.token_urlsafe(PASSWORD_BYTES) if given is None else given
    new = NewAccount(arguments.username, password, Role(arguments.role), arguments.carrier)
    with acting_as("command:staff-add"):
        made = asyncio.run(_create(load_settings().database_url, new))
    if isinstance(made, AccountRefusal):
        print(f"no account was made: {made}", file=sys.stderr)
        return 1
    print(f"{made} {arguments.username}" + ("" if given is not None else f" {password}"))
    return 0


async def _create(url: str, new: NewAccount) -> StaffId | AccountRefusal:
    from datetime import UTC, datetime

    from activation.adapters.sql.engine import open_engine, open_sessions
    from app.access.passwords import Passwords
    from app.access.staff import StaffAccounts

    engine, passwords = open_engine(url), Passwords()
    try:
        async with open_sessions(engine).begin() as session:
            return await StaffAccounts(passwords, lambda: datetime.now(UTC)).create(session, new)
    finally:
        passwords.close()
        await engine.dispose()
