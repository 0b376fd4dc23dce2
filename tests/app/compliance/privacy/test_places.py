"""Every kind of place is looked into, and what is found is told without saying what it is."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.cli import main
from app.compliance.privacy import database, files
from app.compliance.privacy.database import FILES, LOG, raw_files
from app.compliance.privacy.needles import Kind, Needle, patterns_of
from app.compliance.privacy.report import clean, lines
from app.compliance.privacy.scan import Place, ScanBlind, Scope, prove, scan
from app.compliance.privacy.search import Pattern, Search
from app.compliance.privacy.subjects import NeedlesUnusable, read_needles

NAME, NUMBER = "样本丁", "110101198503070036"
PATTERNS = patterns_of([Needle(Kind.NAME, NAME), Needle(Kind.NUMBER, NUMBER)])
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(50)


def found(scope: Scope) -> dict[str, Place]:
    return {place.name.strip(): place for place in scan(scope, PATTERNS) if not place.clean}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with everything that belongs there, sealed."""
    folder = tmp_path / "data"
    for name in ("vault/objects/ord_1/a", "vault/keys/ord_1/b.json", "order-keys/ord_1", "logs/server.log"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(3000))
    return folder


def scope(data: Path, **also: object) -> Scope:
    return Scope(data, None, here=data.parent, **also)  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [NAME.encode(), NUMBER.encode().hex().encode(), JPEG])
@pytest.mark.parametrize("name", ["vault/objects/ord_1/x", "order-keys/x", "logs/server.log", "export.zip"])
def test_a_file_of_the_data_folder_is_found(data: Path, name: str, content: bytes) -> None:
    assert found(scope(data)) == {}
    (data / name).write_bytes(content)
    places = found(scope(data))
    assert name in places
    assert not any(NAME in line or NUMBER in line for line in lines(list(places.values())))


def test_a_name_of_a_file_counts_and_is_not_told(data: Path) -> None:
    (data / f"{NAME}.txt").write_text("nothing")
    places = found(scope(data))
    assert "a file whose name holds it" in places
    assert NAME not in "".join(lines(list(places.values()))).replace(f"{NAME}.txt", "", 1)


def test_models_may_look_like_embeddings_and_may_hold_nobody(data: Path) -> None:
    import numpy as np

    weights = np.random.default_rng(7).normal(0, 0.05, 2000).astype("<f4").tobytes()
    (data / "models").mkdir()
    (data / "models" / "weights.bin").write_bytes(weights)
    assert found(scope(data)) == {}
    (data / "weights.bin").write_bytes(weights)
    assert "weights.bin" in found(scope(data))
    (data / "weights.bin").unlink()
    (data / "models" / "weights.bin").write_bytes(weights + NAME.encode())
    assert "models/weights.bin" in found(scope(data))


def test_temp_folders_are_looked_into_from_the_run_on(data: Path, tmp_path: Path) -> None:
    temp = tmp_path / "temp"
    (temp / "deep").mkdir(parents=True)
    old, fresh = temp / "old", temp / "deep" / "fresh"
    old.write_text(NAME)
    fresh.write_text(NAME)
    os.utime(old, (1, 1))
    places = found(scope(data, temp=(temp,), since=files.first_write(data)))
    assert {Path(name).name for name in places if name.startswith(str(temp))} == {"fresh"}


def test_core_dumps_are_found_by_name_and_by_form(data: Path) -> None:
    (data.parent / "core.123").write_bytes(b"\0" * 100)
    (data / "dump").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x04\x00" + NAME.encode())
    places = found(scope(data))
    assert places["core dumps"].hits["core dump"] == 2
    assert places[str(data / "dump")].hits["name utf-8"] == 1


def test_links_lead_nowhere_and_what_cannot_be_read_is_not_clean(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(NAME)
    (data / "link").symlink_to(elsewhere)
    assert found(scope(data)) == {}
    real = Path.open

    def refuses(self: Path, *words: object, **also: object) -> object:
        if self.name == "server.log":
            raise PermissionError
        return real(self, *words, **also)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuses)
    assert found(scope(data))["logs"].unread == 1


@pytest.mark.parametrize("where", ["logs", "vault/keys/ord_1", "."])
def test_a_folder_that_cannot_be_looked_into_is_not_clean(
    data: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    shut, listed = data / where, Path.iterdir

    def iterdir(folder: Path) -> Iterator[Path]:
        if folder == shut:
            raise PermissionError
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert sum(place.unread for place in found(scope(data)).values()) >= 1


def test_a_temp_folder_that_cannot_be_looked_into_is_not_clean(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temp, listed = tmp_path / "temp", Path.iterdir
    (temp / "shut").mkdir(parents=True)

    def iterdir(folder: Path) -> Iterator[Path]:
        if folder.name == "shut":
            raise PermissionError
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert found(scope(data, temp=(temp,)))[f"temp {temp}"].unread == 1


def test_what_a_database_keeps_for_itself_is_always_told(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite3.connect(data / "kaika.sqlite").close()
    wanted = Scope(data, f"sqlite:///{data / 'kaika.sqlite'}", here=data.parent)
    told = "\n".join(lines(scan(wanted, PATTERNS)))
    assert "database files" in told
    assert "write-ahead log" in told
    assert "not read" not in told
    monkeypatch.setattr(database, "raw_files", lambda _: {FILES: None, LOG: None})
    places = scan(wanted, PATTERNS)
    told = "\n".join(lines(places))
    assert told.count("not read\n") == 2
    assert "not read, so nothing is said of them: database files, write-ahead log" in told
    assert clean(places)


def test_too_many_files_are_said_to_be(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILES", 3)
    with pytest.raises(files.TooManyFiles):
        scan(scope(data), PATTERNS)


def test_a_bucket_is_looked_into(data: Path) -> None:
    objects = [("orders/a", iter([os.urandom(100)])), ("orders/b", iter([b"x", NAME.encode()]))]
    places = found(scope(data, buckets=(("evidence", lambda: objects),)))
    assert places["bucket evidence"].hits["name utf-8"] == 1


@pytest.mark.parametrize("where", ["text", "blob", "json", "wal"])
def test_sqlite_is_looked_into_table_by_table_and_raw(data: Path, where: str) -> None:
    path = data / "kaika.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE workflow (id INTEGER, text TEXT, blob BLOB, json JSON)")
    connection.commit()
    wanted = Scope(data, f"sqlite:///{path}", here=data.parent)
    assert found(wanted) == {}
    value = {"text": NAME, "blob": NUMBER.encode(), "json": json.dumps({"a": NAME}), "wal": NAME}[where]
    column = "text" if where == "wal" else where
    connection.execute(f"INSERT INTO workflow ({column}) VALUES (?)", (value,))  # noqa: S608
    connection.commit()
    if where == "wal":
        connection.execute("DELETE FROM workflow")
        connection.commit()
    places = found(wanted)
    connection.close()
    assert any(name.startswith("kaika.sqlite") for name in places)
    if where == "wal":
        assert "table workflow" not in places
    else:
        (label,) = places["table workflow"].hits
        assert label.startswith(f"{column}: ")


@pytest.mark.postgres
def test_postgresql_is_looked_into_in_every_schema_and_raw(data: Path, postgres_url: str) -> None:
    # The cluster's write-ahead log is of all tests of this run; reading it would take long.
    wanted = Scope(data, postgres_url, here=data.parent, raw=False)
    engine = sa.create_engine(sa.make_url(postgres_url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA elsewhere")
        connection.exec_driver_sql("CREATE TABLE elsewhere.work (a text, b bytea, c jsonb, d text[])")
    assert not any(name.startswith("table") for name in found(wanted))
    with engine.begin() as connection:
        row = (NAME, NUMBER.encode(), f'["{NAME}"]', [NAME])
        connection.exec_driver_sql("INSERT INTO elsewhere.work VALUES (%s, %s, %s, %s)", row)
    places = found(wanted)
    assert {label[0] for label in places["table elsewhere.work"].hits} == {"a", "b", "c", "d"}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CHECKPOINT")
    own = raw_files(engine)
    raw = [path for paths in own.values() for path in paths or ()]
    engine.dispose()
    if os.geteuid() == 0:  # the cluster's folder is its owner's
        assert any(path.parent.name == "pg_wal" for path in raw)
        base = [path.read_bytes() for path in raw if path.parent.name != "pg_wal"]
        assert Search(PATTERNS).count(base)["name utf-8"] >= 1


def test_a_scan_that_cannot_see_says_nothing() -> None:
    with pytest.raises(ScanBlind):
        prove(Search([]), [Pattern(b"needle", "it")])


def test_needles_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "needles.json"
    path.write_text(json.dumps({"name": NAME, "phone": ["13900000001", "13900000002"]}))
    assert len(read_needles(path).needles) == 3
    for bad in ("", "[]", "{}", '{"nickname": "x"}', '{"name": 1}'):
        path.write_text(bad)
        with pytest.raises(NeedlesUnusable):
            read_needles(path)


def test_the_command_prints_no_needle(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    needles = tmp_path / "needles.json"
    needles.write_text(json.dumps({"name": NAME, "number": NUMBER}, ensure_ascii=False))
    sqlite3.connect(data / "kaika.sqlite").close()
    temp = tmp_path / "empty"
    temp.mkdir()
    words = ["privacy", "scan", "--data-dir", str(data), "--needles", str(needles), "--temp", str(temp)]
    assert main(words) == 0
    assert "clean" in capsys.readouterr().out
    (data / "logs" / "server.log").write_text(f"{NUMBER} {NAME}")
    assert main(words) == 1
    assert main([*words, "--json"]) == 1
    told = capsys.readouterr()
    assert NAME not in told.out + told.err
    assert NUMBER not in told.out + told.err
    report = json.loads(told.out[told.out.index('{"clean"') :])
    assert not report["clean"]
    assert {"place": "logs", "files": 1, "bytes": 28, "unread": 0}.items() <= next(
        each for each in report["places"] if each["place"] == "logs"
    ).items()
    assert not clean([Place("x", unread=1)])
