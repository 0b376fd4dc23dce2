"""What holds for the whole tree and that no linter of ours can say."""

from __future__ import annotations

import re
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("app", "media", "activation", "logistics")
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
COMMITTED = [
    path
    for pattern in (
        "*.md",
        "*.toml",
        "*.lock",
        "*.cfg",
        "*.ini",
        "Makefile",
        "scripts/*",
        ".ci/*",
        "docs/**/*",
    )
    for path in ROOT.glob(pattern)
    if path.is_file() and path.suffix not in (".png", ".jpg")
]

MAX_LINES = 300
MISSION_LINES = 200


def test_one_opencv_is_installed() -> None:
    """Several distributions would overwrite one another's `cv2`."""
    names = {(each.metadata["Name"] or "").lower() for each in distributions()}
    assert {name for name in names if name.startswith("opencv")} == {"opencv-python-headless"}


def test_the_lock_holds_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pinned = re.findall(r"^([a-z0-9][\w.\-]*)==", lock, re.MULTILINE)
    assert len(pinned) > 100
    assert "://" not in lock
    assert "index-url" not in lock
    for block in re.split(r"\n(?=\S)", lock.strip()):
        assert "--hash=sha256:" in block, block.split()[0]


def offenders(pattern: str, paths: list[Path]) -> list[str]:
    return [
        str(path.relative_to(ROOT)) for path in paths if re.search(pattern, path.read_text(), re.MULTILINE)
    ]


def test_modules_stay_readable() -> None:
    long = [path for path in SOURCES if len(path.read_text().splitlines()) > MAX_LINES]
    assert [str(path.relative_to(ROOT)) for path in long] == []


def test_the_mission_fits_one_file() -> None:
    assert len((ROOT / "activation/flow.py").read_text().splitlines()) <= MISSION_LINES


def test_nothing_is_left_for_later() -> None:
    assert offenders(r"\b(TODO|FIXME)\b|raise NotImplementedError", SOURCES) == []


def test_no_class_hides_behind_an_empty_name() -> None:
    assert offenders(r"^class \w*(Manager|Utils?|Helper|Base|Impl)\b", SOURCES) == []


def test_no_path_of_one_machine() -> None:
    assert offenders(r"(?<![\w.])/(home/\w+|root|work|tmp)/", [*SOURCES, *COMMITTED]) == []


def test_only_the_settings_read_the_environment() -> None:
    """The demo hands it on to the programs that it starts."""
    readers = offenders(r"os\.(environ|getenv)", SOURCES)
    assert [path for path in readers if not path.startswith(("app/config.py", "app/demo/"))] == []


def test_one_door_for_s3() -> None:
    doors = offenders(r"^\s*(import|from) (boto3|botocore)\b", SOURCES)
    assert doors == ["media/aws.py"]
