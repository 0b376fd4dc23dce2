"""Finds faces in stills with MediaPipe, also the small portrait on a card.

The face mesh alone misses faces below about a tenth of the picture. So a detector looks at the whole
picture and at overlapping tiles of it, and the mesh is then laid over an enlarged crop of each candidate.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from media.faces.face import Face, largest_first
from media.faces.mediapipe_graph import DetectorGraph, MeshGraph

Box = tuple[float, float, float, float]

MAX_FACES = 8
_MAX_CANDIDATES = 16
_DETECTOR_SIDE = 192
"""Pixels of the detector's own input; tiles are brought to it without aliasing."""
_TILINGS = ((1, 1.0), (2, 0.6), (4, 0.36))
"""Tiles along each side, and the side of a tile as a share of the picture's."""
_SMALLEST_FACE = 20.0
"""Pixels across a detected face, below which no landmark means anything."""
_CONFIDENCE = 0.5
_CROP_OVER_FACE = 2.0
_CROP_SIDE = 384
_SAME_FACE = 0.3
"""Intersection over union above which two boxes are one face."""


class MediaPipeFinder:
    """`FaceFinder` on MediaPipe's detector and mesh; calls take turns."""

    def __init__(self) -> None:
        self._detector = DetectorGraph(_CONFIDENCE)
        self._mesh = MeshGraph(still=True, max_faces=1)
        self._turn = threading.Lock()

    def find(self, bgr: NDArray[np.uint8]) -> list[Face]:
        if bgr.ndim != 3 or bgr.shape[2] != 3 or 0 in bgr.shape:
            raise ValueError("a picture has the shape (H, W, 3)")
        with self._turn:
            faces: list[Face] = []
            for box in self._candidates(bgr):
                face = self._mesh_over(bgr, box)
                if face is not None and all(_overlap(face.box, other.box) < _SAME_FACE for other in faces):
                    faces.append(face)
            return largest_first(faces)[:MAX_FACES]

    def close(self) -> None:
        with self._turn:
            self._detector.close()
            self._mesh.close()

    def _candidates(self, bgr: NDArray[np.uint8]) -> list[Box]:
        """Boxes that may be faces, each once, surest first."""
        scored: list[tuple[float, Box]] = []
        for small, x, y, scale in _views(bgr):
            for x0, y0, x1, y1, score in self._detector.boxes(small):
                box = (x + x0 / scale, y + y0 / scale, x + x1 / scale, y + y1 / scale)
                if box[2] - box[0] >= _SMALLEST_FACE:
                    scored.append((score, box))
        kept: list[Box] = []
        for _, box in sorted(scored, reverse=True):
            if all(_overlap(box, other) < _SAME_FACE for other in kept):
                kept.append(box)
        return kept[:_MAX_CANDIDATES]

    def _mesh_over(self, bgr: NDArray[np.uint8], box: Box) -> Face | None:
        """The mesh of the face that `box` surrounds, or None where the mesh finds none there."""
        x0, y0, x1, y1 = box
        side = max(x1 - x0, y1 - y0) * _CROP_OVER_FACE
        left, top = (x0 + x1 - side) / 2, (y0 + y1 - side) / 2
        scale = _CROP_SIDE / side
        move = np.array([[scale, 0.0, -left * scale], [0.0, scale, -top * scale]])
        how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
        crop = cv2.warpAffine(bgr, move, (_CROP_SIDE, _CROP_SIDE), flags=how, borderMode=cv2.BORDER_REPLICATE)
        found = self._mesh.faces(np.asarray(crop, dtype=np.uint8))
        if not found:
            return None
        x, y = found[0].centre
        if max(abs(x - _CROP_SIDE / 2), abs(y - _CROP_SIDE / 2)) > _CROP_SIDE / (2 * _CROP_OVER_FACE):
            return None
        return found[0].moved(left, top, 1 / scale)


def _views(bgr: NDArray[np.uint8]) -> Iterator[tuple[NDArray[np.uint8], float, float, float]]:
    """Small pictures for the detector, each with the x and y of its corner in the picture and its scale."""
    # A face that fills the picture is only found with room around it.
    inner, scale = _shrunk(bgr, _DETECTOR_SIDE // 2)
    border = _DETECTOR_SIDE // 4
    framed = cv2.copyMakeBorder(inner, border, border, border, border, cv2.BORDER_CONSTANT)
    yield np.asarray(framed, dtype=np.uint8), -border / scale, -border / scale, scale
    height, width = bgr.shape[:2]
    for along, share in _TILINGS:
        tile_h, tile_w = max(1, round(height * share)), max(1, round(width * share))
        for y in np.linspace(0, height - tile_h, along).round().astype(int):
            for x in np.linspace(0, width - tile_w, along).round().astype(int):
                small, scale = _shrunk(bgr[y : y + tile_h, x : x + tile_w], _DETECTOR_SIDE)
                yield small, float(x), float(y), scale


def _shrunk(bgr: NDArray[np.uint8], side: int) -> tuple[NDArray[np.uint8], float]:
    """The picture with `side` pixels on its longer side, and the scale. Averages, so that nothing aliases."""
    height, width = bgr.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), dtype=np.uint8), scale


def _overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)
