"""Reading the back: who issued the card and how long it is valid."""

from __future__ import annotations

import re
from datetime import date

from media.documents.front import MIN_FIELD_CONFIDENCE, rows_of
from media.documents.layout import FlatCard
from media.documents.ocr import Line, TextReader
from media.documents.quality import CardQuality
from media.documents.readings import BackReading, DocumentRefusal

_DATE = r"(\d{4})[.,·。\-]?(\d{2})[.,·。\-]?(\d{2})"
_VALIDITY = re.compile(_DATE + r"[-—~一至]+(?:" + _DATE + r"|长.?)")
_AUTHORITY_LABEL = re.compile(r"^签?发?机?关")
_AUTHORITY = re.compile(r"[\u3400-\u9fff（）()]{4,30}")
_AUTHORITY_TOP = 0.60  # share of the card's height; above it stand the emblem and the title


def parse_back(card: FlatCard, quality: CardQuality, reader: TextReader) -> BackReading | DocumentRefusal:
    """Read authority and validity of a back laid flat."""
    validity_line = card.key_line.packed()
    validity = _validity_in(validity_line)
    authority = _authority_in(card, reader)
    if validity is None or authority is None:
        return DocumentRefusal.FIELD_UNREAD
    valid_from, valid_to, confidence = validity
    return BackReading(
        authority=authority.text,
        valid_from=valid_from,
        valid_to=valid_to,
        authority_confidence=authority.confidence,
        validity_confidence=confidence,
        quality=quality,
    )


def _validity_in(line: Line) -> tuple[date, date | None, float] | None:
    found = _VALIDITY.search(line.text)
    if found is None:
        return None
    try:
        start = date(int(found[1]), int(found[2]), int(found[3]))
        end = date(int(found[4]), int(found[5]), int(found[6])) if found[4] else None
    except ValueError:
        return None
    spelled = line[found.start() : found.end()]
    digits = [p for c, p in zip(spelled.text, spelled.confidences, strict=True) if c.isdigit()]
    if min(digits) < MIN_FIELD_CONFIDENCE or (end is not None and end <= start):
        return None
    return start, end, min(digits)


def _authority_in(card: FlatCard, reader: TextReader) -> Line | None:
    height = card.pixels.shape[0]
    below, above = _AUTHORITY_TOP * height, card.key_box.centre[1] - card.key_box.height * 0.6
    boxes = [box for box in card.boxes if below < box.centre[1] < above]
    rows = rows_of(boxes, 0.05 * height)
    if not rows:
        return None
    # The label is its own box where the detector parts them; it need not be read.
    text = [box for box in rows[-1] if box.centre[0] > 0.36 * card.pixels.shape[1]] or rows[-1]
    line = sum((reader.read_twice(card.pixels, box) for box in text), Line("", ()))
    label = _AUTHORITY_LABEL.match(line.text)
    authority = line[label.end() :] if label else line
    good = _AUTHORITY.fullmatch(authority.text) is not None and authority.confidence >= MIN_FIELD_CONFIDENCE
    return authority if good else None
