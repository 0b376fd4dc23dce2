"""A recogniser in a process of its own, for one whose library holds the interpreter while it works.

dlib computes 56 ms for one face without letting another thread run, so in the server's process every
embedding would stop the event loop and all video checks for as long.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection

import numpy as np
from numpy.typing import NDArray

from activation.evidence import ModelRef
from media.faces.face import Face, Recogniser

START_SECONDS = 60.0
EMBED_SECONDS = 20.0
STOP_SECONDS = 2.0
YIELDING = 5
"""An embedding may take 50 ms longer; guidance, which follows the face in the other process, may not."""
ROOM = 0.8
"""Room kept around the face, as a share of its diagonal; what the recogniser cuts out lies inside."""

Question = tuple[NDArray[np.uint8], NDArray[np.float32]]


class RecogniserFault(RuntimeError):
    """The process did not start, died or was late. The next call starts another one."""


class ApartRecogniser:
    """`Recogniser` whose process is started at once and again after a fault. Close it at the end."""

    def __init__(self, open_recogniser: Callable[[], Recogniser]) -> None:
        """`open_recogniser` is called in the process and must be picklable. Raises RecogniserFault."""
        self._open = open_recogniser
        self._one_at_a_time = threading.Lock()
        self._worker: _Worker | None = _Worker(open_recogniser)
        self._model = self._worker.model

    @property
    def model(self) -> ModelRef:
        return self._model

    def embed(self, bgr: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
        part, inside = cut_around(bgr, face)
        with self._one_at_a_time:
            worker = self._worker or _Worker(self._open)
            self._worker = None
            embedding = worker.ask((part, inside.points))
            self._worker = worker
        return embedding

    def close(self) -> None:
        with self._one_at_a_time:
            if self._worker is not None:
                self._worker.end()
            self._worker = None


def cut_around(bgr: NDArray[np.uint8], face: Face) -> tuple[NDArray[np.uint8], Face]:
    """The part of the picture around a face, and the face in it; less to send than a whole frame."""
    height, width = bgr.shape[:2]
    x0, y0, x1, y1 = face.box
    room = ROOM * face.size
    left, top = max(0, int(x0 - room)), max(0, int(y0 - room))
    right, bottom = min(width, int(x1 + room) + 1), min(height, int(y1 + room) + 1)
    if right <= left or bottom <= top:
        return bgr, face
    return np.ascontiguousarray(bgr[top:bottom, left:right]), face.moved(-left, -top)


class _Worker:
    def __init__(self, open_recogniser: Callable[[], Recogniser]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, open_recogniser), daemon=True)
        self._process.start()
        theirs.close()
        started = self._receive(START_SECONDS)
        if not isinstance(started, ModelRef):
            self.end()
            raise RecogniserFault("the recogniser's process did not start")
        self.model = started

    def ask(self, question: Question) -> NDArray[np.float32]:
        """Raises RecogniserFault, after which this worker is gone."""
        try:
            self._pipe.send(question)
        except OSError:
            self.end()
            raise RecogniserFault("the recogniser's process is gone") from None
        answer = self._receive(EMBED_SECONDS)
        if isinstance(answer, np.ndarray):
            return answer
        self.end()
        raise RecogniserFault("the recogniser's process died, was late or could not embed")

    def end(self) -> None:
        self._pipe.close()
        self._process.join(STOP_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(STOP_SECONDS)

    def _receive(self, seconds: float) -> object:
        """None where nothing came in time, or nothing will come."""
        with suppress(EOFError, OSError):
            if self._pipe.poll(seconds):
                return self._pipe.recv()
        return None


def _serve(pipe: Connection, open_recogniser: Callable[[], Recogniser]) -> None:
    """The process's life: load, then embed until the parent goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    with suppress(OSError):
        os.nice(YIELDING)
    recogniser = open_recogniser()
    pipe.send(recogniser.model)
    while True:
        try:
            bgr, points = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(recogniser.embed(bgr, Face(points)))
