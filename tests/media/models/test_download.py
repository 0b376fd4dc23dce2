from __future__ import annotations

import socket
from pathlib import Path

import pytest

from media.models import download as module
from media.models.download import ATTEMPTS, DownloadFailed, download
from tests.media.models.server import Behaviour, serving

CONTENT = bytes(range(256)) * 3000


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_S", 0.0)


def _quiet(here: int, total: int | None) -> None:
    pass


def test_a_file_arrives_with_its_progress(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    with serving(CONTENT) as served:
        download(served.url, tmp_path / "part", lambda here, total: told.append((here, total)))
    assert (tmp_path / "part").read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [here for here, _ in told] == sorted(here for here, _ in told)


def test_a_broken_connection_is_continued(tmp_path: Path) -> None:
    with serving(CONTENT, Behaviour.BREAKS_OFF_ONCE) as served:
        download(served.url, tmp_path / "part", _quiet)
    assert (tmp_path / "part").read_bytes() == CONTENT
    assert served.ranges == [None, f"bytes={len(CONTENT) // 2}-"]


def test_an_earlier_attempt_is_continued(tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(CONTENT[:1000])
    with serving(CONTENT) as served:
        download(served.url, tmp_path / "part", _quiet)
    assert (tmp_path / "part").read_bytes() == CONTENT
    assert served.ranges == ["bytes=1000-"]


@pytest.mark.parametrize("behaviour", [Behaviour.NO_RANGES, Behaviour.OTHER_RANGE])
def test_a_server_that_cannot_continue_starts_again(tmp_path: Path, behaviour: Behaviour) -> None:
    (tmp_path / "part").write_bytes(b"x" * 1000)
    with serving(CONTENT, behaviour) as served:
        download(served.url, tmp_path / "part", _quiet)
    assert (tmp_path / "part").read_bytes() == CONTENT


def test_a_beginning_longer_than_the_file_is_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(b"x" * (len(CONTENT) + 5))
    with serving(CONTENT) as served:
        download(served.url, tmp_path / "part", _quiet)
    assert (tmp_path / "part").read_bytes() == CONTENT


def test_a_busy_server_is_asked_again(tmp_path: Path) -> None:
    with serving(CONTENT, Behaviour.BUSY_ONCE) as served:
        download(served.url, tmp_path / "part", _quiet)
    assert len(served.ranges) == 2


@pytest.mark.parametrize(
    ("behaviour", "says", "asked"),
    [
        (Behaviour.MISSING, "404", 1),
        (Behaviour.ALWAYS_BUSY, "503", ATTEMPTS),
        (Behaviour.ALWAYS_BREAKS_OFF, "the same command continues", ATTEMPTS),
        (Behaviour.NO_LENGTH, "how long", 1),
        (Behaviour.TOO_LONG, "larger than", 1),
    ],
)
def test_failures_say_what_happened(tmp_path: Path, behaviour: Behaviour, says: str, asked: int) -> None:
    with serving(CONTENT, behaviour) as served, pytest.raises(DownloadFailed, match=says):
        download(served.url, tmp_path / "part", _quiet)
    assert len(served.ranges) == asked


def test_without_a_server(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(DownloadFailed, match=r"127\.0\.0\.1: .*refused"):
            download(f"http://127.0.0.1:{port}/x", tmp_path / "part", _quiet)
    assert not (tmp_path / "part").exists()


@pytest.mark.parametrize("url", ["http://example.org/m.onnx", "file:///etc/hosts", "ftp://example.org/m"])
def test_only_https_leaves_the_machine(tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadFailed, match="https"):
        download(url, tmp_path / "part", _quiet)
