"""Why a capture is refused: one code for each thing that a person can do something about."""

from __future__ import annotations

from enum import StrEnum

from media.documents.readings import DocumentRefusal
from media.images import ImageRefusal


class HandheldRefusal(StrEnum):
    """Why a photo does not show the applicant, bareheaded, holding the front of their card (R3.1)."""

    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    FACE_TOO_SMALL = "face_too_small"
    FACE_TOO_DARK = "face_too_dark"
    FACE_BLURRED = "face_blurred"
    HEAD_COVERED = "head_covered"
    HEAD_CUT = "head_cut"
    CARD_NOT_SEEN = "card_not_seen"
    CARD_PORTRAIT_NOT_SEEN = "card_portrait_not_seen"
    CARD_NUMBER_UNREAD = "card_number_unread"


class ProcessingRefusal(StrEnum):
    """Why a picture could not be measured to the end."""

    TOO_SLOW = "too_slow"
    BROKE_READER = "broke_reader"


CaptureCode = ImageRefusal | DocumentRefusal | HandheldRefusal | ProcessingRefusal
