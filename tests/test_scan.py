"""`scripts/scan`: what was planted is found, what was allowed is not, and a silent service is said."""

from __future__ import annotations

import secrets
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.test_docs import ROOT, script

SCAN = script("scan")
CLEAN = 'NAME = "kaika"\nLIMIT = 5\n'


def _pem() -> str:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _aws() -> str:
    return "AKIA" + "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ234567") for _ in range(16))


PLANTED = {
    "private key": _pem(),
    "AWS key": f'KEY = "{_aws()}"\n',
    "GitHub token": f'TOKEN = "ghp_{secrets.token_hex(18)}"\n',
    "random base64": f'KEY = "{secrets.token_urlsafe(48)}"\n',
    "password": f'password = "{secrets.token_urlsafe(9)}"\n',
    "address with a password": f'URL = "postgresql://kaika:{secrets.token_hex(6)}@db/kaika"\n',
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "app").mkdir()
    (tmp_path / "app/clean.py").write_text(CLEAN)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\0" + secrets.token_bytes(400))
    (tmp_path / ".gitignore").write_text("kept-out.pem\n")
    (tmp_path / "kept-out.pem").write_text(_pem())
    return tmp_path


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_secret_fails(repository: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert SCAN.check_secrets(repository) == 0
    (repository / "app/planted.py").write_text(PLANTED[name])
    assert SCAN.check_secrets(repository) >= 1
    printed = capsys.readouterr().out
    assert "app/planted.py:1" in printed
    assert PLANTED[name].strip()[-20:-2] not in printed


def test_keys_of_one_form_are_found_in_tests_as_well(repository: Path) -> None:
    (repository / "tests").mkdir()
    (repository / "tests/test_it.py").write_text(PLANTED["password"])
    assert SCAN.check_secrets(repository) == 0
    (repository / "tests/test_it.py").write_text(PLANTED["AWS key"])
    assert SCAN.check_secrets(repository) == 1


def test_what_is_allowed_for_one_file_is_allowed_there_only(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "app/planted.py").write_text(PLANTED["AWS key"])
    SCAN.check_secrets(repository, show=True)
    line = capsys.readouterr().out.replace("WHY", "made up")
    (repository / ".secrets-allowed").write_text(f"# reasons\n{line}")
    assert SCAN.check_secrets(repository) == 0
    (repository / "app/other.py").write_text(PLANTED["AWS key"])
    assert SCAN.check_secrets(repository) == 1
    (repository / ".secrets-allowed").write_text(line.removesuffix(" made up\n") + "\n")
    with pytest.raises(ValueError, match="unpack"):
        SCAN.check_secrets(repository)


def test_every_exception_still_names_a_file() -> None:
    assert [path for path, _ in SCAN.allowed(ROOT) if not (ROOT / path).exists()] == []


def test_a_service_that_is_not_there_is_said_and_fails_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert SCAN.check_dependencies(ROOT, "http://127.0.0.1:9/") == 0
    assert capsys.readouterr().out.strip() == SCAN.UNREACHABLE


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (1, ""),
        (0, "Traceback (most recent call last):"),
        (2, '{"dependencies": [{"name": "good", "version": "2.0", "vulns": []}]}'),
        (-9, ""),
        (0, '{"dependencies": []}'),
        (0, "{}"),
        (0, "[]"),
        (None, ""),
    ],
)
def test_an_audit_that_breaks_though_the_service_is_there_fails(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    status: int | None,
    told: str,
) -> None:
    def audit(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        if status is None:
            raise subprocess.TimeoutExpired("pip-audit", 1)
        return subprocess.CompletedProcess([], status, stdout=told, stderr="")

    monkeypatch.setattr(SCAN.urllib.request, "urlopen", lambda *_, **__: (tmp_path / "x").open("wb"))
    monkeypatch.setattr(SCAN.subprocess, "run", audit)
    assert SCAN.check_dependencies(tmp_path) == 1
    assert capsys.readouterr().out.strip() == SCAN.FAILED


def test_known_vulnerabilities_are_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As pip-audit tells them; the service itself is away."""
    told = (
        '{"dependencies": [{"name": "old", "version": "1.0", "vulns": '
        '[{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}, {"name": "good", "version": "2.0", "vulns": []}]}'
    )
    monkeypatch.setattr(SCAN.urllib.request, "urlopen", lambda *_, **__: (tmp_path / "x").open("wb"))
    done = subprocess.CompletedProcess([], 1, stdout=told, stderr="")
    monkeypatch.setattr(SCAN.subprocess, "run", lambda *_, **__: done)
    assert SCAN.check_dependencies(tmp_path) == 1
    assert capsys.readouterr().out.strip() == "old 1.0: PYSEC-1, mended in 1.1"
