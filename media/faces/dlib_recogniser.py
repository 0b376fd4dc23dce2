"""dlib's ResNet recogniser: weaker and slower than ArcFace, but it needs nothing beyond the package index."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from activation.evidence import ModelRef
from media.faces.arcface import unit
from media.faces.face import Face
from media.faces.lease import Lease

LEASES = 2
CHIP_SIDE = 150
CHIP_PADDING = 0.25
# dlib's five-point model: outer and inner corner of the eye on the picture's right, of the one on its left,
# and the base of the nose.
_FIVE = (263, 362, 33, 133, 2)
_LARGEST_FACE = 450.0
"""Larger faces are made smaller first; the chip has only 150 pixels."""


class DlibRecogniser:
    """`Recogniser` over dlib's ResNet, aligned with our own landmarks."""

    def __init__(self, path: Path, model: ModelRef) -> None:
        import dlib

        self._dlib: Any = dlib
        self._model = model
        # The network keeps its state in itself, so each lease has its own.
        self._lease: Lease[Any] = Lease(dlib.face_recognition_model_v1(str(path)) for _ in range(LEASES))

    @property
    def model(self) -> ModelRef:
        return self._model

    def embed(self, bgr: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
        chip = self._chip(bgr, face)
        with self._lease.take() as network:
            raw = np.array(network.compute_face_descriptor(chip), dtype=np.float32)
        return unit(raw)

    def _chip(self, bgr: NDArray[np.uint8], face: Face) -> Any:
        """The face as the network wants it, (150, 150, 3) RGB, cut by dlib's own template."""
        dlib = self._dlib
        shrink = min(1.0, _LARGEST_FACE / max(face.size, 1.0))
        if shrink < 1.0:
            bgr = np.asarray(cv2.resize(bgr, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA))
        at = np.rint(face.points[list(_FIVE), :2] * shrink).astype(int)
        x0, y0, x1, y1 = (round(v * shrink) for v in face.box)
        seen = dlib.full_object_detection(
            dlib.rectangle(x0, y0, x1, y1), [dlib.point(int(x), int(y)) for x, y in at]
        )
        rgb = np.ascontiguousarray(bgr[:, :, ::-1])
        return dlib.get_face_chip(rgb, seen, size=CHIP_SIDE, padding=CHIP_PADDING)
