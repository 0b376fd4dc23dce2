"""The pool: bounded, replaces workers that die or are late, never blocks the loop."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from activation.evidence import CaptureKind
from media.captures import (
    CaptureBusy,
    CaptureMeasured,
    CapturePool,
    CaptureRefused,
    Engines,
    ProcessingRefusal,
    WorkerFault,
)
from media.images import ImageRefusal
from tests.media.captures.engines import open_grey_engines
from tests.media.people import TODAY, applicant, jpeg


class StuckReader:
    """Finds text by sleeping, dying or raising."""

    def __init__(self, how: str) -> None:
        self.how = how

    def find(self, bgr: object) -> list[object]:
        if self.how == "sleep":
            time.sleep(60)
        if self.how == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        raise RuntimeError("what was read: somebody")


def open_sleeping() -> Engines:
    return Engines(StuckReader("sleep"), None, None)  # type: ignore[arg-type]


def open_dying() -> Engines:
    return Engines(StuckReader("die"), None, None)  # type: ignore[arg-type]


def open_raising() -> Engines:
    return Engines(StuckReader("raise"), None, None)  # type: ignore[arg-type]


def open_nothing() -> Engines:
    raise FileNotFoundError("no model")


def open_and_die() -> Engines:
    os._exit(1)


@asynccontextmanager
async def pool(opening: Callable[[], Engines], **options: float) -> AsyncIterator[CapturePool]:
    made = CapturePool(opening, **options)  # type: ignore[arg-type]
    await made.start()
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
def scan() -> bytes:
    return jpeg(applicant(1).front[::2, ::2])


async def test_measures_and_refuses() -> None:
    async with pool(open_grey_engines, workers=1) as captures:
        front = await captures.measure(CaptureKind.ID_FRONT, applicant(1).front_jpeg(), TODAY)
        assert isinstance(front, CaptureMeasured)
        assert front.front is not None
        assert front.front.number == applicant(1).applicant.number
        empty = await captures.measure(CaptureKind.ID_FRONT, b"", TODAY)
        assert empty == CaptureRefused(CaptureKind.ID_FRONT, ImageRefusal.EMPTY)
        assert captures.under_way == 0


async def test_a_late_worker_is_killed_and_replaced(scan: bytes) -> None:
    async with pool(open_sleeping, workers=1, seconds=0.5) as captures:
        for _ in range(2):
            late = await captures.measure(CaptureKind.ID_FRONT, scan, TODAY)
            assert late == CaptureRefused(CaptureKind.ID_FRONT, ProcessingRefusal.TOO_SLOW)
        refused = await captures.measure(CaptureKind.ID_FRONT, b"", TODAY)
        assert isinstance(refused, CaptureRefused)
        assert refused.code is ImageRefusal.EMPTY


async def test_a_picture_that_kills_its_worker(scan: bytes) -> None:
    async with pool(open_dying, workers=1) as captures:
        killed = await captures.measure(CaptureKind.ID_FRONT, scan, TODAY)
        assert killed == CaptureRefused(CaptureKind.ID_FRONT, ProcessingRefusal.BROKE_READER)
        refused = await captures.measure(CaptureKind.ID_FRONT, b"", TODAY)
        assert isinstance(refused, CaptureRefused)
        assert refused.code is ImageRefusal.EMPTY


async def test_what_breaks_inside_is_a_fault_without_personal_data(scan: bytes) -> None:
    async with pool(open_raising, workers=1) as captures:
        with pytest.raises(WorkerFault, match="RuntimeError") as fault:
            await captures.measure(CaptureKind.ID_FRONT, scan, TODAY)
        assert "somebody" not in str(fault.value)


async def test_a_full_pool_says_so_at_once(scan: bytes) -> None:
    async with pool(open_sleeping, workers=1, waiting=1, seconds=2.0) as captures:
        running = [asyncio.create_task(captures.measure(CaptureKind.ID_FRONT, scan, TODAY)) for _ in range(2)]
        await asyncio.sleep(0)
        assert isinstance(await captures.measure(CaptureKind.ID_FRONT, scan, TODAY), CaptureBusy)
        assert all(isinstance(each, CaptureRefused) for each in await asyncio.gather(*running))
        assert captures.under_way == 0


async def test_the_loop_goes_on_while_a_worker_works(scan: bytes) -> None:
    async with pool(open_sleeping, workers=1, seconds=0.5) as captures:
        job = asyncio.create_task(captures.measure(CaptureKind.ID_FRONT, scan, TODAY))
        turns = 0
        while not job.done():
            await asyncio.sleep(0.01)
            turns += 1
        assert turns > 10


async def test_models_that_do_not_load() -> None:
    captures = CapturePool(open_nothing, workers=1)
    with pytest.raises(WorkerFault, match="FileNotFoundError"):
        await captures.start()
    await captures.close()


async def test_a_process_that_dies_while_it_loads() -> None:
    captures = CapturePool(open_and_die, workers=1)
    with pytest.raises(WorkerFault, match="did not start"):
        await captures.start()
    for _ in range(2):
        with pytest.raises(WorkerFault, match="did not start"):
            await captures.measure(CaptureKind.ID_FRONT, b"", TODAY)
    await captures.close()


async def test_a_closed_pool() -> None:
    async with pool(open_sleeping, workers=1) as captures:
        pass
    with pytest.raises(WorkerFault):
        await captures.measure(CaptureKind.ID_FRONT, b"", TODAY)


_OPENED = "KAIKA_TEST_OPENED"


def open_one_only() -> Engines:
    """The first process loads; each later one fails."""
    try:
        os.mkdir(os.environ[_OPENED])
    except FileExistsError:
        raise FileNotFoundError("no model") from None
    return Engines(StuckReader("sleep"), None, None)  # type: ignore[arg-type]


async def test_a_start_that_fails_half_way_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(_OPENED, str(tmp_path / "opened"))
    before = set(multiprocessing.active_children())
    captures = CapturePool(open_one_only, workers=2)
    with pytest.raises(WorkerFault, match="FileNotFoundError"):
        await captures.start()
    await captures.close()
    assert set(multiprocessing.active_children()) <= before
