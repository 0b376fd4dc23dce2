"""The models that measure captures, loaded once in each worker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2

from media.documents.ocr import TextReader, shared_reader
from media.faces import FaceFinder, Recogniser, open_finder, open_recogniser


@dataclass(frozen=True, eq=False)
class Engines:
    """Everything with a model inside."""

    reader: TextReader
    finder: FaceFinder
    recogniser: Recogniser


def open_engines(recogniser: str, models_dir: Path) -> Engines:
    """Load all models; some 2 s and 300 MB. Called in the worker, which does nothing else beside.

    Raises `media.models.packs.ModelMissing` where the recogniser's files are not installed.
    """
    cv2.setNumThreads(1)
    return Engines(shared_reader(), open_finder(), open_recogniser(recogniser, models_dir))
