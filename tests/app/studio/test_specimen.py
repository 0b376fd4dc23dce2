import itertools

import numpy as np
import pytest

from app.studio import FontMissing, PortraitMissing, fonts, make_applicant
from app.studio.portraits import PORTRAITS, Portrait, sit
from app.studio.specimen import PORTRAIT_BOX
from media.faces import FaceFinder
from tests.app.studio.conftest import Reader

SEEDS = (1, 4)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_field_of_the_front_can_be_read(seed: int, read: Reader) -> None:
    person = make_applicant(seed)
    applicant = person.applicant
    lines = read(person.front)
    born = applicant.born
    assert applicant.name in lines
    assert applicant.number in lines
    assert f"{born.year}年{born.month}月{born.day}日" in lines
    whole = "".join(lines)
    assert f"民族{applicant.ethnicity}" in whole
    assert {applicant.sex_printed, f"性别{applicant.sex_printed}"} & set(lines)
    address = [applicant.address[i : i + 11] for i in range(0, len(applicant.address), 11)]
    assert all(part in lines for part in address)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_field_of_the_back_can_be_read(seed: int, read: Reader) -> None:
    person = make_applicant(seed)
    lines = read(person.back)
    assert {"中华人民共和国", "居民身份证"} <= set(lines)
    assert person.applicant.authority in lines
    assert person.applicant.validity in lines


def test_both_sides_are_marked_as_specimens(read: Reader) -> None:
    person = make_applicant(1)
    for side in (person.front, person.back):
        assert any("样本" in line and "SPECIMEN" in line for line in read(side))


@pytest.mark.parametrize("portrait", PORTRAITS.values(), ids=lambda portrait: portrait.name)
def test_the_portrait_is_one_face_where_the_card_has_it(portrait: Portrait, finder: FaceFinder) -> None:
    front = make_applicant(1, portrait=portrait.name).front
    assert front.shape == (1080, 1712, 3)
    (face,) = finder.find(front)
    x0, y0, x1, y1 = PORTRAIT_BOX
    assert x0 < face.centre[0] < x1
    assert y0 < face.centre[1] < y1


def test_portraits_are_of_different_people_and_some_are_bareheaded() -> None:
    pictures = [sit(portrait).id_portrait() for portrait in PORTRAITS.values()]
    assert len(pictures) >= 3
    assert all(np.abs(a.astype(int) - b).mean() > 10 for a, b in itertools.pairwise(pictures))
    assert {portrait.sex for portrait in PORTRAITS.values() if portrait.bareheaded} == {"male", "female"}


def test_a_missing_package_is_named() -> None:
    nobody = Portrait(
        "x", "male", "no_such_package", "face.png", (0, 0), (1, 0), (0, 1), ((0, 0), (1, 0), (0, 1))
    )
    with pytest.raises(PortraitMissing, match="no_such_package"):
        sit(nobody)


def test_a_missing_font_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_packaged", lambda: None)
    monkeypatch.setattr(fonts, "_FOLDERS", ())
    monkeypatch.setattr(fonts, "_ask_fontconfig", lambda: None)
    fonts.chinese.cache_clear()
    fonts._locate.cache_clear()
    with pytest.raises(FontMissing, match="fonts-noto-cjk"):
        fonts.chinese(41)
    fonts._locate.cache_clear()
