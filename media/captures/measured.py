"""What measuring one capture gives: everything read and measured, or one refusal."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from activation.evidence import CaptureKind, FaceComparison, FaceSource, ModelRef
from media.captures.codes import CaptureCode
from media.documents.readings import BackReading, FrontReading


@dataclass(frozen=True, eq=False)
class FaceMeasured:
    """One face of a capture.

    embedding: float32 of unit length by `model`. crop: JPEG of the face and some room, no metadata.
    size: diagonal of the face's box in pixels of the picture that it was found in.
    """

    source: FaceSource
    embedding: NDArray[np.float32] = field(repr=False)
    crop: bytes = field(repr=False)
    size: float
    model: ModelRef


@dataclass(frozen=True)
class HandheldReading:
    """What the handheld photo shows beside faces (R3.1).

    headwear: share of the area above the forehead that looks like neither hair, skin nor background, 0 to 1.
    face_sharpness, face_brightness: of the living face; see `media.captures.bareheaded`.
    comparison: the living face with the portrait on the card that it holds.
    """

    number: str = field(repr=False)
    number_confidence: float
    headwear: float
    bareheaded: bool | None
    face_sharpness: float
    face_brightness: float
    comparison: FaceComparison


@dataclass(frozen=True, eq=False)
class CaptureMeasured:
    """A capture that can be used. Exactly the reading of its kind is there.

    jpeg: the picture encoded anew, upright, without metadata; digest: its SHA-256, 64 hex digits.
    models: every model that took part.
    """

    kind: CaptureKind
    jpeg: bytes = field(repr=False)
    digest: str
    width: int
    height: int
    front: FrontReading | None = None
    back: BackReading | None = None
    handheld: HandheldReading | None = None
    faces: tuple[FaceMeasured, ...] = ()
    models: tuple[ModelRef, ...] = ()

    def face(self, source: FaceSource) -> FaceMeasured | None:
        return next((face for face in self.faces if face.source is source), None)


@dataclass(frozen=True)
class CaptureRefused:
    """A capture that the person must take again; the text is in `media.captures.messages`."""

    kind: CaptureKind
    code: CaptureCode
