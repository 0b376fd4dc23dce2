"""`python -m app staff add`, as an operator types it on a fresh machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from app.access.passwords import matches_password
from app.access.principals import Role

ROOT = Path(__file__).parents[3]
PASSWORD = "a long pass phrase"


def staff_add(database_url: str, password: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", "staff", "add", "--password-stdin", *arguments],
        input=password + "\n",
        env={**os.environ, "DATABASE_URL": database_url},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_account_is_made_once(sqlite_url: str) -> None:
    wanted = ("--role", "operator", "first.operator")
    made = staff_add(sqlite_url, PASSWORD, *wanted)
    assert made.returncode == 0, made.stderr
    assert PASSWORD not in made.stdout + made.stderr
    engine = sa.create_engine(sqlite_url)
    with engine.connect() as connection:
        row = connection.execute(sa.text("SELECT role, password_hash, carrier FROM staff")).one()
    engine.dispose()
    assert (row.role, row.carrier) == (Role.OPERATOR, None)
    assert matches_password(PASSWORD, row.password_hash)
    again = staff_add(sqlite_url, PASSWORD, *wanted)
    assert (again.returncode, again.stderr.strip()) == (1, "no account was made: name_taken")


def test_weak_passwords_and_couriers_without_carrier_are_refused(sqlite_url: str) -> None:
    weak = staff_add(sqlite_url, "short", "--role", "reviewer", "a.reviewer")
    assert (weak.returncode, weak.stderr.strip()) == (1, "no account was made: password_weak")
    homeless = staff_add(sqlite_url, PASSWORD, "--role", "courier", "a.courier")
    assert (homeless.returncode, homeless.stderr.strip()) == (1, "no account was made: carrier_wanted")


def test_without_one_a_password_is_made_and_shown_once(sqlite_url: str) -> None:
    command = [sys.executable, "-m", "app", "staff", "add", "a.reviewer", "--role", "reviewer"]
    env = {**os.environ, "DATABASE_URL": sqlite_url}
    said = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    _, username, password = said.stdout.split()
    engine = sa.create_engine(sqlite_url)
    with engine.connect() as connection:
        stored = connection.execute(sa.text("SELECT password_hash FROM staff")).scalar_one()
    engine.dispose()
    assert username == "a.reviewer"
    assert matches_password(password, stored)
