"""A bounded pool of capture workers for the event loop: waits in threads, works in processes, never grows."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

from activation.evidence import CaptureKind
from media.captures.codes import ProcessingRefusal
from media.captures.engines import Engines
from media.captures.measure import DEFAULT_MINIMUM_AGE
from media.captures.measured import CaptureMeasured, CaptureRefused
from media.captures.worker import CaptureWorker, Reply, Request, WorkerFault

WORKERS = 2
WAITING = 32
"""Captures that may wait for a worker; one more is told to come back later."""
CAPTURE_SECONDS = 20.0
"""A capture takes well under a second; a worker that needs so long is stuck."""
RETRY_AFTER_SECONDS = 5
WORKER_CAPTURES = 200
WORKER_MEGABYTES = 480.0
"""A worker is replaced after so many captures or above so much memory, because the OCR's memory grows."""


@dataclass(frozen=True)
class CaptureBusy:
    """Too many captures are waiting; try again after so many seconds."""

    retry_after: int = RETRY_AFTER_SECONDS


class CapturePool:
    """Measures captures in `workers` processes. Start it before use and close it at the end."""

    def __init__(
        self,
        open_engines: Callable[[], Engines],
        workers: int = WORKERS,
        waiting: int = WAITING,
        seconds: float = CAPTURE_SECONDS,
    ) -> None:
        """`open_engines` is called in each worker and must be picklable, e.g. a `functools.partial`."""
        self._open_engines = open_engines
        self._workers = workers
        self._limit = workers + waiting
        self._seconds = seconds
        # One thread waits for each worker. None in its place: it did not start, the next call tries again.
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="captures")
        self._idle: queue.SimpleQueue[CaptureWorker | None] = queue.SimpleQueue()
        self._count = threading.Lock()
        self._under_way = 0
        self._closed = False

    async def start(self) -> None:
        """Start all workers and load their models. Raises WorkerFault where that fails."""
        loop = asyncio.get_running_loop()
        starts = (loop.run_in_executor(self._threads, self._fill) for _ in range(self._workers))
        await asyncio.gather(*starts)

    async def measure(
        self, kind: CaptureKind, data: bytes, today: date, minimum_age: int = DEFAULT_MINIMUM_AGE
    ) -> CaptureMeasured | CaptureRefused | CaptureBusy:
        """Measure one capture, see `measure_capture`. Raises WorkerFault where what is ours is broken."""
        with self._count:
            if self._closed:
                raise WorkerFault("the capture pool is closed")
            if self._under_way >= self._limit:
                return CaptureBusy()
            self._under_way += 1
            job = self._threads.submit(self._run, Request(kind, data, today, minimum_age))
        job.add_done_callback(self._finished)
        reply = await asyncio.wrap_future(job)
        if reply.result is None:
            raise WorkerFault(f"measuring a capture raised {reply.fault}")
        return reply.result

    async def close(self) -> None:
        """Refuse new captures, let the running ones end, stop all workers."""
        with self._count:
            self._closed = True
        await asyncio.to_thread(self._stop)

    @property
    def under_way(self) -> int:
        """Captures running or waiting now."""
        return self._under_way

    def _finished(self, _: Future[Reply]) -> None:
        with self._count:
            self._under_way -= 1

    def _run(self, request: Request) -> Reply:
        """In a thread: lease a worker, measure, give it back or have it replaced."""
        worker = self._idle.get()
        try:
            worker = worker or self._fresh()
            reply = worker.measure(request, self._seconds)
            if _broke(reply):  # perhaps not this picture's fault: once more in a fresh process
                worker = self._fresh()
                reply = worker.measure(request, self._seconds)
            return reply
        finally:
            self._give_back(worker)

    def _give_back(self, worker: CaptureWorker | None) -> None:
        if worker is not None and worker.alive and not _worn(worker):
            self._idle.put(worker)
            return
        if worker is not None:
            worker.kill()
        # The place is free at once, so that a capture already waiting fills it itself; else `_warm` does.
        self._idle.put(None)
        with self._count:
            if not self._closed:
                self._threads.submit(self._warm)

    def _warm(self) -> None:
        """Fill one empty place before the next capture comes."""
        try:
            worker = self._idle.get_nowait()
        except queue.Empty:
            return
        if worker is not None:
            self._idle.put(worker)
            return
        with contextlib.suppress(WorkerFault):
            self._fill()

    def _fill(self) -> None:
        """Put a fresh worker into an empty place; where it does not start, the place stays empty."""
        worker = None
        try:
            worker = self._fresh()
        finally:
            self._idle.put(worker)

    def _fresh(self) -> CaptureWorker:
        return CaptureWorker(self._open_engines)

    def _stop(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        while not self._idle.empty():
            worker = self._idle.get()
            if worker is not None:
                worker.close()


def _broke(reply: Reply) -> bool:
    return isinstance(reply.result, CaptureRefused) and reply.result.code is ProcessingRefusal.BROKE_READER


def _worn(worker: CaptureWorker) -> bool:
    return worker.calls >= WORKER_CAPTURES or worker.rss_mb > WORKER_MEGABYTES
