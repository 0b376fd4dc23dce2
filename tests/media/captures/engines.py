"""Engines for tests: the real reader and finder, and a recogniser that needs no model file."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from activation.evidence import ModelRef
from media.captures import Engines
from media.documents import shared_reader
from media.faces import Face, open_finder


class GreyRecogniser:
    """Embeds a face as its small grey picture: enough to tell one synthetic portrait from another."""

    model = ModelRef("grey", "1", "0" * 64)

    def embed(self, bgr: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
        x0, y0, x1, y1 = (max(0, round(value)) for value in face.box)
        grey = cv2.cvtColor(bgr[y0:y1, x0:x1], cv2.COLOR_BGR2GRAY)
        small = cv2.resize(grey, (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
        small -= small.mean()
        return np.asarray(small / np.linalg.norm(small), dtype=np.float32)


def open_grey_engines() -> Engines:
    """Picklable by name, so that worker processes can call it."""
    cv2.setNumThreads(1)
    return Engines(shared_reader(), open_finder(), GreyRecogniser())
