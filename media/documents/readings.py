"""What reading a resident identity card gives: fields with confidences, or the reason why not.

Nothing of a person appears in a repr, so nothing of a person reaches a log by way of one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from media.documents.quality import CardQuality


class DocumentRefusal(StrEnum):
    """Why a picture is not a readable, valid, matching document; `media.captures.messages` has the texts."""

    CARD_NOT_FOUND = "card_not_found"
    CARD_TOO_SMALL = "card_too_small"
    CUT_EDGES = "cut_edges"
    TOO_DARK = "too_dark"
    OVER_EXPOSED = "over_exposed"
    BLURRED = "blurred"
    GLARE = "glare"
    PHOTOCOPY = "photocopy"
    BACK_SHOWN = "back_shown"
    FRONT_SHOWN = "front_shown"
    NUMBER_UNREAD = "number_unread"
    NUMBER_INVALID = "number_invalid"
    FIELDS_DISAGREE = "fields_disagree"
    NAME_UNSURE = "name_unsure"
    FIELD_UNREAD = "field_unread"
    PORTRAIT_MISSING = "portrait_missing"
    UNDER_AGE = "under_age"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    SAME_IMAGE_TWICE = "same_image_twice"
    DIFFERENT_DOCUMENTS = "different_documents"


class Sex(StrEnum):
    FEMALE = "F"
    MALE = "M"


@dataclass(frozen=True)
class FrontConfidence:
    """OCR confidence of each field, 0 to 1: that of its least certain character."""

    name: float
    sex: float
    ethnicity: float
    birth_date: float
    address: float
    number: float


@dataclass(frozen=True)
class FrontReading:
    """The front (portrait side) as read. `number` is 18 characters with a right checksum (GB 11643)."""

    name: str = field(repr=False)
    sex: Sex = field(repr=False)
    ethnicity: str = field(repr=False)
    birth_date: date = field(repr=False)
    address: str = field(repr=False)
    number: str = field(repr=False)
    confidence: FrontConfidence
    quality: CardQuality


@dataclass(frozen=True)
class BackReading:
    """The back (emblem side) as read. `valid_to` None: 长期, valid without end."""

    authority: str = field(repr=False)
    valid_from: date = field(repr=False)
    valid_to: date | None = field(repr=False)
    authority_confidence: float
    validity_confidence: float
    quality: CardQuality


@dataclass(frozen=True)
class CardSighting:
    """One video frame that showed a card. Fields not read are None; hint tells what was wrong."""

    number: str | None = field(repr=False)
    name: str | None = field(repr=False)
    name_confidence: float
    sharpness: float
    glare: float
    hint: str | None


@dataclass(frozen=True, eq=False)
class CardVote:
    """What several frames agree on.

    number: right checksum and read alike in at least two frames, else None; name likewise.
    portrait: (H, W, 3) BGR, the upright portrait area in the sharpest frame that gave the number, else None.
    """

    number: str | None = field(repr=False)
    name: str | None = field(repr=False)
    number_frames: int
    name_frames: int
    frames: int
    portrait: NDArray[np.uint8] | None = field(repr=False)
