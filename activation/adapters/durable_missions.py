"""Which missions and schedules DBOS is to know, by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from dbos import DBOS

from activation.adapters.durable_executors import Heartbeat
from activation.adapters.durable_versions import FormerMissions
from activation.ending import END_SERVICE, Ending
from activation.flow import ACCEPT, DECIDE, RELEASE, SHIP, Flow
from activation.holding import SUSPEND, Suspending
from activation.ids import OrderId
from activation.ports import MessageKind, Mission, Routine
from activation.steps import TELL
from activation.upkeep import Upkeep

SWEEP, SWEEP_CRON = "upkeep", "*/15 * * * * *"
TIDY, TIDY_CRON = "tidy", "0 17 * * * *"
#: How long the record of a finished mission is kept, and how many are deleted at a time.
KEEP_MISSIONS, KEEP_SWEEPS, TIDY_BATCH = timedelta(days=30), timedelta(hours=2), 1_000


def register(flow: Flow, upkeep: Upkeep, heartbeat: Heartbeat, former: FormerMissions) -> list[Any]:
    """Make DBOS know the missions by name; the schedules that it is to keep."""
    ending, suspending = Ending(flow), Suspending(flow)

    @DBOS.workflow(name=ACCEPT)
    async def accept(order_id: str, *_why: str) -> None:
        await flow.accept(OrderId(order_id))

    @DBOS.workflow(name=SHIP)
    async def ship(order_id: str, *_why: str) -> None:
        await flow.ship(OrderId(order_id))

    @DBOS.workflow(name=DECIDE)
    async def decide(order_id: str, *_why: str) -> None:
        await flow.decide(OrderId(order_id))

    @DBOS.workflow(name=RELEASE)
    async def release(order_id: str, *_why: str) -> None:
        await flow.release(OrderId(order_id))

    @DBOS.workflow(name=END_SERVICE)
    async def end_service(order_id: str, *_why: str) -> None:
        await ending.end_service(OrderId(order_id))

    @DBOS.workflow(name=SUSPEND)
    async def suspend(order_id: str, _why: str = "", tries: str = "0") -> None:
        await suspending.suspend(OrderId(order_id), int(tries))

    @DBOS.workflow(name=TELL)
    async def tell(order_id: str, kind: str, cause: str = "", again: str = "0") -> None:
        await flow.tell(OrderId(order_id), MessageKind(kind), cause, int(again))

    @DBOS.workflow(name=SWEEP)
    async def sweep(_when: datetime, _context: Any) -> None:
        await upkeep.sweep()
        await DBOS.run_step_async({"name": "upkeep.3 resume of the dead"}, heartbeat.resume_of_the_dead)
        await DBOS.run_step_async({"name": "upkeep.4 take over from former versions"}, former.take_over)

    @DBOS.workflow(name=TIDY)
    async def tidy(_when: datetime, _context: Any) -> None:
        await DBOS.run_step_async({"name": "tidy.1 forget missions"}, _forget, KEEP_MISSIONS)
        await DBOS.run_step_async({"name": "tidy.2 forget sweeps"}, _forget, KEEP_SWEEPS, SWEEP)

    return [
        {"schedule_name": SWEEP, "workflow_fn": sweep, "schedule": SWEEP_CRON, "context": None},
        {"schedule_name": TIDY, "workflow_fn": tidy, "schedule": TIDY_CRON, "context": None},
    ]


def register_outer(missions: Sequence[Mission], routines: Sequence[Routine]) -> list[Any]:
    """The same for what outer rooms do."""
    for mission in missions:
        DBOS.workflow(name=mission.name)(_of_order(mission))
    return [
        {
            "schedule_name": routine.name,
            "workflow_fn": DBOS.workflow(name=routine.name)(_by_the_clock(routine)),
            "schedule": routine.cron,
            "context": None,
        }
        for routine in routines
    ]


def _of_order(mission: Mission) -> Callable[..., Awaitable[None]]:
    async def run(order_id: str, *why: str) -> None:
        await mission.run(OrderId(order_id), *why)

    return run


def _by_the_clock(routine: Routine) -> Callable[..., Awaitable[None]]:
    async def run(_when: datetime, _context: Any) -> None:
        await routine.run()

    return run


async def _forget(after: timedelta, name: str | None = None) -> int:
    """Delete the records of missions that ended long ago; orders and decisions have their own."""
    ended = await DBOS.list_workflows_async(
        name=name,
        status=["SUCCESS", "ERROR", "CANCELLED"],
        completed_before=(datetime.now(UTC) - after).isoformat(),
        limit=TIDY_BATCH,
        load_input=False,
        load_output=False,
    )
    if ended:
        await DBOS.delete_workflows_async([workflow.workflow_id for workflow in ended])
    return len(ended)
