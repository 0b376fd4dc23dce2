"""The threads in which frames are looked at, shared by all sessions of a process.

MediaPipe, ONNX Runtime, OpenCV and PyAV let other threads run while they work. A session has at most one
look and one reading under way, so what waits is bounded by the number of sessions. A thread cannot be ended
from outside: one that does not come back is given up, another takes its place, and it keeps nothing waiting.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from media.videocheck import limits

T = TypeVar("T")

_YIELDING = 5


class Threads:
    """Threads that end when they are given up or closed; daemons, so that none holds up the process's end.

    first: what each does before anything else.
    """

    def __init__(self, count: int, name: str, first: Callable[[], None] = lambda: None) -> None:
        self._name, self._first = name, first
        self._waiting: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lost: set[Future[Any]] = set()
        self._coming_back = threading.Lock()
        self._closed = False
        for _ in range(count):
            self._begin()

    @property
    def lost(self) -> int:
        """Threads given up that have not come back."""
        return len(self._lost)

    def submit(self, work: Callable[[], T]) -> Future[T]:
        if self._closed:
            raise RuntimeError("the threads are closed")
        future: Future[T] = Future()
        self._waiting.put((future, work))
        return future

    def give_up(self, future: Future[Any]) -> None:
        """Nobody waits for `future` any more; a thread that hangs in it is replaced."""
        with self._coming_back:
            if future.cancel() or future.done() or self._closed:
                return
            self._lost.add(future)
        if self.lost <= limits.LOST_THREADS:
            self._begin()

    def close(self, seconds: float) -> None:
        """Drops what waits, lets what is under way finish within `seconds`."""
        self._closed = True
        with suppress(Empty):
            while True:
                item = self._waiting.get_nowait()
                if item is not None:
                    item[0].cancel()
        for _ in self._threads:
            self._waiting.put(None)
        ends = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))

    def _begin(self) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        name = f"{self._name}_{len(self._threads)}"
        thread = threading.Thread(target=self._run, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _run(self) -> None:
        self._first()
        while (item := self._waiting.get()) is not None:
            future, work = item
            if not future.set_running_or_notify_cancel():
                continue
            if self._do(future, work):
                return
            del future, work, item  # a frame is not held until the next one comes

    def _do(self, future: Future[Any], work: Callable[[], Any]) -> bool:
        """Whether the thread was given up meanwhile, and has been replaced."""
        found, fault = None, None
        try:
            found = work()
        except BaseException as raised:
            fault = raised
        with self._coming_back:
            lost = future in self._lost
            self._lost.discard(future)
            if fault is None:
                future.set_result(found)
            else:
                future.set_exception(fault)
        return lost


class AnalysisPools:
    """`look` follows faces within the guidance delay; `read` does OCR and embeddings behind it."""

    def __init__(self, threads: int) -> None:
        self._looking = Threads(threads, "look")
        self._reading = Threads(threads, "read", _yield_to_looking)
        self._under_way: dict[asyncio.Future[Any], tuple[Threads, Future[Any]]] = {}

    @property
    def lost(self) -> int:
        """Threads that do not come back."""
        return self._looking.lost + self._reading.lost

    def look(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return self._begin(self._looking, work)

    def read(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return self._begin(self._reading, work)

    def give_up(self, waited_for: asyncio.Future[Any]) -> None:
        """What `look` or `read` gave is waited for no longer."""
        if (known := self._under_way.get(waited_for)) is not None:
            known[0].give_up(known[1])

    def close(self) -> None:
        """Lets work under way finish for a moment, drops what waits."""
        for pool in (self._looking, self._reading):
            pool.close(limits.THREADS_CLOSING_SECONDS)

    def _begin(self, pool: Threads, work: Callable[[], T]) -> asyncio.Future[T]:
        future = pool.submit(work)
        waited_for = asyncio.wrap_future(future)
        self._under_way[waited_for] = (pool, future)
        waited_for.add_done_callback(lambda done: self._under_way.pop(done, None))
        return waited_for


def _yield_to_looking() -> None:
    """On Linux a thread has a priority of its own; a card may take 50 ms longer, guidance may not."""
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _YIELDING)
    except OSError:
        return
