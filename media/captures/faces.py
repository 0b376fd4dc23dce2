"""Faces of captures: where the portrait on a front is, and what the recogniser makes of a face."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from activation.evidence import FaceSource
from media.captures.measured import FaceMeasured
from media.documents.stream import portrait_area
from media.faces import Face, FaceFinder, Recogniser
from media.images import Photo, encode_jpeg

_ROOM = 0.35  # of the face's width, kept around the crop


def find_portrait(card: NDArray[np.uint8], finder: FaceFinder) -> tuple[NDArray[np.uint8], Face] | None:
    """The portrait of a front laid flat: its area of the card, (H, W, 3) BGR, and the face in that area."""
    area = np.ascontiguousarray(portrait_area(card))
    faces = finder.find(area)
    return (area, faces[0]) if faces else None


def measure_face(
    bgr: NDArray[np.uint8], face: Face, source: FaceSource, recogniser: Recogniser
) -> FaceMeasured:
    """Embed one face and cut it out."""
    x0, y0, x1, y1 = face.box
    room = _ROOM * (x1 - x0)
    rows = slice(max(0, round(y0 - 1.5 * room)), max(1, round(y1 + room)))
    columns = slice(max(0, round(x0 - room)), max(1, round(x1 + room)))
    crop = np.ascontiguousarray(bgr[rows, columns])
    return FaceMeasured(
        source, recogniser.embed(bgr, face), encode_jpeg(Photo(crop)), face.size, recogniser.model
    )
