"""The precheck of three captures, from bytes, against the bare OCR and embedding calls that it needs."""

from __future__ import annotations

import asyncio
import statistics
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import rapidocr
from numpy.typing import NDArray

from activation.evidence import CaptureKind
from app.studio import make_applicant
from media.captures import CaptureMeasured, CapturePool, open_engines
from media.faces import Face, open_finder, open_recogniser
from media.images import Photo, decode
from tests.bench import table

THREADS = 1
_ENGINE = {
    "Global.log_level": "critical",
    "EngineConfig.onnxruntime.intra_op_num_threads": THREADS,
    "EngineConfig.onnxruntime.inter_op_num_threads": THREADS,
}
Captures = dict[CaptureKind, bytes]


def captures(seed: int) -> Captures:
    person = make_applicant(seed)
    return {
        CaptureKind.ID_FRONT: person.front_jpeg(),
        CaptureKind.ID_BACK: person.back_jpeg(),
        CaptureKind.HANDHELD: person.handheld_jpeg(),
    }


class BareCalls:
    """The libraries' own calls on decoded pictures: OCR of each, one embedding of each face. Nothing else."""

    def __init__(self, recogniser: str, models: Path) -> None:
        self._ocr = rapidocr.RapidOCR(params=_ENGINE)
        self._finder = open_finder()
        self._recogniser = open_recogniser(recogniser, models)

    def seconds(self, given: Captures) -> float:
        photos = {kind: self._pixels(data) for kind, data in given.items()}
        front, handheld = photos[CaptureKind.ID_FRONT], photos[CaptureKind.HANDHELD]
        faces: list[tuple[NDArray[np.uint8], Face]] = [
            *((front, face) for face in self._finder.find(front)[:1]),
            *((handheld, face) for face in self._finder.find(handheld)[:2]),
        ]
        began = time.perf_counter()
        for photo in photos.values():
            _: Any = self._ocr(photo)
        for photo, face in faces:
            self._recogniser.embed(photo, face)
        return time.perf_counter() - began

    @staticmethod
    def _pixels(data: bytes) -> NDArray[np.uint8]:
        photo = decode(data)
        assert isinstance(photo, Photo)
        return photo.pixels


async def ours(pool: CapturePool, given: Captures) -> float:
    """All three captures one after another, as one phone sends them."""
    today = datetime.now(UTC).date()
    began = time.perf_counter()
    for kind, data in given.items():
        measured = await pool.measure(kind, data, today)
        if not isinstance(measured, CaptureMeasured):
            raise RuntimeError(f"a capture of the bench was refused: {measured}")
    return time.perf_counter() - began


async def run(quick: bool, recogniser: str, models: Path) -> None:
    rounds = 2 if quick else 12
    table.heading(
        f"Precheck of three captures ({recogniser})",
        "Bytes to readings, quality and faces, in a worker process, against the bare RapidOCR call on each\n"
        "decoded picture and the bare embedding calls; one thread each; taken in turns.",
    )
    pool = CapturePool(partial(open_engines, recogniser, models), workers=1)
    await pool.start()
    try:
        bare = await asyncio.to_thread(BareCalls, recogniser, models)
        mine: list[float] = []
        theirs: list[float] = []
        for number in range(rounds + 1):
            given = await asyncio.to_thread(captures, number)
            took = await ours(pool, given), await asyncio.to_thread(bare.seconds, given)
            if number:  # the first round warms both up
                mine.append(took[0] * 1000)
                theirs.append(took[1] * 1000)
    finally:
        await pool.close()
    table.line("median", statistics.median(mine), statistics.median(theirs), "ms", f"n = {rounds}")
