import pytest

from app.studio.head import Framing, Head, Look
from app.studio.performance import NOD_DOWN_DEGREES, TURN_DEGREES
from app.studio.pixels import blend
from app.studio.portraits import PORTRAITS
from app.studio.room import room
from app.studio.scene import FACE_MIDDLE
from media.faces import Face, FaceFinder, Pose, eye_aspect_ratio, head_pose, mouth_opening

WIDTH, HEIGHT = 640, 480
EVERYBODY = pytest.mark.parametrize("name", list(PORTRAITS))


def seen(finder: FaceFinder, name: str, look: Look) -> Face:
    scene = room(WIDTH, HEIGHT, 1).copy()
    framing = Framing(0.8, FACE_MIDDLE, (WIDTH / 2, HEIGHT / 2))
    person, mask = Head(PORTRAITS[name]).draw(look, framing, (WIDTH, HEIGHT))
    blend(scene, person, mask)
    (face,) = finder.find(scene)
    return face


def pose(finder: FaceFinder, name: str, look: Look) -> Pose:
    return head_pose(seen(finder, name, look), WIDTH, HEIGHT)


@EVERYBODY
def test_turns_to_the_persons_own_side(finder: FaceFinder, name: str) -> None:
    rest, left, right = (pose(finder, name, Look(yaw=yaw)).yaw for yaw in (0, TURN_DEGREES, -TURN_DEGREES))
    assert abs(rest) < 6
    assert left - rest >= 18
    assert rest - right >= 18


@EVERYBODY
def test_the_persons_left_is_the_pictures_right(finder: FaceFinder, name: str) -> None:
    nose_tip = 1
    ahead, left = seen(finder, name, Look()), seen(finder, name, Look(yaw=TURN_DEGREES))
    assert left.points[nose_tip, 0] > ahead.points[nose_tip, 0] + 15


@EVERYBODY
def test_nods_both_ways(finder: FaceFinder, name: str) -> None:
    nod_up = PORTRAITS[name].nod_up
    rest, up, down = (pose(finder, name, Look(pitch=p)).pitch for p in (0, nod_up, -NOD_DOWN_DEGREES))
    assert abs(rest) < 20
    assert up - rest >= 11
    assert rest - down >= 11


@EVERYBODY
def test_blinks_and_opens_the_mouth(finder: FaceFinder, name: str) -> None:
    rest = seen(finder, name, Look())
    shut = seen(finder, name, Look(blink=1))
    wide = seen(finder, name, Look(mouth=1))
    assert eye_aspect_ratio(shut) < 0.7 * eye_aspect_ratio(rest)
    assert mouth_opening(wide) > mouth_opening(rest) + 0.17
    assert abs(eye_aspect_ratio(wide) - eye_aspect_ratio(rest)) < 0.06
    assert abs(mouth_opening(shut) - mouth_opening(rest)) < 0.06
