"""Studio specimens, photographed in many ways, are read to the letter, or refused for what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from app.studio import Flaw, specimen
from media.documents import (
    BackReading,
    DocumentRefusal,
    FrontReading,
    Sex,
    check_back,
    check_front,
    read_back,
    read_front,
)
from media.images import Photo
from tests.media.people import TODAY, Image, applicant, pixels


def on_white(card: Image) -> Image:
    page = np.full((1400, 2000, 3), 250, np.uint8)
    page[200:1146, 250:1750] = cv2.resize(card, (1500, 946), interpolation=cv2.INTER_AREA)
    return page


def in_perspective(picture: Image) -> Image:
    height, width = picture.shape[:2]
    seen = np.array([[0.08, 0.1], [0.95, 0], [1, 0.97], [0, 0.9]]) * (width, height)
    whole = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    onto = cv2.getPerspectiveTransform(whole, seen.astype(np.float32))
    return np.asarray(cv2.warpPerspective(picture, onto, (width, height)), np.uint8)


def noisy(picture: Image) -> Image:
    grain = np.random.default_rng(1).normal(0, 14, picture.shape)
    return np.asarray(np.clip(picture + grain, 0, 255), np.uint8)


TAKEN: dict[str, Callable[[Image], Image]] = {
    "as it is": lambda p: p,
    "turned left": lambda p: np.rot90(p),
    "upside down": lambda p: np.rot90(p, 2),
    "turned right": lambda p: np.rot90(p, 3),
    "in perspective": in_perspective,
    "small": lambda p: np.asarray(cv2.resize(p, (800, 600), interpolation=cv2.INTER_AREA), np.uint8),
    "a little soft": lambda p: np.asarray(cv2.GaussianBlur(p, (0, 0), 2.0), np.uint8),
    "noisy": noisy,
}
SCANNED: dict[str, Callable[[Image], Image]] = {
    "cut to the card": lambda c: c,
    "cut to the card, upside down": lambda c: np.rot90(c, 2),
    "on a white page": on_white,
}


def photo(picture: Image) -> Photo:
    return Photo(np.ascontiguousarray(picture))


def assert_front(reading: FrontReading | DocumentRefusal, seed: int) -> None:
    printed = applicant(seed).applicant
    assert isinstance(reading, FrontReading), reading
    assert reading.name == printed.name
    assert reading.sex is (Sex.MALE if printed.sex == "male" else Sex.FEMALE)
    assert reading.ethnicity == printed.ethnicity
    assert reading.birth_date == printed.born
    assert reading.address == printed.address
    assert reading.number == printed.number
    assert reading.confidence.number > 0.5


def assert_back(reading: BackReading | DocumentRefusal, seed: int) -> None:
    printed = applicant(seed).applicant
    assert isinstance(reading, BackReading), reading
    assert (reading.authority, reading.valid_from, reading.valid_to) == (
        printed.authority,
        printed.valid_from,
        printed.valid_until,
    )


@pytest.mark.parametrize("how", TAKEN)
@pytest.mark.parametrize("seed", [1, 22])
def test_front_photographed(how: str, seed: int) -> None:
    assert_front(read_front(photo(TAKEN[how](pixels(applicant(seed).front_jpeg())))), seed)


@pytest.mark.parametrize("how", SCANNED)
@pytest.mark.parametrize("seed", [32, 40])
def test_front_scanned(how: str, seed: int) -> None:
    assert_front(read_front(photo(SCANNED[how](applicant(seed).front))), seed)


@pytest.mark.parametrize("how", TAKEN)
def test_back_photographed(how: str) -> None:
    assert_back(read_back(photo(TAKEN[how](pixels(applicant(1).back_jpeg())))), 1)


@pytest.mark.parametrize("how", SCANNED)
def test_back_scanned(how: str) -> None:
    assert_back(read_back(photo(SCANNED[how](applicant(2).back))), 2)


@pytest.mark.parametrize(
    ("flaw", "refusal"),
    [
        (Flaw.WRONG_CHECKSUM, DocumentRefusal.NUMBER_INVALID),
        (Flaw.SEX_DISAGREES, DocumentRefusal.FIELDS_DISAGREE),
        (Flaw.BIRTH_DISAGREES, DocumentRefusal.FIELDS_DISAGREE),
    ],
)
def test_fronts_that_contradict_themselves(flaw: Flaw, refusal: DocumentRefusal) -> None:
    assert read_front(photo(pixels(applicant(7, flaws={flaw}).front_jpeg()))) is refusal


def test_a_minor() -> None:
    reading = read_front(photo(applicant(7, flaws={Flaw.MINOR}).front))
    assert isinstance(reading, FrontReading)
    assert check_front(reading, TODAY, minimum_age=16) is DocumentRefusal.UNDER_AGE
    assert check_front(reading, TODAY, minimum_age=15) is None


@pytest.mark.parametrize(
    ("flaws", "refusal"),
    [
        ((), None),
        ((Flaw.EXPIRED,), DocumentRefusal.EXPIRED),
        ((Flaw.NOT_YET_VALID,), DocumentRefusal.NOT_YET_VALID),
    ],
)
def test_validity(flaws: tuple[Flaw, ...], refusal: DocumentRefusal | None) -> None:
    reading = read_back(photo(applicant(7, flaws=flaws).back))
    assert isinstance(reading, BackReading)
    assert check_back(reading, TODAY) is refusal


def test_the_first_and_the_last_day_of_validity_count() -> None:
    reading = read_back(photo(applicant(7).back))
    assert isinstance(reading, BackReading)
    assert reading.valid_to is not None
    assert check_back(reading, reading.valid_from) is None
    assert check_back(reading, reading.valid_to) is None


def test_the_wrong_side() -> None:
    assert read_front(photo(applicant(1).back)) is DocumentRefusal.BACK_SHOWN
    assert read_back(photo(applicant(1).front)) is DocumentRefusal.FRONT_SHOWN


def test_a_smeared_name_is_unsure() -> None:
    card = applicant(1).front.copy()
    name = card[120:210, 300:520]
    name[:] = cv2.GaussianBlur(name, (0, 0), 14)
    assert read_front(photo(card)) is DocumentRefusal.NAME_UNSURE


@pytest.mark.parametrize("name", ["王𬭎", "林𤧛", "周㴘", "吴𬱖", "何𠙶", "马骉"])
def test_a_name_that_is_read_wrongly_is_unsure(name: str) -> None:
    person = applicant(1)
    card = specimen.front(replace(person.applicant, name=name), person.portrait)
    assert read_front(photo(card)) is DocumentRefusal.NAME_UNSURE


@pytest.mark.parametrize("name", ["赵堃", "陈喆", "徐燚", "高翀", "欧阳娜娜", "阿依古丽·买买提"])
def test_uncommon_names_that_are_read_rightly(name: str) -> None:
    person = applicant(1)
    reading = read_front(photo(specimen.front(replace(person.applicant, name=name), person.portrait)))
    assert isinstance(reading, FrontReading), reading
    assert reading.name == name


def test_a_scratched_name_is_unsure() -> None:
    card = applicant(32).front.copy()
    for x in range(310, 520, 18):
        cv2.line(card, (x, 128), (x + 30, 205), (235, 228, 226), 7)
    assert read_front(photo(card)) is DocumentRefusal.NAME_UNSURE


def test_a_covered_address_is_unread() -> None:
    card = applicant(1).front.copy()
    card[520:800, 120:1040] = (230, 228, 226)
    assert read_front(photo(card)) is DocumentRefusal.FIELD_UNREAD


def test_a_photocopy() -> None:
    grey = cv2.cvtColor(cv2.cvtColor(applicant(1).front, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    assert read_front(photo(np.asarray(grey, np.uint8))) is DocumentRefusal.PHOTOCOPY


def test_an_over_exposed_scan() -> None:
    pale = np.clip(applicant(1).front.astype(np.int16) + 150, 0, 255).astype(np.uint8)
    assert read_front(photo(pale)) is DocumentRefusal.OVER_EXPOSED


def test_readings_say_nothing_of_a_person() -> None:
    reading = read_front(photo(applicant(1).front))
    assert isinstance(reading, FrontReading)
    printed = applicant(1).applicant
    assert all(each not in repr(reading) for each in (printed.name, printed.number, printed.address, "1987"))
