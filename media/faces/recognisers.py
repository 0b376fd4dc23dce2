"""Opens an installed recogniser with the adapter that fits it."""

from __future__ import annotations

from pathlib import Path
from typing import assert_never

from activation.evidence import ModelRef
from media.faces.face import Recogniser
from media.models.packs import Installed, find_installed, sha256_of, verify
from media.models.registry import RECOGNISERS, Adapter


def open_by_name(name: str, models_dir: Path) -> Recogniser:
    """Raises ModelMissing, ModelChanged (`media.models.packs`) or UnusableModel (`media.faces.arcface`)."""
    installed = find_installed(name, models_dir)
    verify(installed)
    return _open(installed)


def open_file(path: Path, name: str) -> Recogniser:
    """An ArcFace-type model file that is not installed, for measurements."""
    from media.faces.arcface import ArcFaceRecogniser

    sha256 = sha256_of(path)
    known = next((m for m in RECOGNISERS.values() if m.sha256 == sha256), None)
    if known is not None:
        return ArcFaceRecogniser(path, ModelRef(known.name, known.version, sha256), known.normalise)
    return ArcFaceRecogniser(path, ModelRef(name, sha256[:12], sha256))


def _open(installed: Installed) -> Recogniser:
    match installed.adapter:
        case Adapter.DLIB:
            from media.faces.dlib_recogniser import DlibRecogniser

            return DlibRecogniser(installed.path, installed.ref)
        case Adapter.ARCFACE:
            from media.faces.arcface import ArcFaceRecogniser

            return ArcFaceRecogniser(installed.path, installed.ref, installed.normalise)
        case _:
            assert_never(installed.adapter)
