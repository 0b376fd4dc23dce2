"""Programs that the demo starts: each in its own session, with its output in a file, ended with the demo."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

GRACE_SECONDS = 12.0
"""After SIGTERM; then SIGKILL."""

COMMAND_SECONDS = 60.0

_PR_SET_PDEATHSIG = 1


class ProgramEnded(RuntimeError):
    """A program that should run has ended; the text shows the last lines of its output."""


class Programs:
    """Async context manager: whatever was started in it is ended with it, last first."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._environ = dict(environ)
        self._running: list[tuple[str, subprocess.Popen[bytes], Path]] = []

    def start(self, name: str, command: Sequence[str]) -> int:
        """Starts `command` with the demo's environment; its process id."""
        self._folder.mkdir(parents=True, exist_ok=True)
        log = self._folder / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - our own commands
                list(command),
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )
        self._running.append((name, process, log))
        return process.pid

    def check(self) -> None:
        """Raises ProgramEnded if one of them has ended."""
        for name, process, log in self._running:
            if process.poll() is not None:
                raise ProgramEnded(f"{name} ended with status {process.returncode}:\n{last_lines(log)}")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _, process, _ in reversed(self._running):
            await asyncio.shield(asyncio.to_thread(_end, process))


def app_command(*words: str) -> list[str]:
    """`python -m app …` with the interpreter that runs now."""
    return [sys.executable, "-m", "app", *words]


async def run_app(environ: Mapping[str, str], *words: str) -> str:
    """Runs `python -m app …` to its end; what it printed. Raises ProgramEnded where its status is not 0."""
    done = await asyncio.to_thread(
        subprocess.run,
        app_command(*words),
        env=dict(environ),
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    if done.returncode:
        raise ProgramEnded(f"{' '.join(words)} ended with status {done.returncode}: {done.stderr[-500:]}")
    return str(done.stdout)


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def last_lines(log: Path, count: int = 25) -> str:
    with contextlib.suppress(OSError):
        return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
    return ""


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
    # Workers of the program that outlive it are in its session.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _end_with_parent() -> None:
    """The kernel ends the program even if the demo is killed with -9."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
