"""Files that survive a power cut: new names and contents on stable storage, readable by their owner only."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def make_folder(path: Path) -> Path:
    """`path`, made with its parents; a new entry is on stable storage when this returns."""
    if not path.is_dir():
        if not path.parent.is_dir():
            make_folder(path.parent)
        path.mkdir(mode=FOLDER_MODE, exist_ok=True)
        sync_folder(path.parent)
    return path


def create(path: Path) -> BinaryIO:
    """A new file, open for writing. Raises FileExistsError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "wb")


def sync(file: BinaryIO) -> None:
    """What was written so far is on stable storage."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """fsync of a directory: without it a name may be missing, or come back, after a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(folder: Path, *, alone: bool = True) -> Iterator[None]:
    """flock on `folder` until the block ends: in this process and all others; whoever dies lets go.

    alone: nobody else at all; otherwise others that are not alone may come in.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)
