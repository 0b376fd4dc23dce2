"""A recogniser in its own process gives the same embeddings, survives a fault, and ends with its owner."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from activation.evidence import ModelRef
from media.faces import Face
from media.faces.apart import ApartRecogniser, RecogniserFault, cut_around

FACE = Face(np.random.default_rng(1).uniform(200, 300, (478, 3)).astype(np.float32))
PICTURE = np.random.default_rng(2).integers(0, 255, (480, 640, 3)).astype(np.uint8)


class Recorded:
    """Embeds a picture as what it can see of it, so that both ways can be compared; dies where told to."""

    model = ModelRef("recorded", "1", "0" * 64)

    def __init__(self, dies: Path | None = None) -> None:
        self._dies = dies

    def embed(self, bgr: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
        if self._dies is not None and self._dies.exists():
            self._dies.unlink()
            os._exit(1)
        x, y = face.points[:8, 0].astype(int), face.points[:8, 1].astype(int)
        seen = bgr[y, x].astype(np.float32).ravel()
        return np.asarray(seen / np.linalg.norm(seen), np.float32)


def broken() -> Recorded:
    raise FileNotFoundError


def test_it_gives_the_same_embedding() -> None:
    apart = ApartRecogniser(Recorded)
    try:
        assert apart.model == Recorded.model
        assert np.array_equal(apart.embed(PICTURE, FACE), Recorded().embed(PICTURE, FACE))
    finally:
        apart.close()


def test_after_a_fault_another_process_goes_on(tmp_path: Path) -> None:
    apart = ApartRecogniser(partial(Recorded, tmp_path / "die"))
    try:
        (tmp_path / "die").touch()
        with pytest.raises(RecogniserFault):
            apart.embed(PICTURE, FACE)
        assert apart.embed(PICTURE, FACE).shape == (24,)
    finally:
        apart.close()


def test_what_does_not_open_says_so() -> None:
    with pytest.raises(RecogniserFault, match="did not start"):
        ApartRecogniser(broken)


def test_closing_ends_the_process() -> None:
    apart = ApartRecogniser(Recorded)
    assert apart._worker is not None
    process = apart._worker._process
    apart.close()
    assert not process.is_alive()


def test_other_threads_run_while_it_works() -> None:
    apart = ApartRecogniser(Slow)
    try:
        began = time.process_time()
        apart.embed(PICTURE, FACE)
        assert time.process_time() - began < 0.2  # this process only waited
    finally:
        apart.close()


class Slow(Recorded):
    def embed(self, bgr: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
        end = time.process_time() + 0.4
        while time.process_time() < end:
            pass
        return super().embed(bgr, face)


def test_a_face_at_the_edge_stays_inside_what_is_sent() -> None:
    at_edge = FACE.moved(380, 230)
    part, inside = cut_around(PICTURE, at_edge)
    assert part.shape[0] <= 480
    assert part.shape[1] <= 640
    x, y = at_edge.points[0, :2].astype(int)
    moved_x, moved_y = inside.points[0, :2].astype(int)
    if x < 640 and y < 480:
        assert (part[moved_y, moved_x] == PICTURE[y, x]).all()
