import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.studio import BadCapture, make_applicant
from media.faces import FaceFinder
from tests.app.studio.conftest import Reader


def decoded(jpeg: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def sharpness(picture: NDArray[np.uint8]) -> float:
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(cv2.GaussianBlur(grey, (5, 5), 0), cv2.CV_64F).var())


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert make_applicant(5).front_jpeg() == make_applicant(5).front_jpeg()
    assert make_applicant(5).front_jpeg() != make_applicant(7).front_jpeg()


def test_scans_can_be_read(read: Reader) -> None:
    person = make_applicant(6)
    front = read(decoded(person.front_jpeg()))
    assert {person.applicant.name, person.applicant.number} <= set(front)
    assert person.applicant.validity in read(decoded(person.back_jpeg()))


@pytest.mark.parametrize("portrait", ["pilot", "gambler", "admiral"])
def test_the_handheld_photo_has_two_faces_and_a_legible_number(
    portrait: str, finder: FaceFinder, read: Reader
) -> None:
    person = make_applicant(3, portrait=portrait)
    photo = decoded(person.handheld_jpeg())
    assert photo.shape == (1200, 1600, 3)
    living, printed = finder.find(photo)
    assert living.size > 2.5 * printed.size > 250
    assert living.box[3] < printed.box[1]
    assert person.applicant.number in read(photo)


def test_another_document_in_the_hand(read: Reader) -> None:
    person, other = make_applicant(3), make_applicant(4)
    lines = read(decoded(person.handheld_jpeg(document_of=other)))
    assert other.applicant.number in lines
    assert person.applicant.number not in lines


def test_bad_captures_are_bad(finder: FaceFinder, read: Reader) -> None:
    person = make_applicant(3)
    bad = {kind: decoded(person.bad_jpeg(kind)) for kind in BadCapture}
    good = decoded(person.front_jpeg())
    number = person.applicant.number
    assert sharpness(bad[BadCapture.BLURRED]) < sharpness(good) / 20
    assert sharpness(bad[BadCapture.MOVED]) < sharpness(good) / 4
    assert bad[BadCapture.DARK].mean() < 25
    assert bad[BadCapture.TINY].shape == (240, 320, 3)
    for kind in (BadCapture.GLARE, BadCapture.CUT_EDGE, BadCapture.NO_CARD, BadCapture.CAT, BadCapture.MOVED):
        assert number not in read(bad[kind])
    smudged = read(bad[BadCapture.SMUDGED_NAME])
    assert number in smudged
    assert person.applicant.name not in smudged
    assert not finder.find(bad[BadCapture.NO_CARD])
    assert len(finder.find(bad[BadCapture.HANDHELD_WITHOUT_CARD])) == 1
