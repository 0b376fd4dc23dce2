"""Eyes for the studio's tests: the face finder and a reader that knows nothing of the drawings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from rapidocr import RapidOCR

from media.faces import FaceFinder, open_finder

Reader = Callable[[NDArray[np.uint8]], list[str]]


@pytest.fixture(scope="session")
def finder() -> Iterator[FaceFinder]:
    opened = open_finder()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def read() -> Reader:
    """Lines of text in a picture, without blanks."""
    one_thread = {f"EngineConfig.onnxruntime.{each}_op_num_threads": 1 for each in ("intra", "inter")}
    ocr = RapidOCR(params={"Global.log_level": "critical", "Global.use_cls": False, **one_thread})
    known: dict[bytes, list[str]] = {}

    def lines(bgr: NDArray[np.uint8]) -> list[str]:
        key = hashlib.sha256(bgr.tobytes()).digest()
        if key not in known:
            known[key] = [text.replace(" ", "") for text in getattr(ocr(bgr), "txts", None) or ()]
        return known[key]

    return lines
