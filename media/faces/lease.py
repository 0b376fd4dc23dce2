"""Lends out a few copies of something that only one thread may use at a time."""

from __future__ import annotations

import queue
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")
LONGEST_WAIT_S = 30.0


class AllTaken(RuntimeError):
    """Nobody gave a copy back for `LONGEST_WAIT_S`: the machine is overloaded."""


class Lease(Generic[T]):
    """`with lease.take() as copy:` waits its turn. Thread-safe."""

    def __init__(self, copies: Iterable[T]) -> None:
        self._free: queue.LifoQueue[T] = queue.LifoQueue()
        for copy in copies:
            self._free.put(copy)

    @contextmanager
    def take(self) -> Iterator[T]:
        try:
            copy = self._free.get(timeout=LONGEST_WAIT_S)
        except queue.Empty:
            raise AllTaken("no recogniser became free in time") from None
        try:
            yield copy
        finally:
            self._free.put(copy)
