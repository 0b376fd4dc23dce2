from collections.abc import Mapping
from pathlib import Path

import cv2
import pytest

from app.studio import FilmTiming, LiveScene, film, make_applicant
from app.studio.film import MJPEG_FPS, USUAL_TIMING, moment_of_film
from app.studio.performance import AT_REST, Showing
from app.studio.pixels import Image
from media.liveness import Movement
from tests.app.studio.performing import check, script_of

SMALL = (160, 120)
SHORT = FilmTiming(lead_in=0.2, per_movement=0.4, document=0.2, sim=0.2)
MOVEMENTS = (Movement.OPEN_MOUTH, Movement.TURN_RIGHT, Movement.NOD_UP)


def test_y4m_has_every_frame(tmp_path: Path) -> None:
    path = tmp_path / "check.y4m"
    seconds = film(LiveScene(make_applicant(2), SMALL), MOVEMENTS[:1], path, SHORT, fps=10)
    data = path.read_bytes()
    header, frames = data.split(b"\n", 1)
    assert header == b"YUV4MPEG2 W160 H120 F10:1 Ip A1:1 C420jpeg"
    assert len(frames) == round(seconds * 10) * (len(b"FRAME\n") + 160 * 120 * 3 // 2)


def test_mjpeg_can_be_played(tmp_path: Path) -> None:
    path = tmp_path / "check.mjpeg"
    seconds = film(LiveScene(make_applicant(2), SMALL), MOVEMENTS[:1], path, SHORT)
    video = cv2.VideoCapture(str(path))
    count = 0
    while video.read()[0]:
        count += 1
    assert count == round(seconds * MJPEG_FPS)


@pytest.mark.parametrize(("name", "fps"), [("a.mp4", 30), ("a.mjpeg", 15)])
def test_other_files_are_refused(tmp_path: Path, name: str, fps: int) -> None:
    with pytest.raises(ValueError, match="film"):
        film(LiveScene(make_applicant(2), SMALL), MOVEMENTS, tmp_path / name, SHORT, fps)


def test_films_longer_than_a_check_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="three minutes"):
        film(LiveScene(make_applicant(2), SMALL), MOVEMENTS, tmp_path / "a.y4m", FilmTiming(sim=400.0), 1)


def test_the_film_has_movements_then_documents() -> None:
    timing = USUAL_TIMING
    assert moment_of_film(0, MOVEMENTS, timing, 18) == AT_REST
    assert moment_of_film(timing.lead_in + 0.8, MOVEMENTS, timing, 18).look.mouth > 0.9
    end = timing.lead_in + 3 * timing.per_movement
    assert moment_of_film(end + 3, MOVEMENTS, timing, 18).showing is Showing.ID_FRONT
    assert moment_of_film(timing.length(3) - 1, MOVEMENTS, timing, 18).showing is Showing.SIM


class Projector:
    """Shows the film at the usual times to whoever looks."""

    size = (640, 480)

    def __init__(self) -> None:
        self._scene = LiveScene(make_applicant(2))

    def hear(self, message: Mapping[str, object]) -> None:
        return None

    def frame(self, t_ms: int) -> Image | None:
        moment = moment_of_film(t_ms / 1000, MOVEMENTS, USUAL_TIMING, self._scene.nod_up)
        return self._scene.frame(t_ms / 1000, moment)


@pytest.mark.parametrize("connecting_ms", [0, 4500])
def test_the_film_answers_its_script_however_long_the_connection_took(connecting_ms: int) -> None:
    assert check(Projector(), script_of(*MOVEMENTS), connecting_ms).finished
