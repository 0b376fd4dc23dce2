"""An export proves itself without the database, and whatever was changed in it is found."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from activation.adapters.sql.audit import link
from activation.adapters.sql.engine import open_engine, open_readers, open_sessions
from app.compliance.audit import exporting
from app.compliance.audit.checkpoints import Checkpoints
from app.compliance.audit.exported import NotAnExport, verify_export
from app.compliance.audit.exporting import export, span
from app.compliance.audit.signed import public_pem
from tests.app.compliance.audit.trail import KEY, KEYS, Sessions, furnish

PEM = public_pem(KEY.public_key())


@pytest.fixture
async def on_sqlite(sqlite_url: str) -> AsyncIterator[tuple[Sessions, Sessions]]:
    engine = open_engine(sqlite_url)
    yield open_sessions(engine), open_readers(engine)
    await engine.dispose()


async def _lines(readers: Sessions, after: int, to: int) -> list[str]:
    async with readers() as session:
        return [line async for line in export(session, after, to, PEM)]


async def test_an_export_is_sound_from_the_start_and_from_a_later_checkpoint(
    sessions: Sessions, readers: Sessions
) -> None:
    await furnish(sessions, readers)
    await Checkpoints(sessions, readers, KEY).take()
    whole, later = await _lines(readers, 0, 3), await _lines(readers, 1, 3)
    verified = verify_export(whole, KEYS)
    assert [str(fault) for fault in verified.faults] == []
    assert verified.checkpoints == 3
    assert verified.entries > 60
    partly = verify_export(later, KEYS)
    assert [str(fault) for fault in partly.faults] == []
    assert 0 < partly.entries < verified.entries
    assert verify_export(whole, {}).faults != []


async def test_a_chain_with_any_number_of_heads_is_sound(
    on_sqlite: tuple[Sessions, Sessions], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chain of checkpoints gets a head with each of them."""
    sessions, readers = on_sqlite
    monkeypatch.setattr(exporting, "HEADS_IN_LINE", 2)
    for _ in range(8):
        await Checkpoints(sessions, readers, KEY).take()
    lines = await _lines(readers, 0, 8)
    assert [str(fault) for fault in verify_export(lines, KEYS).faults] == []
    parts = [json.loads(line)["heads"] for line in lines if '"heads"' in line]
    assert [len(part) for part in parts] == [2, 2, 2, 1]
    [first] = [at for at, line in enumerate(lines) if line.startswith('{"heads"')][:1]
    for forged in ([*lines[:first], *lines[first + 1 :]], [*lines[:-1], lines[first], lines[-1]]):
        assert verify_export(forged, KEYS).faults != []


async def test_every_change_of_a_file_is_found(
    on_sqlite: tuple[Sessions, Sessions], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "HEADS_IN_LINE", 1)
    sessions, readers = on_sqlite
    await furnish(sessions, readers, 3)
    whole = await _lines(readers, 0, 2)
    dice, missed = random.Random(3), []
    for _ in range(400):
        lines, at = list(whole), dice.randrange(1, len(whole))
        match dice.randrange(4):
            case 0:
                lines.pop(at)
            case 1:
                lines.insert(dice.randrange(1, len(whole)), lines[at])
            case 2:
                other = dice.randrange(1, len(whole))
                lines[at], lines[other] = lines[other], lines[at]
            case _:
                byte = dice.randrange(len(lines[at]))
                lines[at] = lines[at][:byte] + chr(dice.randrange(33, 127)) + lines[at][byte + 1 :]
        if [json.loads(line) if line in whole else line for line in lines] == [
            json.loads(line) for line in whole
        ]:
            continue
        if not verify_export(lines, KEYS).faults:
            missed.append([(old, new) for old, new in zip(whole, lines, strict=False) if old != new][:1])
    assert missed == []


async def test_entries_after_the_last_head_are_not_believed(
    on_sqlite: tuple[Sessions, Sessions],
) -> None:
    sessions, readers = on_sqlite
    await furnish(sessions, readers, 2)
    lines = await _lines(readers, 0, 2)
    at = len(lines) - 1
    told = json.loads(lines[at - 1])["entry"]
    chain = next(json.loads(line)["chain"] for line in reversed(lines) if line.startswith('{"chain"'))
    forged = [told[0] + 1, told[1], link(told[2], chain, told[0] + 1, told[1])]
    lines.insert(at, json.dumps({"entry": forged}))
    end = json.loads(lines[-1])
    end["end"]["entries"] += 1
    lines[-1] = json.dumps(end)
    assert [str(fault) for fault in verify_export(lines, KEYS).faults] == [
        f"{chain} {told[0] + 1}: no checkpoint has seen what follows from here on"
    ]


async def test_the_span_is_chosen_by_days(sessions: Sessions, readers: Sessions) -> None:
    day = datetime(2026, 5, 1, 0, 5, tzinfo=UTC)
    for number in range(4):
        at = day + timedelta(days=number)
        await Checkpoints(sessions, readers, KEY, lambda at=at: at).take()  # type: ignore[misc]
    async with readers() as session:
        assert await span(session, None, None) == (0, 4)
        assert await span(session, datetime(2026, 5, 2, tzinfo=UTC), datetime(2026, 5, 4, tzinfo=UTC)) == (
            1,
            3,
        )
        assert await span(session, datetime(2027, 1, 1, tzinfo=UTC), None) == (4, 4)


@pytest.mark.parametrize("lines", [[], ["x"], ["[]"], ["{}"], ['{"kaika": "something-else"}']])
def test_other_files_are_no_exports(lines: list[str]) -> None:
    with pytest.raises(NotAnExport):
        verify_export(lines, KEYS)
