"""See the package."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.fuzz.cases import ENDS_TOKENS, Operation, Tally, fuzz, operations
from tests.fuzz.place import FuzzPlace, fuzz_place

CASES = 10_000
STOPS_OTHERS = ("hold", "incident")


def comes_late(operation: Operation) -> int:
    """What stops others comes last, and signing out before holds: under a hold nobody signs in again."""
    if operation.path == ENDS_TOKENS:
        return 1
    return 2 if any(word in operation.path for word in STOPS_OTHERS) else 0


def run(place: FuzzPlace, cases: int, start: int, tally: Tally) -> None:
    """At least `cases` cases, spread evenly; what stops others (a hold, signing out) comes last."""
    found = operations(place.document, place.base)
    last = sorted((each for each in found if comes_late(each)), key=comes_late)
    first = [each for each in found if not comes_late(each)]
    each = max(2, cases // (len(found) * len(place.callers)))
    wanted = cases - each * len(last) * len(place.callers)
    while tally.cases < wanted:
        for operation, caller in itertools.product(first, place.callers):
            fuzz(operation, caller, place.objects, each, start + tally.cases, tally)
    for operation, caller in itertools.product(last, place.callers):
        fuzz(operation, caller, place.objects, each, start, tally)


async def main(cases: int, start: int) -> int:
    tally, began = Tally(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        async with fuzz_place(Path(folder), deep=True) as place:
            await asyncio.to_thread(run, place, cases, start, tally)
        told = faults_told(Path(folder))
    seconds = time.monotonic() - began
    print(f"\n{tally.cases} cases in {seconds:.0f} s, answers: {dict(sorted(tally.statuses.items()))}")
    for where, what in tally.faults.items():
        print(f"\n== {where}\n{what}")
    for line in told:
        print(f"\nthe server says: {line}")
    for role, seen in by_role(tally).items():
        print(f"{role:<10} {dict(sorted(seen.items()))}")
    never = [where for where, seen in tally.reached.items() if not any(status < 400 for status in seen)]
    print(f"\n{len(tally.faults)} faults; {len(never)} of {len(tally.reached)} pairs never succeeded")
    return 1 if tally.faults else 0


def by_role(tally: Tally) -> dict[str, Counter[int]]:
    """Answers that each role got."""
    found: dict[str, Counter[int]] = {}
    for where, seen in tally.reached.items():
        found.setdefault(where.rpartition(" ")[2], Counter()).update(seen)
    return found


def faults_told(folder: Path) -> list[str]:
    """What the server wrote down of its faults: shapes, nothing of what was asked."""
    shapes: dict[str, None] = {}
    for log in folder.glob("*/logs/server.log"):
        for line in log.read_text().splitlines():
            if '"event": "fault"' in line:
                entry = json.loads(line)
                shapes[f"{entry.get('route')}: {entry.get('error')}"] = None
    return list(shapes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.exit(asyncio.run(main(given.cases, given.seed)))
