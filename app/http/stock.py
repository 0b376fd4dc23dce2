"""Import of SIM stock and of numbers from CSV; good lines are kept, bad ones told with their number."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from app.access.rights import Action, Resource
from app.http.contract import Input, Output, ProblemRaised, ProblemType, RawBody, Reply, operation
from app.services import SERVICES
from app.texts.imports import FILES, LINES
from app.texts.text import Text, preferred_locale
from logistics.stock import MAX_BATCH_NAME, MAX_REGION, ImportReport, import_numbers, import_sims

#: Bytes of one file; 100,000 lines of the usual length are 6 MB.
CSV_LIMIT = 12_000_000
CSV_BODY = RawBody(("text/csv",), CSV_LIMIT)

CSV_REFUSED = ProblemType(
    "csv_refused",
    422,
    Text("文件无法导入", "The file cannot be imported"),
    Text("请检查文件的编码和列。", "Check the file's encoding and columns."),
)


class SimImport(Input):
    """batch: for lines that name none."""

    batch: Annotated[str, Field(max_length=MAX_BATCH_NAME)] = ""


class NumberImport(Input):
    """region: for lines that name none."""

    region: Annotated[str, Field(max_length=MAX_REGION)] = ""


class BadLineOut(Output):
    line: int = Field(description="counted from 1, as an editor shows it")
    reason: str
    detail: str


class Imported(Output):
    """unchanged: known before, and the same. bad: how many; `bad_lines` has the first 1,000 of them."""

    lines: int
    imported: int
    unchanged: int
    bad: int
    bad_lines: list[BadLineOut]
    stopped: str | None = Field(description="why the rest of the file was not read")


@operation(
    summary="Import SIM cards",
    right=(Resource.SIM_STOCK, Action.CREATE),
    query=SimImport,
    raw=CSV_BODY,
    returns={200: Imported},
    idempotent=True,
    problems=(CSV_REFUSED,),
)
async def import_cards(request: web.Request, query: SimImport, body: bytes) -> Reply:
    """Columns `iccid,imsi,batch`; at most 100,000 lines. The same file again changes nothing."""
    services = request.app[SERVICES]
    return _imported(request, await import_sims(services.sessions, body, query.batch, services.clock()))


@operation(
    summary="Import numbers",
    right=(Resource.NUMBER_POOL, Action.CREATE),
    query=NumberImport,
    raw=CSV_BODY,
    returns={200: Imported},
    idempotent=True,
    problems=(CSV_REFUSED,),
)
async def import_pool(request: web.Request, query: NumberImport, body: bytes) -> Reply:
    """Columns `msisdn,region`; at most 100,000 lines. The same file again changes nothing."""
    return _imported(request, await import_numbers(request.app[SERVICES].sessions, body, query.region))


def _imported(request: web.Request, report: ImportReport) -> Reply:
    if report.stopped is not None and not report.imported and not report.unchanged:
        raise ProblemRaised(CSV_REFUSED, detail=FILES[report.stopped], refusal=report.stopped)
    locale = preferred_locale(request.headers.get("Accept-Language", ""))
    return Reply(
        200,
        Imported(
            lines=report.lines,
            imported=report.imported,
            unchanged=report.unchanged,
            bad=report.bad,
            bad_lines=[
                BadLineOut(line=bad.line, reason=bad.reason, detail=LINES[bad.reason].in_(locale))
                for bad in report.reported
            ],
            stopped=report.stopped,
        ),
    )


ROUTES = (
    web.post("/v1/operator/sims/imports", import_cards),
    web.post("/v1/operator/numbers/imports", import_pool),
)
