"""Folders as places to look into: the data folder by its parts, temp folders, core dumps."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

#: Files of one folder; beyond it the scan says that it has not seen all.
MAX_FILES = 500_000
#: Parts of the data folder that are told one by one; everything else is told by its first part.
_DEEPER = frozenset({"vault", "hlr"})
_CORE = frozenset({"core"})
_ELF, _ELF_CORE = b"\x7fELF", 4


@dataclass(frozen=True)
class File:
    """part: what it belongs to, for the report; path: where it lies; shown: its name in the report."""

    part: str
    path: Path
    shown: str


def data_files(folder: Path, left_out: Iterable[Path] = ()) -> Iterator[File]:
    """Everything below the data folder but `left_out`."""
    for path in walk(folder, left_out):
        inside = path.relative_to(folder)
        if path == folder:
            yield File("data folder", path, str(folder))
            continue
        depth = 2 if inside.parts[0] in _DEEPER else 1
        part = "/".join(inside.parts[:depth]) if len(inside.parts) > depth else inside.parts[0]
        yield File(part, path, inside.as_posix())


def temp_files(folder: Path, since: float, left_out: Iterable[Path] = ()) -> Iterator[File]:
    """Files of this user in a temp folder that were written to since `since` (Unix seconds)."""
    for path in walk(folder, left_out, owner=os.geteuid()):
        try:
            fresh = path.stat().st_mtime >= since
        except OSError:
            continue
        if fresh or path.is_dir():
            yield File(f"temp {folder}", path, path.as_posix())


def dumps(folders: Iterable[Path]) -> Iterator[File]:
    """Core dumps that lie directly in one of the folders."""
    for folder in folders:
        listed = _listed(folder)
        if listed is None:
            yield File("core dumps", folder, folder.as_posix())
        for path in listed or ():
            name = path.name.split(".")[0]
            if path.is_file() and not path.is_symlink() and (name in _CORE or is_dump(path)):
                yield File("core dumps", path, path.as_posix())


def is_dump(path: Path) -> bool:
    """An ELF file of the type of core dumps."""
    try:
        with path.open("rb") as file:
            head = file.read(18)
    except OSError:
        return False
    return head[:4] == _ELF and int.from_bytes(head[16:18], "little") == _ELF_CORE


def dump_folders(here: Path) -> list[Path]:
    """Where the kernel puts dumps of this program, as far as files say."""
    folders = [here]
    try:
        pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    except OSError:
        return folders
    if pattern.startswith("/"):
        folders.append(Path(pattern).parent)
    return [*folders, Path("/var/lib/systemd/coredump")]


def first_write(folder: Path) -> float:
    """When the oldest file of the folder was last written to, in Unix seconds: the run began no later."""
    times = [path.stat().st_mtime for path in walk(folder)]
    return min(times, default=0.0)


def walk(folder: Path, left_out: Iterable[Path] = (), owner: int | None = None) -> Iterator[Path]:
    """Regular files below `folder`, sorted; links are not followed. Raises TooManyFiles.

    Folders too that cannot be looked into: whoever opens them counts them as unread.
    """
    skipped = {path.resolve() for path in left_out}
    waiting, seen = [folder], 0
    while waiting:
        at = waiting.pop()
        listed = _listed(at)
        if listed is None:
            yield at
        for path in listed or ():
            try:
                status = path.lstat()
            except FileNotFoundError:
                continue
            except OSError:
                yield path
                continue
            if path.resolve() in skipped or (owner is not None and status.st_uid != owner):
                continue
            if stat.S_ISDIR(status.st_mode):
                waiting.append(path)
            elif stat.S_ISREG(status.st_mode):
                seen += 1
                if seen > MAX_FILES:
                    raise TooManyFiles(f"{folder}: more than {MAX_FILES} files")
                yield path


class TooManyFiles(Exception):
    """The scan cannot say that a folder is clean which it has not seen to its end."""


def _listed(folder: Path) -> list[Path] | None:
    """None: it is there, and cannot be looked into."""
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError:
        return None
