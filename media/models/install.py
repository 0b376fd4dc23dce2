"""Installs a recogniser: from its origin, from a file or folder, or an operator's own ArcFace-type model."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from media.models.download import CHUNK, LARGEST, DownloadFailed, Progress, download
from media.models.packs import Manifest, PinnedBy, sha256_of, valid_name, write_manifest
from media.models.registry import RECOGNISERS, Origin, RecogniserModel

PART = ".part"
_OWN_LICENCE = "Brought by the operator, who answers for its licence"


class Refusal(StrEnum):
    """Why nothing was installed."""

    UNKNOWN_NAME = "unknown_name"
    BAD_NAME = "bad_name"
    COMES_WITH_PACKAGES = "comes_with_packages"
    LICENCE_NOT_ACCEPTED = "licence_not_accepted"
    NO_ORIGIN = "no_origin"
    NOT_DOWNLOADED = "not_downloaded"
    NOT_FOUND = "not_found"
    WRONG_CHECKSUM = "wrong_checksum"
    BAD_ARCHIVE = "bad_archive"
    TOO_LARGE = "too_large"
    NOT_A_MODEL = "not_a_model"


@dataclass(frozen=True)
class InstallRefused:
    reason: Refusal
    detail: str


@dataclass(frozen=True)
class Request:
    """What the operator asked for.

    `source` is a model file, an archive or a folder that holds either; None: download. `url` is a mirror of
    the registry's origin. `sha256` pins the model file of an operator's own model; a model of the registry
    keeps the registry's checksum whatever is asked.
    """

    name: str
    source: Path | None = None
    url: str | None = None
    sha256: str | None = None
    accept_licence: bool = False


def install(
    request: Request, models_dir: Path, progress: Progress, probe: Callable[[Path], None]
) -> Manifest | InstallRefused:
    """Installs and returns what was written down, or says why not; what was installed before stays then.

    `probe` opens the file as a recogniser and raises ValueError where it is none.
    """
    known = RECOGNISERS.get(request.name)
    refused = _may_not(request, known)
    if refused is not None:
        return refused
    folder = models_dir / request.name
    folder.mkdir(parents=True, exist_ok=True)
    brought = _bring(request, known, folder, progress)
    if isinstance(brought, InstallRefused):
        _leave_no_trace(folder)
        return brought
    refused = _examine(brought.path, known, request, probe)
    if refused is not None:
        brought.path.unlink()
        _leave_no_trace(folder)
        return refused
    sha256 = sha256_of(brought.path)
    file = known.file if known is not None else f"{request.name}.onnx"
    brought.path.replace(folder / file)
    manifest = Manifest(
        name=request.name,
        version=known.version if known is not None else sha256[:12],
        file=file,
        sha256=sha256,
        size=(folder / file).stat().st_size,
        licence=known.licence if known is not None else _OWN_LICENCE,
        licence_accepted=request.accept_licence,
        source=brought.source,
        pinned_by=_pinned_by(known, request),
        installed_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    write_manifest(manifest, models_dir)
    return manifest


def _examine(
    path: Path, known: RecogniserModel | None, request: Request, probe: Callable[[Path], None]
) -> InstallRefused | None:
    want = known.sha256 if known is not None else (request.sha256 or "").lower()
    sha256 = sha256_of(path)
    if want and sha256 != want:
        return InstallRefused(Refusal.WRONG_CHECKSUM, f"SHA-256 is {sha256}, wanted {want}")
    try:
        probe(path)
    except ValueError as error:
        return InstallRefused(Refusal.NOT_A_MODEL, str(error))
    return None


def _leave_no_trace(folder: Path) -> None:
    """Removes the folder of a first installation that failed; begun downloads and older models stay."""
    if not any(folder.iterdir()):
        folder.rmdir()


@dataclass(frozen=True)
class _Brought:
    path: Path
    source: str


def _may_not(request: Request, known: RecogniserModel | None) -> InstallRefused | None:
    if known is None:
        if not valid_name(request.name):
            return InstallRefused(Refusal.BAD_NAME, "a name has small letters, digits and underscores")
        if request.source is None:
            return InstallRefused(
                Refusal.UNKNOWN_NAME, f"known: {', '.join(RECOGNISERS)}; others need a file"
            )
        return None
    if known.package is not None:
        return InstallRefused(Refusal.COMES_WITH_PACKAGES, f"{known.name} is always there")
    if not known.commercial and not request.accept_licence:
        return InstallRefused(Refusal.LICENCE_NOT_ACCEPTED, known.licence)
    return None


def _pinned_by(known: RecogniserModel | None, request: Request) -> PinnedBy:
    if known is not None:
        return PinnedBy.REGISTRY
    return PinnedBy.OPERATOR if request.sha256 else PinnedBy.FIRST_USE


def _bring(
    request: Request, known: RecogniserModel | None, folder: Path, progress: Progress
) -> _Brought | InstallRefused:
    """The model file inside `folder`, under an unfinished name."""
    if request.source is not None:
        return _from_disk(request.source, known, folder)
    if known is None or known.origin is None:
        return InstallRefused(Refusal.NO_ORIGIN, f"{request.name} has no public origin; bring the file")
    return _from_network(known, known.origin, request.url or known.origin.url, folder, progress)


def _from_network(
    known: RecogniserModel, origin: Origin, url: str, folder: Path, progress: Progress
) -> _Brought | InstallRefused:
    # The checksum in the name keeps the beginning of another version from being continued.
    part = folder / f"{origin.sha256[:16]}{PART}"
    try:
        download(url, part, progress)
    except DownloadFailed as error:
        return InstallRefused(Refusal.NOT_DOWNLOADED, str(error))
    sha256 = sha256_of(part)
    if sha256 != origin.sha256:
        part.unlink()
        return InstallRefused(Refusal.WRONG_CHECKSUM, f"SHA-256 is {sha256}, wanted {origin.sha256}")
    if origin.member is None:
        return _Brought(part, url)
    taken = _from_archive(part, origin.member, folder)
    part.unlink()
    return taken if isinstance(taken, InstallRefused) else _Brought(taken, url)


def _from_disk(source: Path, known: RecogniserModel | None, folder: Path) -> _Brought | InstallRefused:
    found = _model_in(source, known) if source.is_dir() else source
    if found is None or not found.is_file():
        return InstallRefused(Refusal.NOT_FOUND, f"there is no model in {source.name}")
    if found.stat().st_size > LARGEST:
        return InstallRefused(Refusal.TOO_LARGE, f"{found.name} is larger than {LARGEST} bytes")
    if zipfile.is_zipfile(found):
        taken = _from_archive(found, known.file if known is not None else None, folder)
        return taken if isinstance(taken, InstallRefused) else _Brought(taken, found.name)
    copied = folder / f"brought{PART}"
    shutil.copyfile(found, copied)
    return _Brought(copied, found.name)


def _model_in(folder: Path, known: RecogniserModel | None) -> Path | None:
    """The model file in a folder, or else an archive that may hold it."""
    if known is not None and (folder / known.file).is_file():
        return folder / known.file
    single = sorted(folder.glob("*.onnx")) if known is None else []
    archives = sorted(folder.glob("*.zip"))
    candidates = single or archives
    return candidates[0] if len(candidates) == 1 else None


def _from_archive(archive: Path, member: str | None, folder: Path) -> Path | InstallRefused:
    """Copies one model out of a zip file; its other members are never unpacked."""
    try:
        with zipfile.ZipFile(archive) as opened:
            fitting = [i for i in opened.infolist() if _is_wanted(i.filename, member)]
            if len(fitting) != 1:
                return InstallRefused(Refusal.BAD_ARCHIVE, f"{archive.name} does not hold one such model")
            if fitting[0].file_size > LARGEST:
                return InstallRefused(Refusal.TOO_LARGE, f"the model in {archive.name} is too large")
            unpacked = folder / f"unpacked{PART}"
            # zipfile stops at the announced size, so a lying archive cannot write more.
            with opened.open(fitting[0]) as packed, unpacked.open("wb") as file:
                shutil.copyfileobj(packed, file, CHUNK)
            return unpacked
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        return InstallRefused(Refusal.BAD_ARCHIVE, f"{archive.name}: {type(error).__name__}")


def _is_wanted(filename: str, member: str | None) -> bool:
    base = filename.rpartition("/")[2]
    return base == member if member is not None else base.endswith(".onnx")
