"""One process that measures captures. Strangers' bytes are decoded only here, where a decoder may die."""

from __future__ import annotations

import ctypes
import multiprocessing
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path

from activation.evidence import CaptureKind
from media.captures.codes import ProcessingRefusal
from media.captures.engines import Engines
from media.captures.measure import DEFAULT_MINIMUM_AGE, measure_capture
from media.captures.measured import CaptureMeasured, CaptureRefused

START_SECONDS = 60.0
"""Longest time in which a worker must have loaded its models."""
STOP_SECONDS = 2.0


_LIBC = ctypes.CDLL(None)


class WorkerFault(Exception):
    """A worker did not start, or measuring raised: something of ours is broken, not the picture."""


@dataclass(frozen=True)
class Request:
    kind: CaptureKind
    data: bytes = field(repr=False)
    today: date
    minimum_age: int = DEFAULT_MINIMUM_AGE


@dataclass(frozen=True)
class Reply:
    """result: None where measuring raised, `fault` then names the exception's type.

    seconds: wall time. rss_mb: the worker's memory afterwards; peak_mb: the most during this capture.
    """

    result: CaptureMeasured | CaptureRefused | None
    seconds: float
    rss_mb: float
    peak_mb: float
    fault: str | None = None


class CaptureWorker:
    """Parent's handle on one worker process. Blocking; one caller at a time."""

    def __init__(self, open_engines: Callable[[], Engines]) -> None:
        """Start the process and wait until its models are loaded. `open_engines` must be picklable."""
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, open_engines), daemon=True)
        self._process.start()
        theirs.close()
        self.calls = 0
        self.rss_mb = 0.0
        try:
            if not self._answers(START_SECONDS):
                raise EOFError
            started: Reply = self._pipe.recv()
        except (EOFError, OSError):  # late, or it died while it loaded
            self.kill()
            raise WorkerFault("the capture worker did not start") from None
        if started.fault is not None:
            self.kill()
            raise WorkerFault(f"the capture worker's models did not load: {started.fault}")
        self.rss_mb = started.rss_mb

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def measure(self, request: Request, seconds: float) -> Reply:
        """Measure one capture. A worker that dies or is late is killed, and that is the refusal."""
        began = time.monotonic()
        self.calls += 1
        try:
            self._pipe.send(request)
            if not self._answers(seconds):
                self.kill()
                return self._lost(request.kind, ProcessingRefusal.TOO_SLOW, began)
            reply: Reply = self._pipe.recv()
        except (EOFError, OSError):
            self.kill()
            return self._lost(request.kind, ProcessingRefusal.BROKE_READER, began)
        self.rss_mb = reply.rss_mb
        return reply

    def _answers(self, seconds: float) -> bool:
        try:
            return self._pipe.poll(seconds)
        except (EOFError, OSError):
            return False

    def _lost(self, kind: CaptureKind, code: ProcessingRefusal, began: float) -> Reply:
        return Reply(CaptureRefused(kind, code), time.monotonic() - began, 0.0, 0.0)

    def close(self) -> None:
        """Let the process end by itself, or else kill it."""
        self._pipe.close()
        self._process.join(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        if self._process.is_alive():
            self._process.kill()
        self._process.join(STOP_SECONDS)
        self._pipe.close()


def _serve(pipe: Connection, open_engines: Callable[[], Engines]) -> None:
    """The worker's life: load, then answer requests until the parent goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    try:
        engines = open_engines()
    except Exception as error:
        pipe.send(Reply(None, 0.0, 0.0, 0.0, fault=type(error).__name__))
        return
    _LIBC.malloc_trim(0)
    pipe.send(Reply(None, 0.0, _memory("VmRSS"), 0.0))
    while True:
        try:
            request: Request = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(_answer(request, engines))


def _answer(request: Request, engines: Engines) -> Reply:
    _forget_peak()
    began = time.perf_counter()
    result: CaptureMeasured | CaptureRefused | None = None
    fault = None
    try:
        result = measure_capture(request.kind, request.data, request.today, engines, request.minimum_age)
    except Exception as error:  # its text may hold what was read, so only its type leaves
        fault = type(error).__name__
    seconds, peak = time.perf_counter() - began, _memory("VmHWM")
    _LIBC.malloc_trim(0)  # give back what the OCR freed: 320 MB instead of 430 between captures
    return Reply(result, seconds, _memory("VmRSS"), peak, fault)


def _forget_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:  # not allowed here: the peak is then that of the process's whole life
        return


def _memory(field_name: str) -> float:
    """A field of Linux's /proc/self/status in megabytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field_name):
            return int(line.split()[1]) / 1024
    return 0.0
