"""Eyes for the studio's tests: the face finder and a reader that knows nothing of the drawings."""

from __future__ import annotations

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
    ocr = RapidOCR(params={"Global.log_level": "critical"})

    def lines(bgr: NDArray[np.uint8]) -> list[str]:
        return [text.replace(" ", "") for text in getattr(ocr(bgr), "txts", None) or ()]

    return lines
