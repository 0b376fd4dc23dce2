"""What the demo prints: numbered steps with their times, a line while waiting, and the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_WIDTH = 32


class Telling:
    """Prints to standard output; progress that is written over only where a person looks."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._number = 0
        self._live = sys.stdout.isatty()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """A numbered step; its seconds are printed when it is done."""
        self._number += 1
        began = time.monotonic()
        print(f"\n[{began - self._began:6.1f} s] {self._number}. {title}", flush=True)
        yield
        took = time.monotonic() - began
        self.say("took", f"{took:.1f} s" if took >= 1 else f"{took * 1000:.0f} ms")

    def say(self, what: str, value: object) -> None:
        """One fact of the step."""
        self._clear()
        print(f"    {what:<{_WIDTH}} {value}", flush=True)

    def waiting(self, what: str, since: float) -> None:
        """What is being waited for; overwritten by the next line."""
        if self._live:
            print(f"\r\033[K    … {what} ({time.monotonic() - since:.0f} s)", end="", flush=True)

    def bar(self, what: str, fraction: float, note: str = "") -> None:
        """Progress of a movement, 0 to 1; overwritten by the next line."""
        if self._live:
            done = round(20 * min(1.0, max(0.0, fraction)))
            print(
                f"\r\033[K    {what:<{_WIDTH}} [{'█' * done}{'·' * (20 - done)}] {note}", end="", flush=True
            )

    def end(self, line: str) -> None:
        """The last line."""
        self._clear()
        print(f"\n[{time.monotonic() - self._began:6.1f} s] end", flush=True)
        print(line, flush=True)

    def _clear(self) -> None:
        if self._live:
            print("\r\033[K", end="")
