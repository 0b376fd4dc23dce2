"""Reading the front: name, sex, ethnicity, birth date, address and number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import TypeVar

import numpy as np

from media.documents import number as numbers
from media.documents.ethnicities import ETHNICITIES
from media.documents.layout import FlatCard
from media.documents.ocr import Box, Line, TextReader
from media.documents.quality import CardQuality
from media.documents.readings import DocumentRefusal, FrontConfidence, FrontReading, Sex

MIN_NAME_CONFIDENCE = 0.90
"""Of the least certain character. Below it another picture is needed: nobody may edit a name (R1.4).
Measured on rare characters: wrong readings stayed at 0.84 and below, right common names above 0.98."""
MIN_FIELD_CONFIDENCE = 0.50
MIN_ADDRESS_CONFIDENCE = 0.60
TEXT_RIGHT = 0.625
"""Share of the card's width where the portrait begins."""
_LABELS_RIGHT = 0.165
_ROW_APART = 0.035  # of the card's height: lines closer than this stand on one row
_NAME = re.compile(
    r"[\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af]{1,20}(·[\u3400-\u9fff\U00020000-\U000323af]{1,20}){0,3}"
)
_NAME_LABEL = re.compile(r"^姓.?名?|^.名")
_OTHER_LABEL = re.compile(r"性别|民族|出生|住址|号码|身份")  # the row of the name was not found
_ADDRESS_LABEL = re.compile(r"^住.?址?|^.址")
_BIRTH = re.compile(r"(\d{4})\D+(\d{1,2})\D+(\d{1,2})")
_Value = TypeVar("_Value")
_SEX_CELL = (0.165, 0.225, 0.300, 0.320)  # left, top, right, bottom, as shares of the card
_SEX = {"男": Sex.MALE, "女": Sex.FEMALE}
_DOTS = str.maketrans({"•": "·", "・": "·", "．": "·", ".": "·", "●": "·", "∙": "·"})


def parse_front(card: FlatCard, quality: CardQuality, reader: TextReader) -> FrontReading | DocumentRefusal:
    """Read the fields of a front laid flat and test them against the number."""
    number_line = card.key_line.packed()
    number, place = numbers.number_in(number_line.text), numbers.place_in(number_line.text)
    if number is None or place is None:
        return DocumentRefusal.NUMBER_UNREAD
    if not numbers.is_valid(number):
        return DocumentRefusal.NUMBER_INVALID
    rows = read_rows(card, reader)
    birth_row = next((i for i, row in enumerate(rows) if _BIRTH.search(row.text) and i > 0), None)
    if birth_row is None:
        return DocumentRefusal.FIELD_UNREAD
    name = name_in(rows[0])
    if name is None or name.confidence < MIN_NAME_CONFIDENCE:
        return DocumentRefusal.NAME_UNSURE
    birth = _birth_in(rows[birth_row])
    sex_row = _joined(rows[1:birth_row])
    sex = _sex_in(sex_row) or _sex_in(_read_sex_cell(card, reader))
    ethnicity = _ethnicity_in(sex_row)
    address = _address_in(rows[birth_row + 1 :])
    if birth is None or sex is None or ethnicity is None or address is None:
        return DocumentRefusal.FIELD_UNREAD
    if birth[0] != numbers.born(number) or sex[0] is not numbers.sex(number):
        return DocumentRefusal.FIELDS_DISAGREE
    return FrontReading(
        name=name.text,
        sex=sex[0],
        ethnicity=ethnicity.text,
        birth_date=birth[0],
        address=address.text,
        number=number,
        confidence=FrontConfidence(
            name=name.confidence,
            sex=sex[1],
            ethnicity=ethnicity.confidence,
            birth_date=birth[1],
            address=address.confidence,
            number=number_line[place].confidence,
        ),
        quality=quality,
    )


def read_rows(card: FlatCard, reader: TextReader, limit: int | None = None) -> list[Line]:
    """The text left of the portrait and above the number, row by row from the top, without spaces."""
    height, width = card.pixels.shape[:2]
    above = card.key_box.centre[1] - card.key_box.height
    boxes = [box for box in card.boxes if box.centre[0] < TEXT_RIGHT * width and box.centre[1] < above]
    rows = [_values(row, _LABELS_RIGHT * width) for row in rows_of(boxes, _ROW_APART * height)[:limit]]
    return [_joined([reader.read_twice(card.pixels, box) for box in row]) for row in rows]


def _values(row: list[Box], labels_right: float) -> list[Box]:
    """The boxes of a row without those that hold a label alone; labels need not be read."""
    return [box for box in row if box.corners[:, 0].max() > labels_right] or row


def rows_of(boxes: Sequence[Box], apart: float) -> list[list[Box]]:
    """Boxes that stand on one row together, rows from the top, boxes from the left; `apart` in pixels."""
    rows: list[list[Box]] = []
    for box in sorted(boxes, key=lambda each: each.centre[1]):
        if rows and abs(box.centre[1] - rows[-1][0].centre[1]) < apart:
            rows[-1].append(box)
        else:
            rows.append([box])
    return [sorted(row, key=lambda each: each.centre[0]) for row in rows]


def name_in(row: Line) -> Line | None:
    """The name in the first row, without its label; None where that is no name."""
    line = Line(row.text.translate(_DOTS), row.confidences)
    label = _NAME_LABEL.match(line.text)
    name = line[label.end() :] if label else line
    if len(name.text) < 2 or not _NAME.fullmatch(name.text) or _OTHER_LABEL.search(name.text):
        return None
    return name


def _joined(lines: Sequence[Line]) -> Line:
    return sum(lines, Line("", ()))


def _birth_in(row: Line) -> tuple[date, float] | None:
    found = _BIRTH.search(row.text)
    if found is None:
        return None
    try:
        born = date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None
    digits = [p for c, p in zip(row.text, row.confidences, strict=True) if c.isdigit()]
    return _sure(born, min(digits))


def _sex_in(row: Line) -> tuple[Sex, float] | None:
    for character, confidence in zip(row.text, row.confidences, strict=True):
        if character in _SEX:
            return _sure(_SEX[character], confidence)
    return None


def _read_sex_cell(card: FlatCard, reader: TextReader) -> Line:
    """One character alone is sometimes not found; it stands where it is printed (GA 448)."""
    height, width = card.pixels.shape[:2]
    left, top, right, bottom = np.array(_SEX_CELL) * (width, height, width, height)
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float32)
    return reader.read(card.pixels, Box(corners)).packed()


def _ethnicity_in(row: Line) -> Line | None:
    """The longest known ethnicity at the end of the row."""
    for length in range(4, 0, -1):
        tail = row[-length:]
        if tail.text in ETHNICITIES and len(row.text) > length:
            return tail if tail.confidence >= MIN_FIELD_CONFIDENCE else None
    return None


def _address_in(rows: Sequence[Line]) -> Line | None:
    whole = _joined(rows)
    label = _ADDRESS_LABEL.match(whole.text)
    address = whole[label.end() :] if label else whole
    if len(address.text) < 6 or address.confidence < MIN_ADDRESS_CONFIDENCE:
        return None
    return address


def _sure(value: _Value, confidence: float) -> tuple[_Value, float] | None:
    return (value, confidence) if confidence >= MIN_FIELD_CONFIDENCE else None
