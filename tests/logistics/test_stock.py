"""Stock comes in from CSV: good lines kept, bad ones told, twice the same as once, on both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.tables import NumberRow, SimRow
from activation.ids import luhn_check_digit
from activation.sim import SimState
from logistics.csv_lines import BadLine, FileRefusal, LineRefusal
from logistics.stock import ImportReport, import_numbers, import_sims

Sessions = async_sessionmaker[AsyncSession]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
R = LineRefusal


def iccid(number: int) -> str:
    digits = f"898600{number:012d}"
    return digits + luhn_check_digit(digits)


def imsi(number: int) -> str:
    return f"46000{number:010d}"


def sims(count: int, start: int = 0) -> bytes:
    lines = [f"{iccid(number)},{imsi(number)}" for number in range(start, start + count)]
    return "\n".join(["iccid,imsi", *lines]).encode()


async def stock(sessions: Sessions) -> dict[str, tuple[str, str, str]]:
    async with sessions() as session:
        rows = await session.execute(sa.select(SimRow.iccid, SimRow.imsi, SimRow.batch, SimRow.state))
        return {row.iccid: (row.imsi, row.batch, row.state) for row in rows}


async def test_cards_come_into_stock(sessions: Sessions) -> None:
    report = await import_sims(sessions, sims(2500), "2026-01", NOW)
    assert report == ImportReport(lines=2501, imported=2500)
    cards = await stock(sessions)
    assert len(cards) == 2500
    assert cards[iccid(7)] == (imsi(7), "2026-01", SimState.IN_STOCK)


async def test_the_same_file_again_changes_nothing(sessions: Sessions) -> None:
    await import_sims(sessions, sims(1200), "one", NOW)
    before = await stock(sessions)
    again = await import_sims(sessions, sims(1200), "one", NOW)
    assert (again.imported, again.unchanged, again.bad) == (0, 1200, 0)
    assert await stock(sessions) == before


async def test_bad_lines_are_told_with_their_numbers(sessions: Sessions) -> None:
    await import_sims(sessions, f"{iccid(1)},{imsi(1)},old\n".encode(), "", NOW)
    wrong = iccid(2)[:-1] + str((int(iccid(2)[-1]) + 1) % 10)
    lines = [
        "ICCID,IMSI,Batch",
        f"{iccid(10)},{imsi(10)},new",
        f"{wrong},{imsi(2)},new",
        f"8.98604E+18,{imsi(3)},new",
        f"12345,{imsi(3)},new",
        f"{iccid(4)},4600,new",
        f"{iccid(5)},{imsi(5)}",
        f"{iccid(10)},{imsi(6)},new",
        f"{iccid(6)},{imsi(10)},new",
        f"{iccid(1)},{imsi(7)},new",
        f"{iccid(8)},{imsi(1)},new",
        f"{iccid(9)},{imsi(9)},{'x' * 65}",
        f"{iccid(11)},{imsi(11)},新批次",
    ]
    report = await import_sims(sessions, "\r\n".join(lines).encode("gb18030"), "", NOW)
    assert report.reported == [
        BadLine(3, R.ICCID_CHECK_DIGIT),
        BadLine(4, R.ICCID_ROUNDED),
        BadLine(5, R.ICCID_INVALID),
        BadLine(6, R.IMSI_INVALID),
        BadLine(7, R.BATCH_INVALID),
        BadLine(8, R.ICCID_TWICE_IN_FILE),
        BadLine(9, R.IMSI_TWICE_IN_FILE),
        BadLine(10, R.ICCID_TAKEN),
        BadLine(11, R.IMSI_TAKEN),
        BadLine(12, R.BATCH_INVALID),
    ]
    assert (report.lines, report.imported, report.bad) == (13, 2, 10)
    assert set(await stock(sessions)) == {iccid(1), iccid(10), iccid(11)}
    assert (await stock(sessions))[iccid(11)][1] == "新批次"


async def test_another_batch_is_told(sessions: Sessions) -> None:
    await import_sims(sessions, sims(1), "one", NOW)
    report = await import_sims(sessions, sims(1), "two", NOW)
    assert report.reported == [BadLine(2, R.OTHER_BATCH)]


async def test_two_imports_at_once_share_the_cards(sessions: Sessions) -> None:
    reports = await asyncio.gather(*(import_sims(sessions, sims(1500), "b", NOW) for _ in range(3)))
    assert sum(report.imported for report in reports) == 1500
    assert sum(report.unchanged for report in reports) == 3000
    assert len(await stock(sessions)) == 1500


async def test_an_empty_file_is_told(sessions: Sessions) -> None:
    for data in (b"", b"\n\n", b"iccid,imsi\n"):
        assert (await import_sims(sessions, data, "b", NOW)).stopped is FileRefusal.EMPTY


async def test_numbers_come_into_the_pool(sessions: Sessions) -> None:
    data = "msisdn,region\n13800000001,北京\n+86 138 0000 0002,\n12345,\n13800000001,\n1.38E+10,\n".encode()
    report = await import_numbers(sessions, data, "上海")
    assert (report.imported, report.bad) == (2, 3)
    assert [bad.reason for bad in report.reported] == [
        R.NUMBER_INVALID,
        R.NUMBER_TWICE_IN_FILE,
        R.NUMBER_ROUNDED,
    ]
    async with sessions() as session:
        rows = await session.execute(sa.select(NumberRow.msisdn, NumberRow.region, NumberRow.backwards))
        found = {row.msisdn: (row.region, row.backwards) for row in rows}
    assert found == {
        "13800000001": ("北京", "10000000831"),
        "13800000002": ("上海", "20000000831"),
    }
    again = await import_numbers(sessions, b"13800000001\n13800000002,\xe5\x8c\x97", "北京")
    assert (again.unchanged, again.reported) == (1, [BadLine(2, R.OTHER_REGION)])
