"""The SIM's number (ICCID) in a picture: its bar code first, printed digits second; the Luhn digit decides.

Cost on one core at 640×480: bar code 2 to 5 ms whether or not there is one, digits some 100 ms. Both run
outside of the interpreter lock, so the video check calls this in threads (see `media.documents.stream`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from activation.ids import Iccid
from media.documents.ocr import TextReader, shared_reader
from media.documents.pixels import grey_of, shrunk

FRAME_SIDE = 960
"""Printed digits are looked for at this size, pixels along the longer side."""
LINES_READ = 6
LINES_JOINED = 3
"""Cards print the number in up to so many lines under each other."""
_MIN_LINE = 2.2  # length : height
_IN_CODE = re.compile(r"(?<!\d)89\d{17,18}(?!\d)")
_GROUP_MARKS = re.compile(r"[\s\-–—.:：]")
_DIGITS = re.compile(r"\d{3,20}(?=\D*$)")
_FORMATS = zxingcpp.barcode_formats_from_str("Code128,Code39,ITF,QRCode,DataMatrix")


def find_iccid(bgr: NDArray[np.uint8], reader: TextReader | None = None) -> str | None:
    """The ICCID shown in (H, W, 3) BGR: 19 or 20 digits, 89 first, their Luhn digit last; or None."""
    return iccid_in_codes(bgr) or iccid_in_print(bgr, reader or shared_reader())


def iccid_in_codes(bgr: NDArray[np.uint8]) -> str | None:
    """The ICCID in a bar code or matrix code."""
    for code in zxingcpp.read_barcodes(grey_of(bgr), formats=_FORMATS):
        for found in _IN_CODE.findall(code.text):
            if _valid(found):
                return str(found)
    return None


def iccid_in_print(bgr: NDArray[np.uint8], reader: TextReader) -> str | None:
    """The ICCID in printed digits, on one line or on up to three lines under each other."""
    small, scale = shrunk(bgr, FRAME_SIDE)
    boxes = [
        box.scaled(1 / scale, 1 / scale) for box in reader.find(small) if box.length >= _MIN_LINE * box.height
    ]
    boxes = sorted(boxes, key=lambda box: box.length, reverse=True)[:LINES_READ]
    boxes.sort(key=lambda box: box.centre[1])
    lines = [_digits(reader.read(bgr, box).text) for box in boxes]
    return next((digits for digits in _joined(lines) if _valid(digits)), None)


def _digits(text: str) -> str:
    """The digits that end a line, without what groups them."""
    found = _DIGITS.search(_GROUP_MARKS.sub("", text))
    return found.group() if found else ""


def _joined(lines: Sequence[str]) -> Iterator[str]:
    for count in range(1, LINES_JOINED + 1):
        for start in range(len(lines) - count + 1):
            if all(lines[start : start + count]):
                yield "".join(lines[start : start + count])


def _valid(digits: str) -> bool:
    try:
        Iccid(digits)
    except ValueError:
        return False
    return True
