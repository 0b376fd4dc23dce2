"""The recognisers installed on this machine: a folder each, with a manifest beside the model file."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from activation.evidence import ModelRef
from media.models.registry import RECOGNISERS, UNMEASURED, Adapter, Thresholds

MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 64 * 1024
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class PinnedBy(StrEnum):
    """Who vouches for a file's checksum. `FIRST_USE`: nobody; it was written down when it was installed."""

    REGISTRY = "registry"
    OPERATOR = "operator"
    FIRST_USE = "first_use"


class ModelMissing(LookupError):
    """The recogniser is not installed; the text says what to type."""


class ModelChanged(ValueError):
    """The file is not the one that was installed."""


@dataclass(frozen=True)
class Manifest:
    """What is written beside an installed model file. `source` is a URL or a file's name, never a path."""

    name: str
    version: str
    file: str
    sha256: str
    size: int
    licence: str
    licence_accepted: bool
    source: str
    pinned_by: PinnedBy
    installed_at: str


@dataclass(frozen=True)
class Installed:
    """A recogniser that can be opened."""

    ref: ModelRef
    path: Path
    adapter: Adapter
    thresholds: Thresholds
    normalise: tuple[float, float] | None
    licence: str
    pinned_by: PinnedBy


def valid_name(name: str) -> bool:
    """A name of small letters, digits and underscores, so that it is a safe folder's name too."""
    return _NAME.fullmatch(name) is not None


def find_installed(name: str, models_dir: Path) -> Installed:
    """The recogniser `name`, without reading its file. Raises ModelMissing or ModelChanged."""
    known = RECOGNISERS.get(name)
    if known is not None and known.package is not None:
        return Installed(
            ref=ModelRef(known.name, known.version, known.sha256),
            path=_packaged(*known.package),
            adapter=known.adapter,
            thresholds=known.thresholds,
            normalise=known.normalise,
            licence=known.licence,
            pinned_by=PinnedBy.REGISTRY,
        )
    manifest = read_manifest(name, models_dir)
    as_known = known is not None and manifest.sha256 == known.sha256
    return Installed(
        ref=ModelRef(name, manifest.version, manifest.sha256),
        path=models_dir / name / manifest.file,
        adapter=Adapter.ARCFACE,
        # Thresholds belong to the very file that they were measured with.
        thresholds=known.thresholds if known is not None and as_known else UNMEASURED,
        normalise=known.normalise if known is not None else None,
        licence=manifest.licence,
        pinned_by=manifest.pinned_by,
    )


def installed_names(models_dir: Path) -> list[str]:
    """Every name that `find_installed` finds, those from the package index first."""
    packaged = [model.name for model in RECOGNISERS.values() if model.package is not None]
    if not models_dir.is_dir():
        return packaged
    return packaged + sorted(
        each.name for each in models_dir.iterdir() if valid_name(each.name) and (each / MANIFEST).is_file()
    )


def verify(installed: Installed) -> None:
    """Reads the whole file. Raises ModelMissing or ModelChanged."""
    if not installed.path.is_file():
        raise ModelMissing(f"the file of {installed.ref.name} is gone; install it again")
    if sha256_of(installed.path) != installed.ref.sha256:
        raise ModelChanged(
            f"the file of {installed.ref.name} has another checksum than when it was installed"
        )


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(manifest: Manifest, models_dir: Path) -> None:
    """Written last and at once, so that a broken installation is none."""
    folder = models_dir / manifest.name
    unfinished = folder / f"{MANIFEST}.part"
    unfinished.write_text(json.dumps(asdict(manifest), ensure_ascii=False, indent=2) + "\n", "utf-8")
    unfinished.replace(folder / MANIFEST)


def read_manifest(name: str, models_dir: Path) -> Manifest:
    """Raises ModelMissing where there is none, ModelChanged where it makes no sense."""
    path = models_dir / name / MANIFEST
    if not valid_name(name) or not path.is_file():
        raise ModelMissing(f"recogniser {name} is not installed: python -m app models install {name}")
    if path.stat().st_size > _LARGEST_MANIFEST:
        raise ModelChanged(f"the manifest of {name} is no manifest")
    try:
        said = json.loads(path.read_text("utf-8"))
        manifest = Manifest(**{**said, "pinned_by": PinnedBy(said["pinned_by"])})
    except (ValueError, TypeError, KeyError):
        raise ModelChanged(f"the manifest of {name} is no manifest") from None
    if manifest.name != name or Path(manifest.file).name != manifest.file:
        raise ModelChanged(f"the manifest of {name} speaks of another file")
    return manifest


def _packaged(distribution: str, path: str) -> Path:
    """A file inside an installed package, which is never imported: it wants modules that no longer exist."""
    try:
        return Path(str(importlib.metadata.distribution(distribution).locate_file(path)))
    except importlib.metadata.PackageNotFoundError:
        raise ModelMissing(f"the package {distribution} is not installed") from None
