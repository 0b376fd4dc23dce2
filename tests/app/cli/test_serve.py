"""`app serve`: what keeps it from serving is told in one line; what breaks later is a fault."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli.serve import _served
from app.config import Settings, load_settings
from app.serving import CannotServe, serve


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"KAIKA_DATA_DIR": str(tmp_path / "data"), "KAIKA_HOST": "127.0.0.1"})


def test_an_address_that_is_taken(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with pytest.raises(CannotServe, match=port):
            asyncio.run(serve(replace(settings, port=int(port))))


def test_a_folder_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    settings = load_settings({"KAIKA_DATA_DIR": str(tmp_path / "file" / "data")})
    assert _served(serve(settings)) == 2
    assert capsys.readouterr().err.startswith("cannot serve: ")


def test_a_fault_while_it_serves_is_not_hidden(settings: Settings) -> None:
    async def breaks(_services: object) -> None:
        raise TimeoutError("somebody did not answer")

    with pytest.raises(TimeoutError):
        _served(serve(replace(settings, port=0), breaks))
