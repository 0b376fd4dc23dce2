"""`python -m app demo` as a person runs it: the applicant ends ACTIVE, every attack is stopped."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.demo.journey import CONTACT_PHONE
from app.demo.run import SEED
from app.studio import FontMissing, make_applicant
from app.studio.fonts import chinese

ROOT = Path(__file__).parents[2]
SECONDS = 280


@pytest.fixture(autouse=True)
def _font() -> None:
    try:
        chinese(20)
    except FontMissing as missing:
        pytest.skip(str(missing))


def demo(folder: Path, *words: str) -> tuple[int, str]:
    """Exit status and output of a demo whose data lie in `folder`."""
    return run(folder, "demo", *words)


def run(folder: Path, *words: str) -> tuple[int, str]:
    """Exit status and output of `python -m app …` whose data and temporary files lie in `folder`."""
    temp = folder / "temp"
    temp.mkdir(exist_ok=True)
    environ = {
        **os.environ,
        "KAIKA_DATA_DIR": str(folder),
        "OMP_NUM_THREADS": "1",
        "TMPDIR": str(temp),
    }
    done = subprocess.run(
        [sys.executable, "-m", "app", *words],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def children_of(folder: Path) -> list[str]:
    """Programs that still run with this folder in their command or environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in told and process.name != str(os.getpid()):
            found.append(process.name)
    return found


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 20)
def test_the_applicant_ends_active(tmp_path: Path) -> None:
    status, output = demo(tmp_path)
    assert re.fullmatch(r"ACTIVE 1[3-9]\d{9}", output.strip().splitlines()[-1]), output
    assert status == 0
    assert "HLR says                         off" in output
    assert re.search(r"live ↔ front_portrait +0\.\d+", output)
    assert children_of(tmp_path) == []
    assert_nothing_lies_in_clear(tmp_path)


def assert_nothing_lies_in_clear(folder: Path) -> None:
    """R9.1: as the scan sees it, which must see what is planted, and as grep does."""
    person = make_applicant(SEED).applicant
    texts = (person.name, person.number, person.address, CONTACT_PHONE)
    status, output = run(folder, "privacy", "scan")
    assert status == 0, output
    assert not any(text in output for text in texts)
    for word in (*texts, *(text.encode().hex() for text in texts), "JFIF", "matroska", "OpusHead"):
        found = subprocess.run(["grep", "-rlaF", "-e", word, str(folder)], capture_output=True, check=False)
        assert found.returncode == 1, (found.stdout, "a word of the applicant, or a picture")
    (demo_folder,) = folder.glob("demo-*")
    (demo_folder / "logs" / "planted").write_text(person.number)
    assert run(folder, "privacy", "scan")[0] == 1


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 20)
@pytest.mark.parametrize("attack", ["print", "replay", "other-person", "other-document"])
def test_an_attack_is_stopped(tmp_path: Path, attack: str) -> None:
    status, output = demo(tmp_path, "--attack", attack)
    assert re.match(r"(REFUSED|REVIEW) \w+", output.strip().splitlines()[-1]), output
    assert status == 0
    assert output.count("HLR says                         off") == 2
    assert "HLR says                         ON" not in output


@pytest.mark.slow
def test_what_is_interrupted_leaves_nothing_running(tmp_path: Path) -> None:
    environ = {**os.environ, "KAIKA_DATA_DIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "app", "demo"], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "registry" in line:
                break
        assert children_of(tmp_path)
        process.terminate()
        assert process.wait(60) == 130
    assert children_of(tmp_path) == []
