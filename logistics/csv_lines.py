"""CSV as people really send it: read line by line, and every bad line named.

UTF-8 with or without a byte order mark, or GB 18030; comma, semicolon or tab; with a heading line in any
order of columns, or without one in the usual order. A quoted cell cannot hold a line break.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_LINES = 100_000
MAX_LINE_BYTES = 512
#: Bad lines told one by one; further ones are only counted.
MAX_REPORTED = 1_000
_BOM = b"\xef\xbb\xbf"
_OTHER_BOMS = (b"\xff\xfe", b"\xfe\xff")
_SEPARATORS = ",;\t"


class LineRefusal(StrEnum):
    """Why a line was left out."""

    TOO_LONG = "too_long"
    NOT_TEXT = "not_text"
    COLUMNS = "columns"
    ICCID_ROUNDED = "iccid_rounded"
    ICCID_INVALID = "iccid_invalid"
    ICCID_CHECK_DIGIT = "iccid_check_digit"
    IMSI_INVALID = "imsi_invalid"
    BATCH_INVALID = "batch_invalid"
    ICCID_TWICE_IN_FILE = "iccid_twice_in_file"
    IMSI_TWICE_IN_FILE = "imsi_twice_in_file"
    ICCID_TAKEN = "iccid_taken"
    IMSI_TAKEN = "imsi_taken"
    OTHER_BATCH = "other_batch"
    NUMBER_ROUNDED = "number_rounded"
    NUMBER_INVALID = "number_invalid"
    NUMBER_TWICE_IN_FILE = "number_twice_in_file"
    REGION_INVALID = "region_invalid"
    OTHER_REGION = "other_region"


class FileRefusal(StrEnum):
    """Why a file is not read at all, or not to its end."""

    EMPTY = "empty"
    WRONG_ENCODING = "wrong_encoding"
    HEADING = "heading"
    TOO_MANY_LINES = "too_many_lines"


@dataclass(frozen=True)
class BadLine:
    """line: counted from 1, as an editor shows it. The line's text is not repeated."""

    line: int
    reason: LineRefusal


@dataclass(frozen=True)
class GoodLine:
    line: int
    cells: tuple[str, ...]  # in the order of the columns asked for, stripped; missing ones are empty


class FileRefused(Exception):
    """Internal to imports: ends reading; turned into a value by whoever imports."""

    def __init__(self, refusal: FileRefusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


def split_lines(data: bytes) -> Iterator[bytes | None]:
    """Lines without their ends, one at a time; None for one that is longer than MAX_LINE_BYTES."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        yield data[start:end].removesuffix(b"\r") if end - start <= MAX_LINE_BYTES else None
        start = end + 1


class LineReader:
    """Reads lines into cells of `columns`; the first line that is not empty decides about the rest."""

    def __init__(self, columns: Sequence[str], required: int) -> None:
        self._columns = tuple(columns)
        self._required = required
        self._separator = ","
        self._places: list[int | None] | None = None
        self.lines = 0

    def read(self, raw: bytes | None) -> GoodLine | BadLine | None:
        """One line; None: empty, or the heading. Raises FileRefused."""
        self.lines += 1
        if self.lines > MAX_LINES:
            raise FileRefused(FileRefusal.TOO_MANY_LINES)
        if raw is None:
            return BadLine(self.lines, LineRefusal.TOO_LONG)
        if self.lines == 1:
            raw = _without_bom(raw)
        text = _decode(raw)
        if text is None:
            return BadLine(self.lines, LineRefusal.NOT_TEXT)
        if not text.strip():
            return None
        if self._places is None and self._is_heading(text):
            return None
        cells = _cells(text, self._separator)
        if not self._required <= len(cells):
            return BadLine(self.lines, LineRefusal.COLUMNS)
        return self._arranged(cells)

    def _is_heading(self, text: str) -> bool:
        self._separator = max(_SEPARATORS, key=text.count)
        cells = [cell.lower() for cell in _cells(text, self._separator)]
        if self._columns[0] not in cells:
            self._places = list(range(len(self._columns)))
            if any(name in cells for name in self._columns):
                raise FileRefused(FileRefusal.HEADING)
            return False
        self._places = [cells.index(name) if name in cells else None for name in self._columns]
        if None in self._places[: self._required]:
            raise FileRefused(FileRefusal.HEADING)
        return True

    def _arranged(self, cells: list[str]) -> GoodLine | BadLine:
        places = self._places or []
        found = tuple("" if at is None or at >= len(cells) else cells[at] for at in places)
        surplus = len(cells) > len(self._columns) and places == list(range(len(self._columns)))
        if surplus and any(cells[len(self._columns) :]):
            return BadLine(self.lines, LineRefusal.COLUMNS)
        return GoodLine(self.lines, found)


def rounded(cell: str) -> bool:
    """True where a spreadsheet has turned a long number into 8.98604E+18 and lost its digits."""
    mantissa, e, exponent = cell.upper().partition("E+")
    return bool(e) and exponent.isdigit() and mantissa.replace(".", "").isdigit()


def _without_bom(raw: bytes) -> bytes:
    if raw.startswith(_OTHER_BOMS):
        raise FileRefused(FileRefusal.WRONG_ENCODING)
    return raw.removeprefix(_BOM)


def _decode(raw: bytes) -> str | None:
    for encoding in ("utf-8", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text if all(char.isprintable() or char == "\t" for char in text) else None
    return None


def _cells(text: str, separator: str) -> list[str]:
    """Cells without surrounding space and without the apostrophe that keeps a spreadsheet from rounding."""
    row = next(csv.reader([text], delimiter=separator), [])
    return [cell.strip().lstrip("'").strip() for cell in row]
