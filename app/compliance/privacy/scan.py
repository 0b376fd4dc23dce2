"""One scan: every place where the program writes, each told with its size and what was found in it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from app.compliance.privacy import database, files
from app.compliance.privacy.marks import embedding_looks, picture_marks
from app.compliance.privacy.search import PIECE, Pattern, Search, pieces_of

#: Models are weights, which look like embeddings and are nobody's.
MODELS = "models"
#: Files of one part that are named one by one where something was found in them.
NAMED = 20

Tell = Callable[[str], None]
#: Objects of a bucket: key, and its bytes.
Objects = Iterable[tuple[str, Iterable[bytes]]]


class ScanBlind(Exception):
    """What was planted was not found; nothing that the scan says counts."""


@dataclass
class Place:
    """One line of the report. hits: label → how often; unread: files that could not be read.

    read: False: what a database keeps for itself, where this user, or this machine, has no way to it.
    """

    name: str
    files: int = 0
    size: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    unread: int = 0
    read: bool = True

    @property
    def clean(self) -> bool:
        return not self.hits and not self.unread


@dataclass(frozen=True)
class Scope:
    """Where to look. raw: the database's own files too; buckets: names, and what reads their objects.

    since: files of a temp folder that are older (Unix seconds) are of an earlier run or another program.
    """

    data_dir: Path
    database_url: str | None
    temp: tuple[Path, ...] = ()
    here: Path = Path()
    left_out: tuple[Path, ...] = ()
    since: float = 0.0
    raw: bool = True
    buckets: tuple[tuple[str, Callable[[], Objects]], ...] = ()


def scan(scope: Scope, patterns: Sequence[Pattern], tell: Tell = lambda _: None) -> list[Place]:
    """All places with what was found. Raises ScanBlind, files.TooManyFiles, sqlalchemy's errors."""
    everything = Search([*patterns, *picture_marks()], embedding_looks())
    needles_alone = Search(patterns)
    prove(everything, patterns)
    raw: list[Path] = []
    places: list[Place] = []
    if scope.database_url is not None:
        engine = database.open_for_reading(scope.database_url)
        try:
            own = database.raw_files(engine) if scope.raw else {}
            raw = [path for paths in own.values() for path in paths or ()]
            # Before a query: the last connection that closes would clear SQLite's write-ahead log away.
            tell("database files")
            for name, paths in own.items():
                some = (files.File(name, path, path.name) for path in paths or ())
                places += _grouped(some, everything) or [Place(name, read=paths is not None)]
            places += _tables(engine, everything, tell)
        finally:
            engine.dispose()
    left_out = (*scope.left_out, *raw)
    tell("data folder")
    data = list(files.data_files(scope.data_dir, left_out))
    places += _grouped((each for each in data if each.part != MODELS), everything)
    places += _grouped((each for each in data if each.part == MODELS), needles_alone)
    for folder in scope.temp:
        tell("temp folder")
        found = files.temp_files(folder, scope.since, (*left_out, scope.data_dir))
        places += _grouped(found, everything) or [Place(f"temp {folder}")]
    dumped = list(files.dumps([*files.dump_folders(scope.here), scope.data_dir, *scope.temp]))
    places += _grouped(dumped, everything) or [Place("core dumps")]
    for name, objects in scope.buckets:
        tell(f"bucket {name}")
        places.append(_bucket(name, objects(), everything))
    return places


def prove(search: Search, patterns: Sequence[Pattern]) -> None:
    """Plants every pattern among noise and looks for it. Raises ScanBlind."""
    planted = Counter(pattern.label for pattern in patterns)
    noise = (os.urandom(64) + pattern.wanted for pattern in patterns)
    found = search.count(noise)
    pictures = (b"\xff\xd8\xff\xe0\0\x10JFIF\0", b"\x89PNG\r\n\x1a\n", b"\x1a\x45\xdf\xa3\0\x1fB\x82\x84webm")
    marks = search.count([b"".join(pictures)])
    if any(found[label] < count for label, count in planted.items()) or len(marks) < 3:
        raise ScanBlind("a planted needle was not found")


def _tables(engine: sa.Engine, search: Search, tell: Tell) -> Iterator[Place]:
    """A line for each table; columns with hits are named."""
    tables: dict[str, Place] = {}
    with engine.connect() as connection:
        for column in database.columns(engine):
            name = column.shown.rpartition(".")[0]
            if name not in tables:
                tell(f"table {name}")
            place = tables.setdefault(name, Place(f"table {name}"))
            sizes: list[int] = []
            found = search.count(_weighed(database.values(connection, column), sizes))
            place.size += sum(sizes)
            place.hits.update({f"{column.name}: {label}": count for label, count in found.items()})
    yield from tables.values()


def _weighed(pieces: Iterable[bytes], sizes: list[int]) -> Iterator[bytes]:
    """The pieces, none longer than the search takes at once; their sizes are noted."""
    for piece in pieces:
        sizes.append(len(piece))
        for start in range(0, len(piece), PIECE):
            yield piece[start : start + PIECE]


def _grouped(found: Iterable[files.File], search: Search) -> list[Place]:
    """A line for each part, and one for each file of it in which something was found."""
    parts: dict[str, Place] = {}
    named: dict[str, list[Place]] = {}
    for file in found:
        part = parts.setdefault(file.part, Place(file.part))
        part.files += 1
        in_name = search.count([file.shown.encode(errors="surrogateescape")])
        shown = "a file whose name holds it" if in_name else file.shown
        hits = in_name + _in_file(file, part, search)
        if hits and len(named.setdefault(file.part, [])) < NAMED:
            named[file.part].append(Place(f"  {shown}", 1, file.path.stat().st_size, hits))
        part.hits.update(hits)
    return [line for name, part in parts.items() for line in (part, *named.get(name, ()))]


def _in_file(file: files.File, part: Place, search: Search) -> Counter[str]:
    hits: Counter[str] = Counter()
    sizes: list[int] = []
    try:
        with file.path.open("rb") as opened:
            hits = search.count(_weighed(pieces_of(opened), sizes))
    except FileNotFoundError:
        part.files -= 1  # gone meanwhile: nobody can read it
    except OSError:
        part.unread += 1
        return hits
    part.size += sum(sizes)
    if file.part == "core dumps":
        hits["core dump"] += 1  # it holds keys, whatever else
    return hits


def _bucket(name: str, objects: Objects, search: Search) -> Place:
    place = Place(f"bucket {name}")
    for key, pieces in objects:
        sizes: list[int] = []
        place.files += 1
        place.hits += search.count([key.encode()])
        place.hits += search.count(_weighed(pieces, sizes))
        place.size += sum(sizes)
    return place
