"""Commands that an operator answers for: name and password, as over HTTP; the trail names the person."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

    from activation.adapters.durable import DurableWork
    from activation.ids import StaffId


class NotSignedIn(Exception):
    """No operator has this name and password."""


@dataclass(frozen=True)
class Ground:
    """The server's database, and who acts. work: enqueues for the running processes, runs nothing itself."""

    sessions: async_sessionmaker[AsyncSession]
    readers: async_sessionmaker[AsyncSession]
    work: DurableWork
    operator: StaffId


def add_operator(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", required=True, metavar="NAME", help="the operator who answers for it")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")


def read_password(arguments: argparse.Namespace) -> str:
    """Never an argument, which everybody on the machine could read."""
    if arguments.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return getpass.getpass(f"password of {arguments.by}: ")


@asynccontextmanager
async def operating(name: str, password: str) -> AsyncIterator[Ground]:
    """Signed in, with the database open and changes on the operator's name. Raises NotSignedIn."""
    from datetime import UTC, datetime

    from activation.acting import acting_as
    from activation.adapters.durable import DurableWork
    from activation.adapters.sql.engine import open_engine, open_readers, open_sessions
    from app.access.passwords import Passwords
    from app.access.principals import Role
    from app.access.staff import StaffAccounts
    from app.config import load_settings

    url = load_settings().database_url
    engine, passwords = open_engine(url), Passwords()
    work = DurableWork(url, engine, "command")
    try:
        accounts = StaffAccounts(passwords, lambda: datetime.now(UTC))
        staff = await accounts.sign_in(open_sessions(engine), name, password)
        if staff is None or staff.role is not Role.OPERATOR:
            raise NotSignedIn
        with acting_as(staff.id):
            yield Ground(open_sessions(engine), open_readers(engine), work, staff.id)
    finally:
        passwords.close()
        await work.stop()
        await engine.dispose()


def told(mistake: NotSignedIn) -> int:
    """The exit status, after saying it."""
    print("no operator has this name and password", file=sys.stderr)
    return 1
