from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from app.cli import main
from app.cli.evaluate_match import read_pairs
from media.faces import open_finder
from media.models.registry import UNMEASURED
from tests.media.faces import portraits
from tests.media.faces.tiny_model import write_tiny_model


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven people with two pictures each, one picture without a face and one that is none."""
    folder = tmp_path_factory.mktemp("people")
    finder = open_finder()
    heads = [portraits.one()[20:270, 90:340]]
    for face in finder.find(portraits.six()):
        x0, y0, x1, y1 = face.box
        margin = 0.5 * (y1 - y0)
        rows = slice(max(0, int(y0 - margin)), int(y1 + margin))
        heads.append(portraits.six()[rows, max(0, int(x0 - margin)) : int(x1 + margin)])
    finder.close()
    for number, head in enumerate(heads):
        person = folder / f"person{number}"
        person.mkdir()
        large = cv2.resize(head, (250, 250 * head.shape[0] // head.shape[1]))
        cv2.imwrite(str(person / "a.png"), large)
        cv2.imwrite(str(person / "b.jpg"), cv2.GaussianBlur(large, (0, 0), 1.2))
    nobody = folder / "nobody"
    nobody.mkdir()
    cv2.imwrite(str(nobody / "wall.png"), portraits.one()[:200, :100])
    (nobody / "text.jpg").write_text("no picture")
    return folder


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    rows = [f"person{n}/a.png\tperson{n}/b.jpg\t1" for n in range(7)]
    rows += [f"person{n}/a.png\tperson{n + 1}/b.jpg\t0" for n in range(6)]
    rows += ["person0/a.png\tnobody/wall.png\t0", "person0/a.png\tnobody/text.jpg\t0"]
    rows += ["person0/a.png\tnobody/gone.jpg\t0"]
    path = tmp_path / "pairs.tsv"
    path.write_text("a\tb\tsame\n" + "\n".join(rows) + "\n")
    return path


def test_a_recogniser_is_measured(people: Path, pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out.json"
    asked = ["--pairs", str(pairs), "--images", str(people), "--json", str(out), "--impostors", "50"]
    asked += ["--recogniser", "dlib", "--models-dir", str(tmp_path)]
    assert main(["evaluate", "match", *asked]) == 0
    report = json.loads(out.read_text())
    assert report["recogniser"]["name"] == "dlib"
    assert (report["pairs"], report["genuine"], report["impostors_listed"]) == (16, 7, 6)
    assert report["impostors_crossed"] == 50
    assert (report["pictures_unreadable"], report["faces_not_found"]) == (2, 1)
    assert report["lines_left_out"] == [15, 16, 17]
    assert report["in_use"]["accept"]["fmr"] == 0.0
    assert report["in_use"]["accept"]["fnmr"] == 0.0
    assert report["at_fmr"]["0.001"]["fnmr"] == 0.0
    assert report["milliseconds_per_face"]["embed_median"] > 0
    fmr = [at["fmr"] for at in report["curve"]]
    assert fmr == sorted(fmr, reverse=True)
    assert (fmr[0], fmr[-1]) == (1.0, 0.0)


def test_the_same_again_gives_the_same(people: Path, pairs: Path, tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "tiny.onnx")
    reports = []
    for name in ("first", "second"):
        out = tmp_path / name
        asked = ["--pairs", str(pairs), "--images", str(people), "--json", str(out), "--impostors", "20"]
        assert main(["evaluate", "match", *asked, "--recogniser", "dlib", "--model", str(model)]) == 0
        reports.append(json.loads(out.read_text()))
        assert reports[-1]["in_use"]["accept"]["threshold"] == UNMEASURED.accept, "dlib by name alone"
    for report in reports:
        del report["milliseconds_per_face"]
    assert reports[0] == reports[1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no pairs"),
        ("a\tb\tsame\n", "no pairs"),
        ("x.jpg\ty.jpg\n", "line 1"),
        ("x.jpg\ty.jpg\t1\nx.jpg y.jpg 1\n", "line 2"),
        ("x.jpg\ty.jpg\t2\n", "line 1"),
        ("../x.jpg\ty.jpg\t1\n", "below"),
        ("/etc/x.jpg\ty.jpg\t1\n", "below"),
    ],
)
def test_pairs_that_cannot_be_read(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "pairs.tsv").write_text(text)
    with pytest.raises(ValueError, match=says):
        read_pairs(tmp_path / "pairs.tsv")


def test_pairs_need_no_header(tmp_path: Path) -> None:
    (tmp_path / "pairs.tsv").write_text("x.jpg\ty.jpg\t1\r\n\r\nx.jpg\tz.jpg\t0")
    assert [(p.line, p.same) for p in read_pairs(tmp_path / "pairs.tsv")] == [(1, True), (3, False)]


@pytest.mark.parametrize(
    "asked",
    [
        ["--recogniser", "sface"],
        ["--recogniser", "x", "--model", "gone.onnx"],
        ["--recogniser", "dlib", "--pairs", "gone.tsv"],
    ],
)
def test_what_is_missing_is_said(
    asked: list[str], people: Path, pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["--pairs", str(pairs), "--images", str(people), "--json", str(tmp_path / "out")]
    assert main(["evaluate", "match", *base, "--models-dir", str(tmp_path), *asked]) == 2
    assert capsys.readouterr().err.strip()


def test_pairs_of_one_kind_have_no_rates(people: Path, tmp_path: Path) -> None:
    (tmp_path / "pairs.tsv").write_text("person0/a.png\tperson0/b.jpg\t1\n")
    asked = ["--pairs", str(tmp_path / "pairs.tsv"), "--images", str(people), "--json", str(tmp_path / "o")]
    assert main(["evaluate", "match", *asked, "--recogniser", "dlib", "--models-dir", str(tmp_path)]) == 1
