"""The commands of the audit trail, as an operator and as an auditor use them."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from app.cli import main


@pytest.fixture
def url(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    monkeypatch.setenv("KAIKA_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    return sqlite_url


def _note(url: str, chain: str) -> None:
    from activation.adapters.sql.audit import note
    from activation.adapters.sql.engine import open_engine, open_sessions

    async def write() -> None:
        engine = open_engine(url)
        async with open_sessions(engine).begin() as session:
            await note(session, chain, "test.happened", "R9.1")
        await engine.dispose()

    asyncio.run(write())


def test_checkpoint_export_and_verification(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, file, public = tmp_path / "kept.jsonl", tmp_path / "trail.jsonl", tmp_path / "audit.pub.pem"
    _note(url, "ord_a")
    assert main(["audit", "checkpoint", "--append", str(kept)]) == 0
    assert "checkpoint 1: 1 chains, 1 entries" in capsys.readouterr().out
    assert main(["audit", "key"]) == 0
    public.write_text(capsys.readouterr().out)
    _note(url, "ord_b")
    assert main(["audit", "export", str(file)]) == 0
    assert file.stat().st_mode & 0o077 == 0
    assert main(["audit", "export", str(file)]) == 1
    assert (
        main(["audit", "export", str(tmp_path / "none"), "--from", "2001-01-01", "--to", "2001-01-02"]) == 1
    )
    assert main(["audit", "verify", "--kept", str(kept), "--public-key", str(public)]) == 0
    capsys.readouterr()
    monkeypatch.delenv("DATABASE_URL")  # an auditor has the file and the key
    assert main(["audit", "verify", "--export", str(file), "--public-key", str(public)]) == 0
    assert "3 entries, 2 checkpoints, 0 faults" in capsys.readouterr().out
    assert main(["audit", "verify", "--export", str(file)]) == 0
    assert "believing the key in the file" in capsys.readouterr().out
    file.write_text(file.read_text().replace("ord_b", "ord_c"))
    assert main(["audit", "verify", "--export", str(file), "--public-key", str(public)]) == 1
    assert main(["audit", "verify", "--export", str(public)]) == 2


def test_what_was_tampered_with_is_told_and_the_status_is_one(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _note(url, "ord_a")
    _note(url, "ord_a")
    with sqlite3.connect(tmp_path / "kaika.sqlite") as connection:
        connection.execute("DROP TRIGGER audit_entries_update")
        connection.execute("UPDATE audit_entries SET actor = 'nobody' WHERE seq = 2")
    assert main(["audit", "verify"]) == 1
    assert "ord_a 2: the column actor says something else than the content" in capsys.readouterr().out


def test_mistakes_of_the_caller_are_told(url: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("not a key")
    assert main(["audit", "verify", "--public-key", str(other)]) == 2
    assert main(["audit", "verify", "--kept", str(other)]) == 2
    assert main(["audit", "verify", "--export", str(tmp_path / "nowhere")]) == 2
    assert main(["database", "roles", "--app", "kaika_app"]) == 2  # SQLite has none
