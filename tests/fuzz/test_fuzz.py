"""A small part of `python -m tests.fuzz`: every operation, asked by those who may, on a real server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fuzz.__main__ import comes_late, faults_told
from tests.fuzz.callers import FuzzCaller
from tests.fuzz.cases import Operation, Tally, fuzz, operations
from tests.fuzz.place import FuzzPlace, fuzz_place

CASES = 6


def _may(operation: Operation, caller: FuzzCaller) -> bool:
    """As the description says."""
    security = operation.definition.raw.get("security", [])
    roles = {role for each in security for role in each.get("bearer", [])}
    return caller.role in (roles or {"anyone"})


def _run(place: FuzzPlace, tally: Tally) -> None:
    found = operations(place.document, place.base)
    found.sort(key=comes_late)
    for operation in found:
        for caller in place.callers:
            if _may(operation, caller):
                fuzz(operation, caller, place.objects, CASES, 7, tally)


@pytest.mark.slow
async def test_no_answer_is_a_server_error_or_differs_from_the_description(tmp_path: Path) -> None:
    tally = Tally()
    async with fuzz_place(tmp_path, deep=False) as place:
        await asyncio.to_thread(_run, place, tally)
    assert tally.faults == {}, faults_told(tmp_path)
    assert tally.cases >= 2 * len(operations(place.document, place.base)) - 20
    assert tally.statuses[200] > 20
    assert tally.statuses[422] > 20
