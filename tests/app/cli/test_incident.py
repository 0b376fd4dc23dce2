"""`python -m app incident …`, as an operator types it while the house is on fire."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from activation.adapters.sql.engine import open_engine, open_sessions
from app.access.passwords import Passwords
from app.access.principals import Role
from app.access.staff import NewAccount, StaffAccounts
from tests.activation.stand_ins import now

ROOT = Path(__file__).parents[3]
PASSWORD = "a long pass phrase"
BY = ("--by", "operator.zhao", "--password-stdin")
WHAT = ("a disk with evidence is missing", "--kind", "loss", "--severity", "serious")


def incident(database_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", "incident", *arguments],
        input=PASSWORD + "\n",
        env={**os.environ, "DATABASE_URL": database_url},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def _operator(database_url: str) -> None:
    engine, passwords = open_engine(database_url), Passwords()
    async with open_sessions(engine).begin() as session:
        account = NewAccount("operator.zhao", PASSWORD, Role.OPERATOR)
        await StaffAccounts(passwords, now).create(session, account)
    passwords.close()
    await engine.dispose()


def test_an_incident_is_recorded_listed_and_reported(sqlite_url: str, tmp_path: Path) -> None:
    refused = incident(sqlite_url, "open", *WHAT, *BY)
    assert (refused.returncode, refused.stderr.strip()) == (1, "no operator has this name and password")
    asyncio.run(_operator(sqlite_url))
    opened = incident(sqlite_url, "open", *WHAT, "--discovered", "2026-01-01T00:00:00Z", *BY)
    assert opened.returncode == 0, opened.stderr
    made, affected, *due = opened.stdout.splitlines()
    assert affected.strip() == "affected: 0 orders, 0 people"
    assert [line.split()[0] for line in due] == ["remedy", "report_authority", "tell_people", "final_report"]
    listed = incident(sqlite_url, "list")
    assert listed.returncode == 1  # since January everything is overdue
    assert listed.stdout.startswith(f"{made} open")
    assert listed.stdout.count("OVERDUE") == 4
    report = tmp_path / "report.json"
    assert incident(sqlite_url, "report", made, str(report)).returncode == 0
    assert json.loads(report.read_text())["what"] == WHAT[0]
    assert report.stat().st_mode & 0o077 == 0
    assert incident(sqlite_url, "report", made, str(report)).returncode == 1  # never over another file
    pdf = tmp_path / "report.pdf"
    assert incident(sqlite_url, "report", made, str(pdf), "--locale", "en").returncode == 0
    assert pdf.read_bytes().startswith(b"%PDF-")
    engine = sa.create_engine(sqlite_url)
    with engine.connect() as connection:
        actor = sa.text("SELECT actor FROM audit_entries WHERE event = 'incident.opened'")
        operator = sa.text("SELECT id FROM staff")
        assert connection.scalar(actor) == connection.scalar(operator)
    engine.dispose()


def test_what_is_personal_is_not_recorded(sqlite_url: str) -> None:
    what = ("the number 110101199003070011 was posted", *WHAT[1:])
    refused = incident(sqlite_url, "open", *what, *BY)
    assert (refused.returncode, refused.stderr.strip()) == (2, "not an incident: what: holds_numbers")
