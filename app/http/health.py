"""`/healthz`, `/readyz`, `/metrics`: for those who keep the service running."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from enum import StrEnum
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from aiohttp import web

from activation.adapters.sql.tables import ExecutorRow
from activation.ids import Imsi
from app.access.rights import Action, Resource
from app.http.contract import Output, Raw, Reply, operation
from app.http.metrics import exposition
from app.services import SERVICES, Services
from media.captures.pool import WAITING

#: Longest wait for one part, seconds.
WAIT_S = 2.0
#: Longest silence of what runs this process's durable work; it says every 5 s that it lives.
FLOW_SILENT = timedelta(seconds=30)
_asking: WeakKeyDictionary[web.Application, asyncio.Task[dict[Part, bool]]] = WeakKeyDictionary()
#: Asked for to see whether the HLR answers; no card has it.
_NOBODY = Imsi("299999999999999")


class Part(StrEnum):
    DATABASE = "database"
    FLOW = "flow"
    CAPTURES = "captures"
    CHECKS = "checks"
    HLR = "hlr"


#: Without these no request can be served. A silent HLR only delays: the flow asks again. Threads that hang in
#: a video check have been replaced; a restart frees what they hold.
NEEDED = frozenset({Part.DATABASE, Part.FLOW, Part.CAPTURES})


class Health(Output):
    status: str


class Readiness(Output):
    """ready: requests can be served. parts: `ok` or `unavailable`."""

    ready: bool
    parts: dict[str, str]


@operation(summary="The process lives", right=(Resource.SERVICE, Action.READ), returns={200: Health})
async def healthz(request: web.Request) -> Reply:
    return Reply(200, Health(status="ok"))


@operation(
    summary="What the process needs is there",
    right=(Resource.SERVICE, Action.READ),
    returns={200: Readiness, 503: Readiness},
)
async def readyz(request: web.Request) -> Reply:
    parts = await _ask_once(request.app)
    ready = all(parts[part] for part in NEEDED)
    shown = {part.value: "ok" if holds else "unavailable" for part, holds in parts.items()}
    return Reply(200 if ready else 503, Readiness(ready=ready, parts=shown))


@operation(
    summary="Counts for Prometheus",
    right=(Resource.METRICS, Action.READ),
    returns={200: Raw("text/plain")},
)
async def metrics(request: web.Request) -> web.Response:
    """For Prometheus itself there is a port of its own on the loopback address (KAIKA_METRICS_PORT)."""
    return await exposition()


async def _ask_once(application: web.Application) -> dict[Part, bool]:
    """However many ask at the same moment, database and HLR are asked once: anybody may call this."""
    asking = _asking.get(application)
    if asking is None or asking.done():
        asking = _asking[application] = asyncio.create_task(_ask(application[SERVICES]))
    return await asyncio.shield(asking)


async def _ask(services: Services) -> dict[Part, bool]:
    asked = {
        Part.DATABASE: _database(services),
        Part.FLOW: _flow(services),
        Part.CAPTURES: _captures(services),
        Part.CHECKS: _checks(services),
        Part.HLR: _hlr(services),
    }
    answers = await asyncio.gather(*(_in_time(question) for question in asked.values()))
    return dict(zip(asked, answers, strict=True))


async def _in_time(question: Awaitable[bool]) -> bool:
    try:
        async with asyncio.timeout(WAIT_S):
            return await question
    except Exception:
        return False


async def _database(services: Services) -> bool:
    async with services.readers() as session:
        return bool(await session.scalar(sa.text("SELECT 1")) == 1)


async def _flow(services: Services) -> bool:
    """This process's durable work has said lately that it lives."""
    seen = sa.select(ExecutorRow.seen_at).where(ExecutorRow.id == services.settings.executor_id)
    async with services.readers() as session:
        last = await session.scalar(seen)
    return last is not None and last > services.clock() - FLOW_SILENT


async def _captures(services: Services) -> bool:
    """There is room for one more picture."""
    return services.captures.under_way < WAITING


async def _checks(services: Services) -> bool:
    """No thread hangs in the frames of a video check."""
    desk = getattr(services.checks, "desk", None)  # not in every server of the tests
    return desk is None or desk.lost_threads == 0


async def _hlr(services: Services) -> bool:
    await services.hlr.read(_NOBODY)
    return True


ROUTES = (
    web.get("/healthz", healthz, allow_head=False),
    web.get("/readyz", readyz, allow_head=False),
    web.get("/metrics", metrics, allow_head=False),
)
