"""Every file of a folder through the capture path, with its time and memory, hostile files too."""

from __future__ import annotations

import json
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from activation.evidence import CaptureKind
from media.captures.engines import Engines
from media.captures.measured import CaptureRefused
from media.captures.worker import CaptureWorker, Reply, Request
from media.images import MAX_BYTES

SECONDS_ALLOWED = 3.0
MEGABYTES_ALLOWED = 600.0
WORKER_SECONDS = 30.0
"""After so long a file's worker is killed and the file is recorded as too slow."""
_KINDS = {
    "back": CaptureKind.ID_BACK,
    "handheld": CaptureKind.HANDHELD,
    "selfie": CaptureKind.HANDHELD,
}
_PROGRESS_EVERY = 10


@dataclass(frozen=True)
class FileMeasured:
    """One file. result: "accepted", the refusal's code, or "fault:" and what broke; peak: of its worker."""

    file: str
    kind: str
    result: str
    seconds: float
    peak_rss_mb: float

    @property
    def within_limits(self) -> bool:
        fault = self.result.startswith("fault:")
        return not fault and self.seconds <= SECONDS_ALLOWED and self.peak_rss_mb <= MEGABYTES_ALLOWED


def evaluate_captures(folder: Path, out: Path, engines: Callable[[], Engines]) -> bool:
    """Measure every file in `folder`, write a JSON report to `out`, tell progress on stderr.

    engines: picklable, called in each worker process. True: no fault, and all files within the limits.
    """
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    measured: list[FileMeasured] = []
    for each in _measured(paths, engines):
        measured.append(each)
        if len(measured) % _PROGRESS_EVERY == 0 or len(measured) == len(paths):
            print(f"{len(measured)} of {len(paths)} files, last {each.file}: {each.result}", file=sys.stderr)
    out.write_text(
        json.dumps(_report(folder, measured), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    return all(each.within_limits for each in measured)


def _measured(paths: list[Path], engines: Callable[[], Engines]) -> Iterator[FileMeasured]:
    worker: CaptureWorker | None = None
    try:
        for path in paths:
            if worker is None or not worker.alive:
                worker = CaptureWorker(engines)
            yield _measure(path, worker)
    finally:
        if worker is not None:
            worker.close()


def _measure(path: Path, worker: CaptureWorker) -> FileMeasured:
    kind = next((kind for word, kind in _KINDS.items() if word in path.stem.lower()), CaptureKind.ID_FRONT)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        return FileMeasured(path.name, kind.value, f"fault:{type(error).__name__}", 0.0, 0.0)
    reply = worker.measure(Request(kind, data, datetime.now(UTC).date()), WORKER_SECONDS)
    return FileMeasured(
        path.name, kind.value, _result(reply), round(reply.seconds, 3), round(reply.peak_mb, 1)
    )


def _result(reply: Reply) -> str:
    if reply.result is None:
        return f"fault:{reply.fault}"
    return reply.result.code.value if isinstance(reply.result, CaptureRefused) else "accepted"


def _report(folder: Path, measured: list[FileMeasured]) -> dict[str, object]:
    return {
        "folder": folder.name,
        "limits": {"seconds": SECONDS_ALLOWED, "peak_rss_mb": MEGABYTES_ALLOWED},
        "totals": {
            "files": len(measured),
            "results": dict(Counter(each.result for each in measured).most_common()),
            "seconds_median": statistics.median(each.seconds for each in measured) if measured else 0.0,
            "seconds_max": max((each.seconds for each in measured), default=0.0),
            "peak_rss_mb_max": max((each.peak_rss_mb for each in measured), default=0.0),
            "over_limits": [each.file for each in measured if not each.within_limits],
        },
        "files": [asdict(each) for each in measured],
    }
