"""dlib's ResNet recogniser: weaker and slower than ArcFace, but it needs nothing beyond the package index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from activation.evidence import ModelRef
from media.faces.alignment import dlib_chip
from media.faces.dlib_centre import CENTRE
from media.faces.embedding import unit
from media.faces.face import Face
from media.faces.lease import Lease

LEASES = 2


class DlibRecogniser:
    """`Recogniser` over dlib's ResNet, aligned with our own landmarks."""

    def __init__(self, path: Path, model: ModelRef) -> None:
        import dlib

        self._model = model
        # The network keeps its state in itself, so each lease has its own.
        self._lease: Lease[Any] = Lease(dlib.face_recognition_model_v1(str(path)) for _ in range(LEASES))

    @property
    def model(self) -> ModelRef:
        return self._model

    def embed(self, bgr: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
        rgb = cv2.cvtColor(dlib_chip(bgr, face), cv2.COLOR_BGR2RGB)
        with self._lease.take() as network:
            raw = np.array(network.compute_face_descriptor(rgb), dtype=np.float32)
        return unit(raw - CENTRE)
