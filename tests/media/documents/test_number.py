"""The identity number: found in text, judged by GB 11643."""

from __future__ import annotations

from datetime import date

import pytest

from media.documents import number as numbers
from media.documents.readings import Sex

FICTIONAL = "330106199003079966"
"""Sequence 996: kept for people of a hundred years, so nobody's."""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("公民身份号码330106199003079966", FICTIONAL),
        ("330106 19900307 9966", FICTIONAL),
        ("33O1O61990O3079966", FICTIONAL),
        ("33010619900307996x", "33010619900307996X"),
        ("3301061990030799661", None),
        ("33010619900307996", None),
        ("", None),
    ],
)
def test_number_in_text(text: str, found: str | None) -> None:
    assert numbers.number_in(text) == found


def test_checksum() -> None:
    valid = [FICTIONAL[:-1] + last for last in "0123456789X" if numbers.is_valid(FICTIONAL[:-1] + last)]
    assert len(valid) == 1


@pytest.mark.parametrize(
    "number", ["330106199013079966", "000106199003079966", "33010619900307996", "a" * 18, ""]
)
def test_impossible_numbers(number: str) -> None:
    assert not numbers.is_valid(number)


def test_birth_and_sex() -> None:
    assert numbers.born(FICTIONAL) == date(1990, 3, 7)
    assert numbers.sex(FICTIONAL) is Sex.FEMALE
    assert numbers.sex("330106199003079974") is Sex.MALE


def test_the_place_of_a_number_is_found_where_a_digit_was_read_as_a_letter() -> None:
    line = "公民身份号码33O1O61990O3079966。"
    place = numbers.place_in(line)
    assert place is not None
    assert line[place] == "33O1O61990O3079966"
    assert numbers.number_in(line) == FICTIONAL
    assert numbers.place_in("公民身份号码") is None
