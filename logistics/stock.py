"""Import of SIM stock and of numbers: good lines are kept, bad ones told; twice is the same as once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.audit import note
from activation.adapters.sql.tables import NumberRow, SimRow
from activation.ids import Iccid, Imsi, Msisdn
from activation.sim import SimState
from logistics.csv_lines import (
    MAX_REPORTED,
    BadLine,
    FileRefusal,
    FileRefused,
    GoodLine,
    LineReader,
    LineRefusal,
    rounded,
    split_lines,
)

#: Lines that are written in one transaction.
LINES_PER_TRANSACTION = 1_000
MAX_BATCH_NAME = 64
MAX_REGION = 32


@dataclass(frozen=True)
class SimLine:
    line: int
    iccid: Iccid
    imsi: Imsi
    batch: str


@dataclass(frozen=True)
class NumberLine:
    line: int
    msisdn: Msisdn
    region: str


@dataclass
class ImportReport:
    """What became of a file. stopped: why the rest was not read; what was imported before it stays.

    lines: read, with headings and empty ones. unchanged: known already, and the same.
    """

    lines: int = 0
    imported: int = 0
    unchanged: int = 0
    bad: int = 0
    reported: list[BadLine] = field(default_factory=list)
    stopped: FileRefusal | None = None

    def refuse(self, line: int, reason: LineRefusal) -> None:
        self.bad += 1
        if len(self.reported) < MAX_REPORTED:
            self.reported.append(BadLine(line, reason))


class _Line(Protocol):
    @property
    def line(self) -> int: ...


L = TypeVar("L", bound=_Line)
Sessions = async_sessionmaker[AsyncSession]


async def import_sims(sessions: Sessions, data: bytes, batch: str, at: datetime) -> ImportReport:
    """Columns `iccid,imsi,batch`; `batch` stands for the third where a line has none."""

    async def store(session: AsyncSession, lines: Sequence[SimLine], report: ImportReport) -> None:
        await _store_sims(session, lines, report, at)

    reader = LineReader(("iccid", "imsi", "batch"), required=2)
    return await _Import(sessions, reader, SimFile(batch).read, store).run(data)


async def import_numbers(sessions: Sessions, data: bytes, region: str) -> ImportReport:
    """Columns `msisdn,region`; `region` stands for the second where a line has none."""
    reader = LineReader(("msisdn", "region"), required=1)
    return await _Import(sessions, reader, NumberFile(region).read, _store_numbers).run(data)


class _Import(Generic[L]):
    """One file on its way into the database, LINES_PER_TRANSACTION at a time."""

    def __init__(
        self,
        sessions: Sessions,
        reader: LineReader,
        check: Callable[[GoodLine], L | LineRefusal],
        store: Callable[[AsyncSession, Sequence[L], ImportReport], Awaitable[None]],
    ) -> None:
        self._sessions, self._reader, self._check, self._store = sessions, reader, check, store
        self._report = ImportReport()

    async def run(self, data: bytes) -> ImportReport:
        lines = split_lines(data)
        while not self._report.stopped and (block := list(islice(lines, LINES_PER_TRANSACTION))):
            await self._take(block)
        self._report.lines = self._reader.lines
        self._report.reported.sort(key=lambda bad: bad.line)
        if not (self._report.stopped or self._report.imported or self._report.unchanged or self._report.bad):
            self._report.stopped = FileRefusal.EMPTY
        return self._report

    async def _take(self, block: Sequence[bytes | None]) -> None:
        # A thousand lines take some ten milliseconds: not on the event loop.
        good = await asyncio.to_thread(self._parse, block)
        if good:
            async with self._sessions.begin() as session:
                await self._store(session, good, self._report)

    def _parse(self, block: Sequence[bytes | None]) -> list[L]:
        good: list[L] = []
        for raw in block:
            try:
                read = self._reader.read(raw)
            except FileRefused as refused:
                self._report.stopped = refused.refusal
                break
            checked = self._check(read) if isinstance(read, GoodLine) else read
            if isinstance(checked, BadLine):
                self._report.refuse(checked.line, checked.reason)
            elif isinstance(checked, LineRefusal):
                self._report.refuse(self._reader.lines, checked)
            elif checked is not None:
                good.append(checked)
        return good


class SimFile:
    """Checks SIM lines, one after another; knows what the file had before."""

    def __init__(self, batch: str) -> None:
        self._batch = batch
        self._iccids: set[str] = set()
        self._imsis: set[str] = set()

    def read(self, line: GoodLine) -> SimLine | LineRefusal:
        iccid_cell, imsi_cell, batch = (cell.replace(" ", "") for cell in line.cells)
        batch = batch or self._batch
        if rounded(iccid_cell):
            return LineRefusal.ICCID_ROUNDED
        if not Iccid.pattern.fullmatch(iccid_cell):
            return LineRefusal.ICCID_INVALID
        if not Iccid.holds(iccid_cell):
            return LineRefusal.ICCID_CHECK_DIGIT
        if not Imsi.pattern.fullmatch(imsi_cell):
            return LineRefusal.IMSI_INVALID
        if not batch or len(batch) > MAX_BATCH_NAME:
            return LineRefusal.BATCH_INVALID
        if iccid_cell in self._iccids:
            return LineRefusal.ICCID_TWICE_IN_FILE
        if imsi_cell in self._imsis:
            return LineRefusal.IMSI_TWICE_IN_FILE
        self._iccids.add(iccid_cell)
        self._imsis.add(imsi_cell)
        return SimLine(line.line, Iccid(iccid_cell), Imsi(imsi_cell), batch)


class NumberFile:
    """Checks lines of numbers, one after another; knows what the file had before."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._seen: set[str] = set()

    def read(self, line: GoodLine) -> NumberLine | LineRefusal:
        number = line.cells[0].replace(" ", "").replace("-", "").removeprefix("+86")
        region = line.cells[1] or self._region
        if rounded(number):
            return LineRefusal.NUMBER_ROUNDED
        if not Msisdn.pattern.fullmatch(number):
            return LineRefusal.NUMBER_INVALID
        if len(region) > MAX_REGION:
            return LineRefusal.REGION_INVALID
        if number in self._seen:
            return LineRefusal.NUMBER_TWICE_IN_FILE
        self._seen.add(number)
        return NumberLine(line.line, Msisdn(number), region)


async def _store_sims(
    session: AsyncSession, lines: Sequence[SimLine], report: ImportReport, at: datetime
) -> None:
    rows = [
        {
            "iccid": each.iccid,
            "imsi": each.imsi,
            "batch": each.batch,
            "state": SimState.IN_STOCK,
            "changed_at": at,
        }
        for each in sorted(lines, key=lambda each: each.iccid)
    ]
    new = await _insert_absent(session, SimRow, rows, SimRow.iccid)
    await note(session, "stock", "stock.cards_imported", "R4.1", lines=len(lines), imported=len(new))
    report.imported += len(new)
    left = [each for each in lines if each.iccid not in new]
    if not left:
        return
    known = await session.execute(
        sa.select(SimRow.iccid, SimRow.imsi, SimRow.batch).where(
            sa.or_(
                SimRow.iccid.in_([each.iccid for each in left]), SimRow.imsi.in_([each.imsi for each in left])
            )
        )
    )
    by_iccid = {iccid: (imsi, batch) for iccid, imsi, batch in known}
    for each in left:
        match by_iccid.get(each.iccid):
            case None:
                report.refuse(each.line, LineRefusal.IMSI_TAKEN)
            case (imsi, _) if imsi != each.imsi:
                report.refuse(each.line, LineRefusal.ICCID_TAKEN)
            case (_, batch) if batch != each.batch:
                report.refuse(each.line, LineRefusal.OTHER_BATCH)
            case _:
                report.unchanged += 1


async def _store_numbers(session: AsyncSession, lines: Sequence[NumberLine], report: ImportReport) -> None:
    rows = [
        {"msisdn": each.msisdn, "backwards": each.msisdn[::-1], "region": each.region}
        for each in sorted(lines, key=lambda each: each.msisdn)
    ]
    new = await _insert_absent(session, NumberRow, rows, NumberRow.msisdn)
    await note(session, "stock", "stock.numbers_imported", "R1.1", lines=len(lines), imported=len(new))
    report.imported += len(new)
    left = [each for each in lines if each.msisdn not in new]
    if not left:
        return
    known = await session.execute(
        sa.select(NumberRow.msisdn, NumberRow.region).where(
            NumberRow.msisdn.in_([each.msisdn for each in left])
        )
    )
    regions = {msisdn: region for msisdn, region in known}
    for each in left:
        if regions.get(each.msisdn) == each.region:
            report.unchanged += 1
        else:
            report.refuse(each.line, LineRefusal.OTHER_REGION)


async def _insert_absent(
    session: AsyncSession, row: type[Any], rows: list[dict[str, Any]], key: Any
) -> set[str]:
    """Keys of the rows that were inserted; those that meet a unique constraint are left as they are.

    Rows come sorted by key, so that two imports at once wait for each other and do not deadlock.
    """
    dialect = session.get_bind().dialect.name
    insert = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(row).values(rows)
    inserted = await session.scalars(insert.on_conflict_do_nothing().returning(key))
    return set(inserted)
