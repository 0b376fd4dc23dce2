"""The SIM's number from its bar code and from its print."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from activation.ids import Iccid
from app.studio import fictional_iccid
from media.documents import find_iccid, shared_reader
from media.documents.iccid import iccid_in_codes, iccid_in_print
from tests.media.people import Image, applicant, jpeg, pixels

ICCID = "89999000000000000056"


def carrier(width: int = 640, quality: int = 40) -> Image:
    picture = pixels(applicant(1).sim_jpeg(fictional_iccid(5)))
    small = cv2.resize(picture, (width, width * 3 // 4), interpolation=cv2.INTER_AREA)
    return pixels(jpeg(small, quality))


def printed(*lines: str) -> Image:
    card = np.full((480, 640, 3), 240, np.uint8)
    for row, line in enumerate(lines):
        cv2.putText(
            card, line, (40, 160 + 60 * row), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (20, 20, 20), 2, cv2.LINE_AA
        )
    return card


@pytest.mark.parametrize("width", [480, 640, 1280])
def test_bar_code(width: int) -> None:
    assert iccid_in_codes(carrier(width)) == ICCID


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_bar_code_turned(turns: int) -> None:
    assert iccid_in_codes(np.ascontiguousarray(np.rot90(carrier(1280), turns))) == ICCID


@pytest.mark.parametrize("width", [640, 1280])
def test_printed_digits(width: int) -> None:
    assert iccid_in_print(carrier(width), shared_reader()) == ICCID


def test_digits_on_several_lines() -> None:
    assert find_iccid(printed("8999 9000", "0000 0000", "0056")) == ICCID
    assert find_iccid(printed("ICCID", "89999 00000", "00000 00056")) == ICCID


def test_nineteen_digits() -> None:
    number = "8999900000000000019"
    number = next(number[:-1] + last for last in "0123456789" if _is_iccid(number[:-1] + last))
    assert find_iccid(printed(number)) == number


@pytest.mark.parametrize(
    "line", ["89999000000000000057", "99999000000000000056", "8999900000000000", "no digits"]
)
def test_what_is_no_iccid(line: str) -> None:
    assert find_iccid(printed(line)) is None


def test_nothing_in_an_identity_card() -> None:
    assert find_iccid(pixels(applicant(1).front_jpeg())) is None


def _is_iccid(text: str) -> bool:
    try:
        Iccid(text)
    except ValueError:
        return False
    return True
