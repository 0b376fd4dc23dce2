from __future__ import annotations

from pathlib import Path

import pytest

from app.cli import main
from tests.media.faces.tiny_model import write_tiny_model

Output = pytest.CaptureFixture[str]


def _models(tmp_path: Path, *words: str) -> int:
    return main(["models", *words, "--models-dir", str(tmp_path / "models")])


def test_everything_is_listed_with_its_licence(tmp_path: Path, capsys: Output) -> None:
    assert _models(tmp_path, "list") == 0
    told = capsys.readouterr().out
    assert "Apache-2.0" in told
    assert "non-commercial" in told
    assert "accept 0.6, refuse 0.15, not measured" in told


def test_an_own_model_is_installed_listed_and_verified(tmp_path: Path, capsys: Output) -> None:
    model = write_tiny_model(tmp_path / "made.onnx")
    assert _models(tmp_path, "install", "custom", "--from", str(model), "--name", "ours") == 0
    assert "nobody vouches" in capsys.readouterr().out
    assert _models(tmp_path, "list") == 0
    assert "first_use" in capsys.readouterr().out
    assert _models(tmp_path, "verify") == 0
    assert "ours: good" in capsys.readouterr().out
    (tmp_path / "models/ours/ours.onnx").write_bytes(b"changed")
    assert _models(tmp_path, "verify") == 1
    assert "another checksum" in capsys.readouterr().out


def test_refusals_say_what_to_do(tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media.models.download.WAIT_S", 0.0)
    assert _models(tmp_path, "install", "buffalo_l") == 1
    told = capsys.readouterr()
    assert "non-commercial" in told.out
    assert "--accept-licence" in told.err
    assert _models(tmp_path, "install", "sface", "--url", "http://127.0.0.1:1/x") == 1
    assert "--from" in capsys.readouterr().err
    assert _models(tmp_path, "install", "custom") == 2
    assert "models list" in capsys.readouterr().err
