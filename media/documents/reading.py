"""From a photo to a reading of one side, or to the one thing that the person should do better."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from media.documents import quality as limits
from media.documents.back import parse_back
from media.documents.front import parse_front
from media.documents.layout import ENOUGH_BOXES, FlatCard, Side, lay_flat
from media.documents.ocr import TextReader, shared_reader
from media.documents.quality import CardQuality, measure_quality
from media.documents.readings import BackReading, DocumentRefusal, FrontReading
from media.images import Photo

_WRONG_SIDE = {Side.FRONT: DocumentRefusal.FRONT_SHOWN, Side.BACK: DocumentRefusal.BACK_SHOWN}


@dataclass(frozen=True, eq=False)
class FrontRead:
    """The front as read, and the card laid flat, from which the portrait is taken."""

    card: FlatCard
    reading: FrontReading


def read_front(photo: Photo, reader: TextReader | None = None) -> FrontReading | DocumentRefusal:
    """Read the portrait side. Validity in time and age are `check_front`'s, which knows the day."""
    read = read_front_card(photo, reader or shared_reader())
    return read if isinstance(read, DocumentRefusal) else read.reading


def read_front_card(photo: Photo, reader: TextReader) -> FrontRead | DocumentRefusal:
    found = _card(photo, Side.FRONT, reader)
    if isinstance(found, DocumentRefusal):
        return found
    card, quality = found
    reading = parse_front(card, quality, reader)
    return reading if isinstance(reading, DocumentRefusal) else FrontRead(card, reading)


def read_back(photo: Photo, reader: TextReader | None = None) -> BackReading | DocumentRefusal:
    """Read the emblem side. Whether it is valid today is `check_back`'s, which knows the day."""
    reader = reader or shared_reader()
    found = _card(photo, Side.BACK, reader)
    if isinstance(found, DocumentRefusal):
        return found
    card, quality = found
    return parse_back(card, quality, reader)


def check_front(reading: FrontReading, today: date, minimum_age: int) -> DocumentRefusal | None:
    """R1.2: the holder has the policy's age on `today`."""
    return DocumentRefusal.UNDER_AGE if age_on(reading.birth_date, today) < minimum_age else None


def check_back(reading: BackReading, today: date) -> DocumentRefusal | None:
    """R1.2: the card is valid on `today`; its first and its last day count."""
    if today < reading.valid_from:
        return DocumentRefusal.NOT_YET_VALID
    if reading.valid_to is not None and today > reading.valid_to:
        return DocumentRefusal.EXPIRED
    return None


def age_on(born: date, day: date) -> int:
    """Whole years of age on `day`."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def quality_refusal(quality: CardQuality) -> DocumentRefusal | None:
    """The first of the thresholds that the picture misses, in the order in which a person can mend them."""
    if quality.cut > limits.MAX_CUT:
        return DocumentRefusal.CUT_EDGES
    if quality.brightness < limits.MIN_BRIGHTNESS:
        return DocumentRefusal.TOO_DARK
    if quality.brightness > limits.MAX_BRIGHTNESS or quality.contrast < limits.MIN_CONTRAST:
        return DocumentRefusal.OVER_EXPOSED
    if quality.glare > limits.MAX_GLARE:
        return DocumentRefusal.GLARE
    if quality.width < limits.MIN_CARD_WIDTH:
        return DocumentRefusal.CARD_TOO_SMALL
    if quality.sharpness < limits.MIN_SHARPNESS:
        return DocumentRefusal.BLURRED
    return DocumentRefusal.PHOTOCOPY if quality.colour < limits.MIN_COLOUR else None


def _card(photo: Photo, wanted: Side, reader: TextReader) -> tuple[FlatCard, CardQuality] | DocumentRefusal:
    found = lay_flat(photo.pixels, reader)
    if found is None:
        return DocumentRefusal.CARD_NOT_FOUND
    if isinstance(found, FlatCard) and found.side is not wanted:
        return _WRONG_SIDE[found.side]
    quality = measure_quality(found.pixels, found.placement.width, found.placement.cut)
    refusal = quality_refusal(quality)
    if isinstance(found, FlatCard):
        return refusal or (found, quality)
    if refusal is DocumentRefusal.PHOTOCOPY or refusal is None:
        return (
            DocumentRefusal.NUMBER_UNREAD
            if len(found.boxes) >= ENOUGH_BOXES
            else DocumentRefusal.CARD_NOT_FOUND
        )
    return refusal
