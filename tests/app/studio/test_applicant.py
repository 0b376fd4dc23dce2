from datetime import date

import pytest
from stdnum.cn import ric

from app.studio.applicant import Flaw, check_character, fictional

TODAY = date(2026, 5, 1)
FORTY = range(40)


@pytest.mark.parametrize("seed", FORTY)
def test_every_applicant_is_whole_and_consistent(seed: int) -> None:
    applicant = fictional(seed, today=TODAY)
    assert ric.validate(applicant.number) == applicant.number
    assert ric.get_birth_date(applicant.number) == applicant.born
    assert (int(applicant.number[16]) % 2 == 1) == (applicant.sex == "male")
    assert applicant.born.replace(year=applicant.born.year + 18) <= TODAY
    assert applicant.valid_from <= TODAY
    assert applicant.valid_until is None or applicant.valid_until > TODAY


@pytest.mark.parametrize("seed", FORTY)
def test_nobody_can_hold_the_number(seed: int) -> None:
    """Sequence codes 996-999 were kept for people of a hundred years and more."""
    assert 996 <= int(fictional(seed).number[14:17]) <= 999


def test_same_seed_same_person_other_seed_other_person() -> None:
    assert fictional(3, today=TODAY) == fictional(3, today=TODAY)
    assert len({fictional(seed, today=TODAY).number for seed in FORTY}) == len(FORTY)


def test_sex_can_be_asked_for() -> None:
    assert {fictional(seed, sex="female").sex_printed for seed in FORTY} == {"女"}


def test_nothing_personal_in_repr() -> None:
    applicant = fictional(1)
    assert applicant.name not in repr(applicant)
    assert applicant.number not in repr(applicant)


@pytest.mark.parametrize("seed", FORTY)
def test_flaws_are_what_they_say(seed: int) -> None:
    minor = fictional(seed, flaws=[Flaw.MINOR], today=TODAY)
    assert TODAY.year - minor.born.year < 16
    assert ric.is_valid(minor.number)
    expired = fictional(seed, flaws=[Flaw.EXPIRED], today=TODAY)
    assert expired.valid_until is not None
    assert expired.valid_until < TODAY
    assert fictional(seed, flaws=[Flaw.NOT_YET_VALID], today=TODAY).valid_from > TODAY
    assert not ric.is_valid(fictional(seed, flaws=[Flaw.WRONG_CHECKSUM]).number)
    other = fictional(seed, flaws=[Flaw.SEX_DISAGREES])
    assert ric.is_valid(other.number)
    assert (int(other.number[16]) % 2 == 1) != (other.sex == "male")
    younger = fictional(seed, flaws=[Flaw.BIRTH_DISAGREES])
    assert ric.is_valid(younger.number)
    assert ric.get_birth_date(younger.number) != younger.born


@pytest.mark.parametrize(("digits", "character"), [("11010519491231002", "X"), ("44052418800101001", "4")])
def test_check_character_of_the_examples_in_the_standard(digits: str, character: str) -> None:
    assert check_character(digits) == character
