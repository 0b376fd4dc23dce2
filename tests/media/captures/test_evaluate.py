"""`evaluate captures`: every file of a folder measured, none too long or too large, none a crash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.studio import BadCapture
from media.captures.evaluate import evaluate_captures
from tests.media.captures.engines import open_grey_engines
from tests.media.people import applicant


def report(folder: Path, out: Path) -> tuple[bool, Any]:
    within = evaluate_captures(folder, out, open_grey_engines)
    return within, json.loads(out.read_text())


def test_each_kind_of_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "pictures"
    (folder / "below").mkdir(parents=True)
    person = applicant(1)
    (folder / "card.jpg").write_bytes(person.front_jpeg())
    (folder / "card_back.jpg").write_bytes(person.back_jpeg())
    (folder / "handheld.jpg").write_bytes(person.handheld_jpeg())
    (folder / "cat.jpg").write_bytes(person.bad_jpeg(BadCapture.CAT))
    (folder / "empty.jpg").write_bytes(b"")
    Image.fromarray(np.zeros((4320, 5760, 4), np.uint8)).save(folder / "large.png")
    within, told = report(folder, tmp_path / "out.json")
    assert within
    assert {each["file"]: each["result"] for each in told["files"]} == {
        "card.jpg": "accepted",
        "card_back.jpg": "accepted",
        "handheld.jpg": "accepted",
        "cat.jpg": "card_not_found",
        "empty.jpg": "empty",
        "large.png": "card_not_found",
    }
    assert told["totals"]["files"] == 6
    assert 50 < told["totals"]["peak_rss_mb_max"] < 600
    assert "6 of 6" in capsys.readouterr().err


@pytest.mark.shared
@pytest.mark.slow
def test_bad_images(shared: Path, tmp_path: Path) -> None:
    within, told = report(shared / "data" / "bad_images", tmp_path / "out.json")
    assert within, told["totals"]
    assert told["totals"]["over_limits"] == []
    assert "accepted" not in told["totals"]["results"]
    assert told["totals"]["seconds_max"] <= 3.0
    assert told["totals"]["peak_rss_mb_max"] <= 600.0
