"""Numbers for the bench, written straight into its SQLite file."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from app.demo.stock import fictional_stock


def furnish_numbers(folder: Path, count: int) -> None:
    rows = [(each, each[::-1], "") for each in fictional_stock(count).numbers]
    with contextlib.closing(sqlite3.connect(folder / "kaika.sqlite", timeout=30)) as database, database:
        database.executemany("INSERT INTO numbers (msisdn, backwards, region) VALUES (?, ?, ?)", rows)
