"""Members of a case file: of a ZIP, of a sealed one, of the folder into which one was opened."""

from __future__ import annotations

import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from .sealed import MAGIC, SealedFile, Unusable

#: A case file stays below what a ZIP can hold without its 64-bit extension.
MAX_FILE_BYTES = 2_000_000_000
MAX_MEMBERS = 2_000
MAX_DIRECTORY_BYTES = 1024 * 1024
#: The longest text member, and all of them together; media are never compressed, so nothing can swell.
MAX_TEXT_BYTES, MAX_TEXTS_BYTES = 64 * 1024 * 1024, 256 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9_-]+\.(json|txt|sig)|media/[0-9a-f]{64}\.[a-z0-9]{1,5}")
_PIECE = 1024 * 1024


class ZipMembers:
    """Members of a ZIP. Raises Unusable for one that is too large, swells, or has names of another kind."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        _refuse_strange_directory(file, size)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            raise Unusable("not a ZIP file, or damaged") from None
        self._infos = {info.filename: info for info in self._zip.infolist()}
        if len(self._infos) != len(self._zip.infolist()):
            raise Unusable("two members have one name")
        for info in self._infos.values():
            stored = info.compress_type == zipfile.ZIP_STORED and info.file_size == info.compress_size
            may_shrink = not info.filename.startswith("media/") and info.file_size <= MAX_TEXT_BYTES
            text = may_shrink and info.compress_type == zipfile.ZIP_DEFLATED
            if not _NAME.fullmatch(info.filename) or info.flag_bits & 1 or not (stored or text):
                raise Unusable("a member has a strange name, is encrypted, or would swell")
        _refuse_too_much({info.filename: info.file_size for info in self._infos.values()})
        if sum(info.compress_size for info in self._infos.values()) > size:
            raise Unusable("members overlap")

    def names(self) -> Sequence[str]:
        return tuple(self._infos)

    def pieces(self, name: str) -> Iterator[bytes]:
        left = self._infos[name].file_size
        try:
            with self._zip.open(name) as member:
                while piece := member.read(_PIECE):
                    left -= len(piece)
                    if left < 0:
                        raise Unusable("longer than it says")
                    yield piece
        except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
            raise Unusable("damaged") from error


class FolderMembers:
    """Members of a case file that was opened into a folder; links are not followed."""

    def __init__(self, folder: Path) -> None:
        self._files: dict[str, Path] = {}
        sizes: dict[str, int] = {}
        for at, folders, files in os.walk(folder):
            for each in (Path(at) / name for name in (*files, *folders)):
                name = each.relative_to(folder).as_posix()
                status = each.lstat()
                if stat.S_ISREG(status.st_mode):
                    self._files[name], sizes[name] = each, status.st_size
                elif name != "media" or each.is_symlink():
                    raise Unusable("the folder holds links or folders that no case file has")
            if len(self._files) > MAX_MEMBERS:
                raise Unusable("too many files")
        _refuse_too_much(sizes)

    def names(self) -> Sequence[str]:
        return tuple(self._files)

    def pieces(self, name: str) -> Iterator[bytes]:
        with self._files[name].open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece


Members = ZipMembers | FolderMembers


def _refuse_too_much(sizes: Mapping[str, int]) -> None:
    """Members together, as they will be once they are unpacked."""
    texts = [size for name, size in sizes.items() if not name.startswith("media/")]
    if sum(sizes.values()) > MAX_FILE_BYTES or sum(texts) > MAX_TEXTS_BYTES:
        raise Unusable("members would swell to more than a case file holds")


def _refuse_strange_directory(file: BinaryIO, size: int) -> None:
    """Before anything is parsed: one plain end record, few members, a short directory."""
    if not 22 <= size <= MAX_FILE_BYTES:
        raise Unusable("too large or too short for a case file")
    file.seek(size - 22)
    end = file.read(22)
    counts = (int.from_bytes(end[8:10], "little"), int.from_bytes(end[10:12], "little"))
    length, offset = (int.from_bytes(end[at : at + 4], "little") for at in (12, 16))
    if not end.startswith(b"PK\x05\x06") or length + offset != size - 22:
        raise Unusable("not a ZIP file as Kaika writes it, or cut short")
    if counts[0] != counts[1] or counts[0] > MAX_MEMBERS or length > MAX_DIRECTORY_BYTES:
        raise Unusable("too many members")
    file.seek(0)


def read_key(path: Path, kind: Any, load: Callable[[bytes], Any]) -> Any:
    """A key of `kind` in PEM. Raises Unusable."""
    try:
        key = load(path.read_bytes()[:4096])
    except (OSError, ValueError, TypeError):
        key = None
    if not isinstance(key, kind):
        raise Unusable(f"{path.name}: not a PEM file of an {kind.__name__} without a password")
    return key


def read_case(path: Path, private: Path | None) -> Members:
    """A folder, a ZIP, or a sealed file with the recipient's private key. Raises Unusable, OSError."""
    if path.is_dir():
        return FolderMembers(path)
    file, size = path.open("rb"), path.stat().st_size
    if file.read(len(MAGIC)) != MAGIC:
        return ZipMembers(file, size)
    if private is None:
        raise Unusable("sealed: name the recipient's private key with --key")
    file.seek(0)
    sealed = SealedFile(
        file, size, read_key(private, X25519PrivateKey, lambda pem: load_pem_private_key(pem, None))
    )
    return ZipMembers(cast(BinaryIO, sealed), sealed.seek(0, os.SEEK_END))


def open_file(path: Path, private: Path | None, folder: Path) -> int:
    """Opens a case file into a new folder, readable by its owner alone. Raises Unusable, OSError."""
    members = read_case(path, private)
    folder.mkdir(mode=0o700)
    for target, name in ((folder / name, name) for name in members.names()):
        target.parent.mkdir(mode=0o700, exist_ok=True)
        with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.writelines(members.pieces(name))
    return len(members.names())
