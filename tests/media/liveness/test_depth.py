from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from media.faces import Face, FaceTracker, open_tracker
from media.liveness.depth import plane_residual, squeeze_angle
from media.liveness.script import Movement, Script
from media.liveness.view import Stage
from tests.media.faces import portraits
from tests.media.liveness.heads import Gesture, face
from tests.media.liveness.performing import REST, Player

FLAT_BELOW = 0.018
HEAD_ABOVE = 0.025
TURNS = [Gesture(yaw=20), Gesture(yaw=-25), Gesture(pitch=15), Gesture(pitch=-15), Gesture(yaw=15, pitch=10)]


def _flat(gesture: Gesture) -> np.ndarray:
    return face(gesture).points[:, :2].astype(np.float64)


@pytest.mark.parametrize("turned", TURNS)
def test_a_head_fits_no_plane(turned: Gesture) -> None:
    assert plane_residual(_flat(REST), _flat(turned)) > HEAD_ABOVE


@pytest.mark.parametrize("turned", [*TURNS, Gesture(yaw=45), Gesture(yaw=-40, pitch=20)])
def test_a_picture_of_a_head_fits_one(turned: Gesture) -> None:
    flat = dataclasses.replace(turned, flat=True)
    assert plane_residual(_flat(dataclasses.replace(REST, flat=True)), _flat(flat)) < 1e-4


@pytest.mark.parametrize("same", [Gesture(near=1.5), Gesture(x=10), Gesture(mouth=1), Gesture(eyes=0.2)])
def test_what_is_no_rotation_is_not_taken_for_one(same: Gesture) -> None:
    assert squeeze_angle(_flat(REST), _flat(same)) < 20
    assert plane_residual(_flat(REST), _flat(same)) < 0.012


def test_a_tilted_plane_is_squeezed_as_far_as_it_is_tilted() -> None:
    flat = dataclasses.replace(REST, flat=True)
    for tilt in (20, 30, 40):
        seen = squeeze_angle(_flat(flat), _flat(Gesture(yaw=tilt, flat=True)))
        assert seen == pytest.approx(tilt, abs=8)


def test_points_without_a_plane_measure_nothing() -> None:
    nowhere = np.zeros((478, 2))
    assert plane_residual(nowhere, nowhere) == 0.0
    assert squeeze_angle(nowhere, nowhere) == 0.0


@pytest.mark.parametrize("movement", [Movement.TURN_LEFT, Movement.NOD_UP, Movement.NOD_DOWN])
def test_the_challenge_measures_depth_on_turns_and_nods(movement: Movement) -> None:
    player = Player(Script("n", (movement,), (400,)))
    player.rest_until(Stage.MOVEMENT)
    player.perform(movement)
    depth = player.tracker.measured().depth
    assert depth.residual is not None
    assert depth.residual > HEAD_ABOVE
    assert depth.frames >= 2


def test_one_frame_from_an_angle_is_no_depth() -> None:
    player = Player(Script("n", (Movement.TURN_LEFT,), (400,)))
    player.rest_until(Stage.MOVEMENT)
    player.show(Gesture(yaw=26))
    player.hold(REST, 300)
    assert player.tracker.measured().depth.residual is None
    player.show(Gesture(yaw=26))
    assert player.tracker.measured().depth.residual is not None


def test_of_two_frames_the_flatter_one_counts() -> None:
    """One misplaced nose does not make a picture a head."""
    flat = [face(Gesture(yaw=30, flat=True)), face(Gesture(yaw=32))]
    player = Player(
        Script("n", (Movement.TURN_LEFT,), (400,)),
        lambda gesture: [face(gesture)] if gesture.flat else [flat.pop()],
    )
    player.rest_until(Stage.MOVEMENT, gesture=dataclasses.replace(REST, flat=True))
    player.show(Gesture())
    player.show(Gesture())
    residual = player.tracker.measured().depth.residual
    assert residual is not None
    assert residual < FLAT_BELOW


def test_without_a_rotation_there_is_no_depth() -> None:
    player = Player(Script("n", (Movement.OPEN_MOUTH,), (400,)))
    player.rest_until(Stage.MOVEMENT)
    player.perform(Movement.OPEN_MOUTH)
    assert player.tracker.measured().depth.residual is None


def test_a_flat_picture_neither_turns_nor_has_depth() -> None:
    player = Player(Script("n", (Movement.TURN_LEFT,), (400,)))
    flat = dataclasses.replace(REST, flat=True)
    player.rest_until(Stage.MOVEMENT, gesture=flat)
    for yaw in (*range(0, 45, 3), *range(45, 0, -3)):
        player.show(Gesture(yaw=yaw, flat=True))
    measured = player.tracker.measured()
    assert not measured.movements[0].done
    assert measured.depth.residual is not None
    assert measured.depth.residual < 0.005


def _print_at(picture: np.ndarray, tilt: float) -> np.ndarray:
    """A photograph held up and tilted by degrees around its upright axis, seen by a noisy camera."""
    height, width = picture.shape[:2]
    corners = np.array([[-width, -height], [width, -height], [width, height], [-width, height]]) / 2
    turn = np.radians(tilt)
    x, z = corners[:, 0] * np.cos(turn), 2 * width - corners[:, 0] * np.sin(turn)
    seen = np.stack([x, corners[:, 1]], axis=1) / z[:, None] * 2 * width * 1.2 + (320, 240)
    source = (corners + np.array([width, height]) / 2).astype(np.float32)
    move = cv2.getPerspectiveTransform(source, seen.astype(np.float32))
    shown = cv2.warpPerspective(picture, move, (640, 480), borderValue=(90, 100, 110)).astype(np.float64)
    noise = np.random.default_rng(int(tilt * 10) + 1000).normal(0, 3, shown.shape)
    return np.clip(shown + noise, 0, 255).astype(np.uint8)


def _tracked(tracker: FaceTracker, frame: np.ndarray, t_ms: int) -> Face:
    faces = tracker.track(frame, t_ms)
    assert len(faces) == 1
    return faces[0]


def test_a_printed_photo_is_flat_through_mediapipe() -> None:
    """The real landmark model on a tilted photograph; MediaPipe's own z would call it a head."""
    picture = portraits.one()[0:300, 60:400]
    tracker = open_tracker(1)
    for number in range(10):
        frontal = _tracked(tracker, _print_at(picture, 0), number * 40)
    residuals = []
    for number, tilt in enumerate((*range(0, 40, 2), *range(38, -40, -2)), 10):
        seen = _tracked(tracker, _print_at(picture, tilt), number * 40)
        if abs(tilt) >= 25:
            residuals.append(
                plane_residual(
                    frontal.points[:, :2].astype(np.float64), seen.points[:, :2].astype(np.float64)
                )
            )
    tracker.close()
    assert np.ptp(seen.points[:468, 2]) > 30, "the z that must not be trusted"
    assert np.median(residuals) < FLAT_BELOW
