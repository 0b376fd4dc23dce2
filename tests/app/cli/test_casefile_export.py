"""`casefile export`: sealed for its recipient, recorded, and no clear byte on the disk."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from activation.adapters.sql.orders import NewOrder, Orders
from activation.ids import Msisdn, OrderId, StaffId
from app.access.passwords import Passwords
from app.access.principals import Role
from app.access.staff import NewAccount, StaffAccounts
from app.cli import main
from app.config import load_settings
from app.keys import load_keys
from app.records import open_records

PASSWORD = "a long pass phrase"
PHONE, ADDRESS = "13900000001", "北京市东城区样本胡同 1 号"


@pytest.fixture
def order(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> OrderId:
    """An order in the data folder that the environment names."""
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(sqlite_template, data / "kaika.sqlite")
    monkeypatch.setenv("KAIKA_DATA_DIR", str(data))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    new = NewOrder(OrderId.new(), Msisdn("13800000001"), Msisdn(PHONE), ADDRESS)

    async def create() -> None:
        now, passwords = datetime.now(UTC), Passwords()
        async with open_records(load_settings()) as records, records.sessions.begin() as session:
            await Orders().create(session, new, now, now + timedelta(hours=1))
            account = NewAccount("operator.zhao", PASSWORD, Role.OPERATOR)
            await StaffAccounts(passwords, lambda: now).create(session, account)
        passwords.close()

    asyncio.run(create())
    return new.id


@pytest.fixture
def private(tmp_path: Path) -> Path:
    key = X25519PrivateKey.generate()
    path = tmp_path / "private.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "public.pem").write_bytes(public)
    return path


def export(folder: Path, order: str, *words: str, password: str = PASSWORD) -> int:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sys.stdin", io.StringIO(password + "\n"))
        return _export(folder, order, *words)


def _export(folder: Path, order: str, *words: str) -> int:
    return main(
        [
            *("casefile", "export", order, "--reason", "asked for by the authority"),
            *("--to", str(folder / "public.pem"), "--out", str(folder / "case.kaika")),
            *("--by", "operator.zhao", "--password-stdin", *words),
        ]
    )


def test_the_recipient_opens_and_verifies_it(tmp_path: Path, order: OrderId, private: Path) -> None:
    assert export(tmp_path, order, "--with-identity", "--with-media") == 0
    case, folder, public = tmp_path / "case.kaika", tmp_path / "opened", tmp_path / "audit.pem"
    assert case.stat().st_mode & 0o077 == 0
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"PK\x03\x04" not in content
            assert PHONE.encode() not in content
            assert ADDRESS.encode() not in content
    assert main(["casefile", "open", str(case), "--key", str(private), "--out", str(folder)]) == 0
    audit = load_keys(load_settings()).audit.public_key()
    public.write_bytes(audit.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert main(["casefile", "verify", str(folder), "--public-key", str(public)]) == 0
    assert PHONE in (folder / "identity.json").read_text()
    by = json.loads((folder / "manifest.json").read_bytes())["by"]
    assert StaffId.pattern.fullmatch(by)
    assert by in (folder / "audit.json").read_text()


@pytest.mark.parametrize(
    "mistake",
    ["no order", "no such order", "no key", "there already", "no reason", "a number", "nobody"],
)
def test_what_cannot_be_made_leaves_no_file(
    tmp_path: Path, order: OrderId, private: Path, mistake: str
) -> None:
    out, asked, words = tmp_path / "case.kaika", str(order), []
    match mistake:
        case "no order":
            asked = "order"
        case "no such order":
            asked = str(OrderId.new())
        case "no key":
            (tmp_path / "public.pem").write_bytes(private.read_bytes())
        case "there already":
            out.write_text("mine")
        case "nobody":
            words = ["--by", "somebody.else"]
        case "a number":
            words = ["--reason", "of 13900000001"]
        case _:
            words = ["--reason", " "]
    assert export(tmp_path, asked, *words) in (1, 2)
    assert out.exists() is (mistake == "there already")
    assert mistake != "there already" or out.read_text() == "mine"
