import itertools

import numpy as np
import pytest
import zxingcpp

from app.studio import LiveScene, fictional_iccid, make_applicant
from app.studio.performance import AT_REST, Moment, Showing, ease, moving, seconds_of, showing
from media.faces import FaceFinder
from media.liveness import Movement
from tests.app.studio.conftest import Reader

SIZES = [(640, 480), (480, 640), (1280, 720)]
RAISED_S = 3.0


@pytest.mark.parametrize("size", SIZES)
def test_one_face_in_the_middle(size: tuple[int, int], finder: FaceFinder) -> None:
    frame = LiveScene(make_applicant(2), size).frame(1.0, AT_REST)
    assert frame.shape == (size[1], size[0], 3)
    (face,) = finder.find(frame)
    assert abs(face.centre[0] / size[0] - 0.5) < 0.1
    assert abs(face.centre[1] / size[1] - 0.5) < 0.15
    assert 0.4 < face.size / min(size) < 0.75


def test_coming_closer_makes_the_face_a_third_larger(finder: FaceFinder) -> None:
    scene = LiveScene(make_applicant(2))
    (far,), (near,) = (finder.find(scene.frame(1.0, Moment(closer=closer))) for closer in (0.0, 1.0))
    assert near.size > 1.3 * far.size


def test_no_two_frames_are_the_same() -> None:
    scene = LiveScene(make_applicant(2))
    frames = [scene.frame(number / 20, AT_REST) for number in range(12)]
    for one, two in itertools.pairwise(frames):
        assert np.abs(one.astype(int) - two).mean() > 0.5
    assert not np.array_equal(scene.frame(9.0, AT_REST), scene.frame(9.0, AT_REST))


@pytest.mark.parametrize("size", SIZES[:2])
def test_cards_can_be_read_in_the_video(size: tuple[int, int], read: Reader, finder: FaceFinder) -> None:
    person, iccid = make_applicant(8), fictional_iccid(8)
    scene = LiveScene(person, size, iccid)
    card = scene.frame(RAISED_S, showing(Showing.ID_FRONT, RAISED_S))
    assert {person.applicant.name, person.applicant.number} <= set(read(card))
    assert finder.find(card)
    sim = scene.frame(RAISED_S, showing(Showing.SIM, RAISED_S))
    assert iccid in {code.text for code in zxingcpp.read_barcodes(sim)}
    assert any(iccid in line for line in read(sim))


def test_another_portrait_and_another_document(read: Reader) -> None:
    person, other = make_applicant(2), make_applicant(3)
    scene = LiveScene(person, document=other.front)
    lines = read(scene.frame(RAISED_S, showing(Showing.ID_FRONT, RAISED_S)))
    assert other.applicant.number in lines
    assert person.applicant.number not in lines


@pytest.mark.parametrize("movement", list(Movement))
def test_movements_begin_and_end_at_rest(movement: Movement) -> None:
    length = seconds_of(movement)
    assert length <= 2.5
    assert moving(movement, -0.1, 18) == moving(movement, length + 0.1, 18) == AT_REST
    assert moving(movement, length / 2, 18) != AT_REST


def test_easing_goes_from_nought_to_one() -> None:
    steps = [ease(share / 10) for share in range(-2, 13)]
    assert steps[0] == 0
    assert steps[-1] == 1
    assert steps == sorted(steps)
