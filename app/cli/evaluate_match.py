"""`evaluate match`: how well a recogniser tells people apart, on labelled pairs of pictures."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli import Subparsers
from app.cli.models_list import add_models_dir, models_dir

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from media.faces import Face, FaceFinder, Recogniser
    from media.models.registry import Thresholds

FMR_REPORTED = (0.01, 0.001)
FNMR_REPORTED = (0.01,)
_LARGEST_PAIRS_FILE = 100 * 1024 * 1024


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    parser = subparsers.add_parser(
        "match",
        help="error rates of a recogniser on labelled pairs",
        description="FILE has columns a, b, same (tab, header optional); a and b are paths below DIR, same "
        "is 1 or 0. The identity of a picture is its folder.",
    )
    parser.add_argument("--pairs", type=Path, required=True, metavar="FILE")
    parser.add_argument("--images", type=Path, required=True, metavar="DIR")
    parser.add_argument("--recogniser", required=True, metavar="NAME", help="see: python -m app models list")
    parser.add_argument("--model", type=Path, metavar="FILE", help="an ArcFace-type file, not installed")
    parser.add_argument("--impostors", type=int, default=0, metavar="N", help="cross identities for N more")
    parser.add_argument("--json", type=Path, required=True, dest="out", metavar="OUT")
    add_models_dir(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    from media.faces import open_finder
    from media.models.packs import ModelChanged, ModelMissing

    try:
        pairs = read_pairs(arguments.pairs)
        recogniser, thresholds = _open(arguments)
    except (OSError, ValueError, ModelMissing, ModelChanged) as error:
        print(error, file=sys.stderr)
        return 2
    names = sorted({name for pair in pairs for name in (pair.a, pair.b)})
    finder = open_finder()
    seen = _embed_all(names, arguments.images, finder, recogniser)
    finder.close()
    try:
        report = _report(pairs, seen, recogniser, thresholds, arguments)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    _tell(report)
    return 0


@dataclass(frozen=True)
class Pair:
    line: int
    a: str
    b: str
    same: bool


def read_pairs(path: Path) -> list[Pair]:
    """The labelled pairs. ValueError names the line that is wrong."""
    if path.stat().st_size > _LARGEST_PAIRS_FILE:
        raise ValueError(f"{path.name} is too large for a list of pairs")
    pairs = []
    for number, line in enumerate(path.read_text("utf-8-sig").splitlines(), 1):
        cells = line.strip().split("\t")
        if not line.strip() or (number == 1 and cells[-1] == "same"):
            continue
        if len(cells) != 3 or cells[2] not in ("0", "1"):
            raise ValueError(f"{path.name}, line {number}: wanted a, b and 1 or 0, split by tabs")
        if any(os.path.isabs(cell) or ".." in Path(cell).parts for cell in cells[:2]):
            raise ValueError(f"{path.name}, line {number}: pictures lie below the folder of images")
        pairs.append(Pair(number, cells[0], cells[1], cells[2] == "1"))
    if not pairs:
        raise ValueError(f"{path.name} holds no pairs")
    return pairs


def _open(arguments: argparse.Namespace) -> tuple[Recogniser, Thresholds]:
    from media.faces import open_recogniser
    from media.faces.recognisers import open_file
    from media.models.packs import find_installed
    from media.models.registry import RECOGNISERS, UNMEASURED

    if arguments.model is None:
        folder = models_dir(arguments)
        return open_recogniser(arguments.recogniser, folder), find_installed(
            arguments.recogniser, folder
        ).thresholds
    recogniser = open_file(arguments.model, arguments.recogniser)
    # Thresholds belong to a file, whatever it is called here.
    known = next((m for m in RECOGNISERS.values() if m.sha256 == recogniser.model.sha256), None)
    return recogniser, known.thresholds if known is not None else UNMEASURED


@dataclass
class _Seen:
    """What was made of the pictures. `at` gives the row of a picture that shows a face."""

    rows: list[NDArray[np.float32]] = field(default_factory=list)
    at: dict[str, int] = field(default_factory=dict)
    unreadable: int = 0
    without_face: int = 0
    find_ms: list[float] = field(default_factory=list)
    embed_ms: list[float] = field(default_factory=list)


def _embed_all(names: list[str], images: Path, finder: FaceFinder, recogniser: Recogniser) -> _Seen:
    """Every picture once, in order; progress on standard error."""
    from media.images import Photo, decode

    seen = _Seen()
    for count, name in enumerate(names, 1):
        if count % 25 == 0 or count == len(names):
            print(f"{count} of {len(names)} pictures", file=sys.stderr)
        path = images / name
        photo = decode(path.read_bytes()) if path.is_file() else None
        if not isinstance(photo, Photo):
            seen.unreadable += 1
            continue
        began = time.perf_counter()
        face = _of_interest(finder.find(photo.pixels), photo.width, photo.height)
        found = time.perf_counter()
        if face is None:
            seen.without_face += 1
            continue
        seen.at[name] = len(seen.rows)
        seen.rows.append(recogniser.embed(photo.pixels, face))
        seen.find_ms.append((found - began) * 1e3)
        seen.embed_ms.append((time.perf_counter() - found) * 1e3)
    return seen


def _of_interest(faces: list[Face], width: int, height: int) -> Face | None:
    """The face nearest the middle among the large ones: portraits are taken of somebody."""
    large = [face for face in faces if face.size >= 0.5 * faces[0].size]

    def off_centre(face: Face) -> float:
        x, y = face.centre
        return (x - width / 2) ** 2 + (y - height / 2) ** 2

    return min(large, key=off_centre, default=None)


def _report(
    pairs: list[Pair],
    seen: _Seen,
    recogniser: Recogniser,
    thresholds: Thresholds,
    arguments: argparse.Namespace,
) -> dict[str, object]:
    import numpy as np

    from media.faces.rates import Scores, crossed_pairs, similarities

    usable = [p for p in pairs if p.a in seen.at and p.b in seen.at]
    rows = np.array(seen.rows)
    index = {p: (min(seen.at[p.a], seen.at[p.b]), max(seen.at[p.a], seen.at[p.b])) for p in usable}
    genuine = similarities(rows, [index[p] for p in usable if p.same])
    listed = similarities(rows, [index[p] for p in usable if not p.same])
    identities = [str(Path(name).parent) for name in seen.at]
    crossed = similarities(rows, crossed_pairs(identities, set(index.values()), arguments.impostors))
    scores = Scores(genuine, listed + crossed)
    return {
        "pairs_file": arguments.pairs.name,
        "recogniser": asdict(recogniser.model),
        "pictures": len({name for p in pairs for name in (p.a, p.b)}),
        "pictures_unreadable": seen.unreadable,
        "faces_not_found": seen.without_face,
        "pairs": len(pairs),
        "lines_left_out": [p.line for p in pairs if p not in index],
        "genuine": len(genuine),
        "impostors_listed": len(listed),
        "impostors_crossed": len(crossed),
        "at_fmr": {str(fmr): asdict(scores.at_fmr(fmr)) for fmr in FMR_REPORTED},
        "at_fnmr": {str(fnmr): asdict(scores.at_fnmr(fnmr)) for fnmr in FNMR_REPORTED},
        "in_use": {
            "accept": asdict(scores.at(thresholds.accept)),
            "refuse": asdict(scores.at(thresholds.refuse)),
        },
        "milliseconds_per_face": {
            "find_median": statistics.median(seen.find_ms),
            "embed_median": statistics.median(seen.embed_ms),
        },
        "curve": [asdict(rates) for rates in scores.curve()],
    }


def _tell(report: dict[str, object]) -> None:
    for key, value in report.items():
        if key == "lines_left_out" and isinstance(value, list):
            print(f"lines left out: {len(value)}")
        elif key != "curve":
            print(f"{key.replace('_', ' ')}: {value if isinstance(value, int | str) else json.dumps(value)}")
