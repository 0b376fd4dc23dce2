"""The handheld photo: one living-size, bare head and the front of a card, portrait and number (R3.1)."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from activation.evidence import FaceComparison, FaceSource
from media.captures.bareheaded import measure_head
from media.captures.codes import HandheldRefusal
from media.captures.engines import Engines
from media.captures.faces import measure_face
from media.captures.measured import FaceMeasured, HandheldReading
from media.documents.cards import Placement
from media.documents.held import HeldCard, find_held_card
from media.documents.layout import Side
from media.documents.pixels import grey_of, resized
from media.documents.quality import sharpness
from media.documents.readings import DocumentRefusal
from media.faces import Face, similarity

MIN_FACE = 160.0
"""Diagonal of the living face in pixels."""
SECOND_FACE = 0.6
"""A face at least so large beside the living one, and not on the card, is a second person."""
MIN_FACE_BRIGHTNESS = 45.0
MIN_FACE_SHARPNESS = 0.035
_FOREHEAD, _CHIN = 10, 152  # mesh points at either end of the face
_FACE_WIDTH = 160  # pixels; faces are compared in sharpness at this size


@dataclass(frozen=True, eq=False)
class HandheldRead:
    reading: HandheldReading
    faces: tuple[FaceMeasured, FaceMeasured] = field(repr=False)


def read_handheld(
    bgr: NDArray[np.uint8], engines: Engines
) -> HandheldRead | HandheldRefusal | DocumentRefusal:
    """Measure a handheld photo, (H, W, 3) BGR."""
    faces = engines.finder.find(bgr)
    if faces and (turns := _quarters_to_upright(faces[0])):
        bgr = np.ascontiguousarray(np.rot90(bgr, turns))
        faces = engines.finder.find(bgr)
    if not faces:
        return HandheldRefusal.NO_FACE
    living, others = faces[0], faces[1:]
    if living.size < MIN_FACE:
        return HandheldRefusal.FACE_TOO_SMALL
    small = next((face for face in others if face.size < SECOND_FACE * living.size), None)
    held = find_held_card(bgr, small.box if small else None, engines.reader)
    if isinstance(held, HeldCard) and _on_card([living], held.placement) is not None:
        return HandheldRefusal.NO_FACE
    on_card = _on_card(others, held.placement) if isinstance(held, HeldCard) else small
    if any(face is not on_card and face.size >= SECOND_FACE * living.size for face in others):
        return HandheldRefusal.SEVERAL_FACES
    bright, sharp = _face_quality(bgr, living)
    if bright < MIN_FACE_BRIGHTNESS:
        return HandheldRefusal.FACE_TOO_DARK
    if sharp < MIN_FACE_SHARPNESS:
        return HandheldRefusal.FACE_BLURRED
    if not isinstance(held, HeldCard):
        return _unheld(held, small)
    if on_card is None:
        return HandheldRefusal.CARD_PORTRAIT_NOT_SEEN
    head = measure_head(bgr, living)
    if head.headwear is None:  # a hat outside of the picture must not pass for none
        return HandheldRefusal.HEAD_CUT
    if not head.bareheaded:
        return HandheldRefusal.HEAD_COVERED
    face = measure_face(bgr, living, FaceSource.HANDHELD_FACE, engines.recogniser)
    portrait = measure_face(bgr, on_card, FaceSource.HANDHELD_PORTRAIT, engines.recogniser)
    comparison = FaceComparison(
        face.source, portrait.source, similarity(face.embedding, portrait.embedding), engines.recogniser.model
    )
    reading = HandheldReading(
        held.number, held.confidence, head.headwear, head.bareheaded, sharp, bright, comparison
    )
    return HandheldRead(reading, (face, portrait))


def _quarters_to_upright(face: Face) -> int:
    """Quarter turns counter-clockwise; pictures often lose the note of how the phone was held."""
    right, down = (face.points[_FOREHEAD, :2] - face.points[_CHIN, :2]).tolist()
    if abs(down) >= abs(right):
        return 2 if down > 0 else 0
    return 1 if right > 0 else 3


def _unheld(held: Side | None, small: Face | None) -> HandheldRefusal | DocumentRefusal:
    if held is Side.BACK:
        return DocumentRefusal.BACK_SHOWN
    seen = held is not None or small is not None
    return HandheldRefusal.CARD_NUMBER_UNREAD if seen else HandheldRefusal.CARD_NOT_SEEN


def _on_card(faces: list[Face], placement: Placement) -> Face | None:
    outline = placement.corners.reshape(-1, 1, 2)
    return next((face for face in faces if cv2.pointPolygonTest(outline, face.centre, False) >= 0), None)


def _face_quality(bgr: NDArray[np.uint8], face: Face) -> tuple[float, float]:
    """Median luminance, 0 to 255, and sharpness, 0 to 1, of a face."""
    x0, y0, x1, y1 = (max(0, round(value)) for value in face.box)
    part = bgr[y0:y1, x0:x1]
    if part.shape[0] < 8 or part.shape[1] < 8:
        return 0.0, 0.0
    grey = grey_of(part)
    small = resized(grey, _FACE_WIDTH, max(8, round(_FACE_WIDTH * grey.shape[0] / grey.shape[1])))
    return float(np.median(grey)), sharpness(small)
