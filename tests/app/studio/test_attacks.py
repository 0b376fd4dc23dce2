import numpy as np
import pytest

from app.studio import Attack, fictional_iccid, make_applicant
from app.studio.attacks import REPLAYED
from media.faces import FaceFinder
from media.liveness import Movement
from tests.app.studio.conftest import Reader
from tests.app.studio.performing import check, script_of

M = Movement
SCRIPT = script_of(M.TURN_LEFT, M.OPEN_MOUTH, M.TURN_RIGHT)
PERSON = make_applicant(2)
ICCID = fictional_iccid(2)


def test_a_print_is_flat_and_a_head_is_not() -> None:
    turns = script_of(M.TURN_LEFT, M.TURN_RIGHT)
    living = check(PERSON.actor(), turns).depth
    printed = check(PERSON.actor(Attack.PRINT), turns).depth
    assert living.residual is not None
    assert living.residual > 0.03
    assert printed.residual is None or printed.residual < living.residual / 2


@pytest.mark.parametrize("attack", [Attack.REPLAY, Attack.INJECTED_REPLAY, Attack.IDLE, Attack.LOOP])
def test_what_does_not_listen_does_not_answer(attack: Attack) -> None:
    assert SCRIPT.movements[0] is not REPLAYED[0]
    assert not check(PERSON.actor(attack), SCRIPT).finished


def test_a_replay_of_the_very_script_moves_as_asked() -> None:
    """So it is the script that stops a replay, and not a fault of the drawing."""
    assert check(PERSON.actor(Attack.REPLAY), script_of(*REPLAYED)).finished


def test_two_faces_and_none(finder: FaceFinder) -> None:
    two, none = (PERSON.actor(attack).frame(1000) for attack in (Attack.TWO_FACES, Attack.NO_FACE))
    assert two is not None
    assert none is not None
    assert len(finder.find(two)) == 2
    assert finder.find(none) == []


def test_half_way_the_picture_freezes_stops_or_becomes_another_person() -> None:
    second = [{"type": "step", "stage": "movement", "prompt": prompt} for prompt in ("turn_left", "blink")]
    frozen, stopping, swapped = (PERSON.actor(a) for a in (Attack.FROZEN, Attack.STOPS, Attack.SWAP))
    before = [performer.frame(0) for performer in (frozen, stopping, swapped)]
    moving = frozen.frame(50)
    for message in second:
        for performer in (frozen, stopping, swapped):
            performer.hear(message)
    assert not np.array_equal(np.asarray(before[0]), np.asarray(moving))
    assert np.array_equal(np.asarray(frozen.frame(100)), np.asarray(frozen.frame(5000)))
    assert stopping.frame(100) is None
    difference = np.abs(np.asarray(before[2]).astype(int) - np.asarray(swapped.frame(50)))
    assert difference[100:300, 200:440].mean() > 20


def test_other_document_shows_another_number_and_face(read: Reader) -> None:
    performer = PERSON.actor(Attack.OTHER_DOCUMENT, ICCID)
    performer.hear({"type": "step", "stage": "document", "prompt": "show_id_front"})
    frames = [performer.frame(t_ms) for t_ms in (0, 1000, 4000)]
    assert frames[-1] is not None
    lines = read(frames[-1])
    assert PERSON.applicant.number not in lines
    assert any(len(line) == 18 and line[:17].isdigit() for line in lines)


def test_other_person_holds_the_right_document(read: Reader) -> None:
    performer = PERSON.actor(Attack.OTHER_PERSON, ICCID)
    living = PERSON.actor(None, ICCID).frame(0)
    other = performer.frame(0)
    assert np.abs(np.asarray(living).astype(int) - np.asarray(other))[100:300, 200:440].mean() > 20
    performer.hear({"type": "step", "stage": "document", "prompt": "show_id_front"})
    performer.frame(100)
    performer.frame(1000)
    shown = performer.frame(4000)
    assert shown is not None
    assert PERSON.applicant.number in read(shown)
