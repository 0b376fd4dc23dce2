"""Only the recipient opens a sealed case file, and only whole; the program for it stands alone."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

import app.compliance.casefile.standalone as standalone
from app.cli import main
from app.compliance.casefile.sealing import RecipientUnusable, Sealer, read_recipient
from app.compliance.casefile.standalone.reading import FolderMembers
from app.compliance.casefile.standalone.sealed import CHUNK, HEADER_BYTES, TAG, SealedFile, Unusable
from tests.app.compliance.casefile.cases import BY, REASON, made, members_of, order_on_record, write_public
from tests.app.ground import Ground
from tests.app.http.conftest import Client, application, client, ground, no_blocking

__all__ = ["application", "client", "ground", "no_blocking"]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
async def case(client: Client, ground: Ground) -> bytes:
    """The clear ZIP of an order."""
    return await made(ground, await order_on_record(client, ground))


def sealed(clear: bytes, recipient: X25519PrivateKey, step: int = 70_000) -> bytes:
    target = io.BytesIO()
    sealer = Sealer(target, recipient.public_key())
    for start in range(0, len(clear), step):
        sealer.write(clear[start : start + step])
    sealer.finish()
    return target.getvalue()


def opened(data: bytes, private: X25519PrivateKey) -> bytes:
    return io.BufferedReader(SealedFile(io.BytesIO(data), len(data), private)).read()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_was_sealed_opens(size: int) -> None:
    private, clear = X25519PrivateKey.generate(), os.urandom(size)
    data = sealed(clear, private)
    assert opened(data, private) == clear
    file = SealedFile(io.BytesIO(data), len(data), private)
    file.seek(-min(size, 100), os.SEEK_END)
    assert io.BufferedReader(file).read() == clear[size - min(size, 100) :]


def test_nobody_else_opens_it() -> None:
    with pytest.raises(Unusable):
        opened(sealed(b"clear", X25519PrivateKey.generate()), X25519PrivateKey.generate())


def test_what_was_changed_cut_exchanged_or_lengthened_does_not_open() -> None:
    private, clear = X25519PrivateKey.generate(), os.urandom(3 * CHUNK + 17)
    data = sealed(clear, private)
    one, two = HEADER_BYTES, HEADER_BYTES + CHUNK + TAG
    bad = [
        data[:-1],
        data + b"x",
        data[: HEADER_BYTES + 2 * (CHUNK + TAG)],
        data[:one] + data[two : two + CHUNK + TAG] + data[one:two] + data[two + CHUNK + TAG :],
        data[:HEADER_BYTES],
        b"",
        *(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in (0, 20, one, two + 5, len(data) - 1)),
        data[:13] + bytes(32) + data[45:],
    ]
    for each in bad:
        with pytest.raises(Unusable):
            opened(each, private)


def test_a_recipients_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"nonsense", write_public(tmp_path / "ed.pem").read_bytes()):
        path = tmp_path / "key.pem"
        path.write_bytes(content)
        with pytest.raises(RecipientUnusable):
            read_recipient(path)
    with pytest.raises(RecipientUnusable):
        read_recipient(tmp_path / "nothing.pem")


def recipient(folder: Path) -> tuple[X25519PrivateKey, Path]:
    private = X25519PrivateKey.generate()
    path = folder / "private.pem"
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "public.pem").write_bytes(public)
    return private, path


def alone(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Runs the copied program with an empty environment, where nothing of Kaika can be imported."""
    return subprocess.run(
        [sys.executable, *map(str, words)], cwd=folder, env={}, capture_output=True, text=True, check=False
    )


def test_the_program_works_alone(tmp_path: Path, case: bytes) -> None:
    private, private_path = recipient(tmp_path)
    file = tmp_path / "case.kaika"
    file.write_bytes(sealed(case, private))
    public = write_public(tmp_path / "audit.pem")
    place = tmp_path / "elsewhere"
    shutil.copytree(Path(standalone.__file__).parent, place / "standalone")
    assert main(["casefile", "tool", "--out", str(place / "casefile.pyz")]) == 0
    assert "No module named 'app'" in alone(place, "-c", "import app").stderr
    for number, program in enumerate((("-m", "standalone"), ("casefile.pyz",))):
        folder = place / f"opened-{number}"
        done = alone(place, *program, "open", file, "--key", private_path, "--out", folder)
        assert done.returncode == 0, done.stderr
        assert all(path.stat().st_mode & 0o077 == 0 for path in (folder, *folder.rglob("*")))
        for words in ((folder,), (file, "--key", private_path)):
            done = alone(place, *program, "verify", *words, "--public-key", public)
            assert (done.returncode, done.stderr) == (0, ""), done.stdout
        (folder / "facts.json").write_text("{}")
        (folder / "media" / f"{'0' * 64}.jpg").write_bytes(b"x")
        done = alone(place, *program, "verify", folder, "--public-key", public)
        assert done.returncode == 1
        assert "facts.json: changed" in done.stdout
        assert f"media/{'0' * 64}.jpg: added" in done.stdout
    assert alone(place, "casefile.pyz", "verify", file, "--public-key", public).returncode == 2
    assert alone(place, "casefile.pyz", "open", file, "--key", public, "--out", "x").returncode == 2


def test_the_commands_say_the_same(tmp_path: Path, case: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "case.zip"
    file.write_bytes(case)
    public, folder = write_public(tmp_path / "audit.pem"), tmp_path / "opened"
    assert main(["casefile", "open", str(file), "--out", str(folder)]) == 0
    assert main(["casefile", "open", str(file), "--out", str(folder)]) == 2
    for path in (file, folder):
        assert main(["casefile", "verify", str(path), "--public-key", str(public)]) == 0
    said = capsys.readouterr().out
    assert f"order: {json.loads((folder / 'order.json').read_bytes())['order']}" in said
    for line in ("made_at: 20", f"by: {BY}", f"reason: {REASON}", "checkpoint: 1, made at 20"):
        assert line in said
    (folder / "order.json").unlink()
    assert main(["casefile", "verify", str(folder), "--public-key", str(public)]) == 1
    assert "order.json: missing" in capsys.readouterr().out


def test_links_in_a_folder_are_refused(tmp_path: Path, case: bytes) -> None:
    folder = tmp_path / "opened"
    folder.mkdir()
    for name, data in members_of(case).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    assert "order.json" in FolderMembers(folder).names()
    (folder / "facts.json").unlink()
    (folder / "facts.json").symlink_to("/etc/hostname")
    with pytest.raises(Unusable):
        FolderMembers(folder)
