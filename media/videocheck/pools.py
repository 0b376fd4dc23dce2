"""The threads in which frames are looked at, shared by all sessions of a process.

MediaPipe, ONNX Runtime, OpenCV and PyAV let other threads run while they work. A session has at most one
look and one reading under way, so what waits is bounded by the number of sessions.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_YIELDING = 5


class AnalysisPools:
    """`look` follows faces within the guidance delay; `read` does OCR and embeddings behind it."""

    def __init__(self, threads: int) -> None:
        self._looking = ThreadPoolExecutor(threads, thread_name_prefix="look")
        self._reading = ThreadPoolExecutor(threads, thread_name_prefix="read", initializer=_yield_to_looking)

    async def look(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._looking, work)

    async def read(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reading, work)

    def close(self) -> None:
        """Lets work under way finish, drops what waits."""
        for pool in (self._looking, self._reading):
            pool.shutdown(wait=True, cancel_futures=True)


def _yield_to_looking() -> None:
    """On Linux a thread has a priority of its own; a card may take 50 ms longer, guidance may not."""
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _YIELDING)
    except OSError:
        return
