"""A few threads for calls that block, with a limit to how many may wait for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
K = TypeVar("K")


class BoundedThreads:
    """`threads` calls run, `calls` in all may run or wait; one more raises `busy`. Close it, or they stay.

    streams: how many of `stream` at once; counted for themselves, since a slow reader keeps one for long,
    but a thread only while a chunk is made.
    """

    def __init__(
        self, name: str, threads: int, calls: int, busy: type[Exception], *, streams: int = 0
    ) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._room = threading.BoundedSemaphore(calls)
        self._streams = threading.Semaphore(streams)
        self._busy = busy

    async def run(self, work: Callable[[], T]) -> T:
        return await self.run_after(_nothing, lambda _: work())

    async def run_after(self, first: Callable[[], Awaitable[K]], work: Callable[[K], T]) -> T:
        """`work` with what `first` gives on the event loop; the place is taken before `first`."""
        self._take(self._room)
        try:
            given = await first()
            running = self._pool.submit(work, given)
        except BaseException:
            self._room.release()
            raise
        # Whoever waits may be cancelled; the place is free only when the thread is.
        running.add_done_callback(lambda _: self._room.release())
        return await asyncio.wrap_future(running)

    async def stream(
        self, first: Callable[[], Awaitable[K]], chunks: Callable[[K], Iterator[bytes]]
    ) -> AsyncGenerator[bytes, None]:
        """The chunks, each made in a thread when it is asked for."""
        self._take(self._streams)
        try:
            source = _Source(chunks(await first()))
            try:
                while (chunk := await asyncio.wrap_future(self._pool.submit(source.next))) is not None:
                    yield chunk
            finally:
                await asyncio.shield(asyncio.wrap_future(self._pool.submit(source.close)))
        finally:
            self._streams.release()

    def close(self) -> None:
        """Waits for calls that run."""
        self._pool.shutdown(wait=True)

    def _take(self, places: threading.Semaphore) -> None:
        if not places.acquire(blocking=False):
            raise self._busy("too many calls wait")


class _Source:
    """An iterator that one thread at a time moves on or closes: a cancelled reader closes it in the midst."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._alone = threading.Lock()

    def next(self) -> bytes | None:
        with self._alone:
            return next(self._chunks, None)

    def close(self) -> None:
        with self._alone:
            close: Callable[[], None] | None = getattr(self._chunks, "close", None)
            if close is not None:
                close()


async def _nothing() -> None:
    return None
