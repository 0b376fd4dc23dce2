from __future__ import annotations

import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from media.faces import FaceFinder, eye_aspect_ratio, mouth_opening, open_finder, open_tracker, tesselation
from media.faces.mediapipe_graph import tracker_model
from tests.media.faces import portraits


def test_a_tracker_follows_one_face() -> None:
    tracker = open_tracker()
    faces = [tracker.track(portraits.one(), t) for t in (0, 40, 80)]
    tracker.close()
    assert [len(found) for found in faces] == [1, 1, 1]
    x0, y0, x1, y1 = faces[-1][0].box
    assert (170, 60) < (x0, y0) < (190, 80)
    assert (260, 165) < (x1, y1) < (285, 190)
    assert 0.2 < eye_aspect_ratio(faces[-1][0]) < 0.5
    assert 0.0 < mouth_opening(faces[-1][0]) < 0.3


def test_a_tracker_sees_a_second_face() -> None:
    tracker = open_tracker()
    pair = np.hstack([portraits.one()[0:300, 60:360], portraits.one()[0:300, 60:360]])
    for t in (0, 40, 80):
        faces = tracker.track(pair, t)
    tracker.close()
    assert len(faces) == 2


def test_time_goes_forward() -> None:
    tracker = open_tracker()
    tracker.track(portraits.one(), 100)
    with pytest.raises(ValueError, match="increase"):
        tracker.track(portraits.one(), 100)
    tracker.close()


def test_trackers_in_threads_do_not_disturb_each_other() -> None:
    def follow(shift: int) -> np.ndarray:
        tracker = open_tracker()
        picture = np.roll(portraits.one(), shift, axis=1)
        for t in range(20):
            faces = tracker.track(picture, t * 40)
        tracker.close()
        return faces[0].points

    alone = [follow(shift) for shift in (0, 40, 80)]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(follow, (0, 40, 80)))
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_allclose(a, b, atol=0.01)


def test_nothing_is_said_on_standard_error() -> None:
    program = """
        import numpy as np
        from media.faces import open_finder, open_tracker
        from tests.media.faces import portraits
        tracker = open_tracker()
        assert tracker.track(portraits.one(), 0)
        finder = open_finder()
        assert finder.find(portraits.one())
        tracker.close(), finder.close()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout == ""


def test_what_others_say_meanwhile_is_passed_on() -> None:
    program = """
        import os
        from media.faces.mediapipe_graph import _without_noise
        with _without_noise():
            os.write(2, b"W0000 1 inference_feedback_manager.cc:114] noise\\nthe disk is full\\n")
        os.write(2, b"after\\n")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=100
    )
    assert done.stderr == "the disk is full\nafter\n"


def test_the_finder_finds_everyone(finder: FaceFinder) -> None:
    assert len(finder.find(portraits.one())) == 1
    six = finder.find(portraits.six())
    assert len(six) == 6
    assert [f.size for f in six] == sorted((f.size for f in six), reverse=True)


@pytest.mark.parametrize("face_side", [70, 120, 300])
def test_the_finder_finds_the_portrait_on_a_card(finder: FaceFinder, face_side: int) -> None:
    picture, (x, y) = portraits.card(face_side)
    found = finder.find(picture)
    assert len(found) == 1
    assert found[0].centre == pytest.approx((x, y), abs=0.2 * face_side)


def test_the_finder_finds_a_face_that_fills_the_picture(finder: FaceFinder) -> None:
    assert len(finder.find(portraits.filled())) == 1


def test_a_picture_without_a_face(finder: FaceFinder) -> None:
    assert finder.find(np.full((480, 640, 3), 128, dtype=np.uint8)) == []
    noise = np.random.default_rng(1).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    assert finder.find(noise) == []
    assert finder.find(np.zeros((1, 1, 3), dtype=np.uint8)) == []
    assert finder.find(np.zeros((2000, 3, 3), dtype=np.uint8)) == []


@pytest.mark.parametrize("shape", [(0, 4, 3), (4, 4), (4, 4, 4)])
def test_what_is_no_picture_is_refused(finder: FaceFinder, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="shape"):
        finder.find(np.zeros(shape, dtype=np.uint8))


def test_landmarks_of_finder_and_tracker_agree(finder: FaceFinder) -> None:
    tracker = open_tracker()
    for t in range(5):
        tracked = tracker.track(portraits.one(), t)[0]
    tracker.close()
    found = finder.find(portraits.one())[0]
    apart = np.linalg.norm(found.points[:468, :2] - tracked.points[:468, :2], axis=1)
    assert apart.mean() < 0.03 * found.size


def test_a_finder_serves_several_threads() -> None:
    shared_finder = open_finder()
    with ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(lambda p: len(shared_finder.find(p)), [portraits.one(), portraits.six()] * 3))
    shared_finder.close()
    assert counts == [1, 6] * 3


def test_the_mesh_is_one_surface(finder: FaceFinder) -> None:
    triangles = tesselation()
    assert triangles.shape == (852, 3)
    assert set(triangles.ravel()) == set(range(468))
    edges = [(int(a), int(b)) for t in triangles for a, b in zip(t, np.roll(t, -1), strict=True)]
    assert len(edges) == len(set(edges)), "two triangles run the same way along an edge"
    x, y = finder.find(portraits.one())[0].points[:, :2].T
    a, b, c = triangles.T
    winding = (x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a])
    assert (winding < 0).mean() > 0.95


def test_evidence_names_the_landmark_model() -> None:
    model = tracker_model()
    assert (model.name, model.version) == ("mediapipe_face_mesh", "0.10.21")
    assert len(model.sha256) == 64
