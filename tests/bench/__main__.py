"""`python -m tests.bench [--quick] [--only PART] [--recogniser NAME] [--models DIR]`."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
from collections.abc import Callable, Coroutine
from pathlib import Path

from tests.bench import api, audit, last_fact, precheck, streams

PARTS: dict[str, Callable[[bool, str, Path], Coroutine[None, None, None]]] = {
    "streams": streams.run,
    "precheck": precheck.run,
    "api": api.run,
    "last-fact": last_fact.run,
    "audit": audit.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--quick", action="store_true", help="few and short, to see that everything runs")
    parser.add_argument("--only", choices=PARTS, action="append", help="one part; may be repeated")
    parser.add_argument("--recogniser", default="dlib")
    parser.add_argument("--models", type=Path, default=Path("data/models"))
    chosen = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for part in chosen.only or PARTS:
        asyncio.run(PARTS[part](chosen.quick, chosen.recogniser, chosen.models))


if __name__ == "__main__":
    main()
