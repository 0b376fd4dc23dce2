"""Durable work on DBOS Transact: missions survive `kill -9`, in the same database as the orders.

DBOS makes its own tables when it starts. It keeps names, ids, arguments and step results in clear;
missions hand it nothing personal. One process has one runtime, and missions run on its event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any, Protocol, TypeVar

from dbos import (
    DBOS,
    AsyncSQLAlchemyDatasource,
    DBOSClient,
    DBOSPortableJSONSerializer,
    EnqueueOptions,
    PortableWorkflowError,
)
from dbos import error as dbos_error
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from activation.acting import acting_as
from activation.adapters.durable_executors import Heartbeat
from activation.adapters.durable_missions import TIDY_BATCH, register, register_outer
from activation.adapters.durable_versions import MISSIONS_VERSION, FormerMissions
from activation.ending import END_SERVICE
from activation.flow import ACCEPT, DECIDE, RELEASE, SHIP, Flow
from activation.holding import SUSPEND
from activation.ids import OrderId
from activation.order_keys import OrderKeysFault
from activation.ports import (
    HlrFault,
    MessagesFault,
    Mission,
    RegistryFault,
    Routine,
    StepGaveUp,
    StoreFault,
)
from activation.steps import TELL
from activation.upkeep import Upkeep

T = TypeVar("T")

APPLICATION = "kaika"

PROVISIONING, ASKING, KEEPING = "provisioning", "asking", "keeping"
QUEUES = {
    **dict.fromkeys((SHIP, DECIDE, RELEASE, END_SERVICE, SUSPEND), PROVISIONING),
    **dict.fromkeys((ACCEPT, TELL), ASKING),
}
#: Missions of one process at a time: towards the HLR; registry and message gateway; of outer rooms.
AT_ONCE = {PROVISIONING: 16, ASKING: 16, KEEPING: 4}
POLL_SECONDS = {PROVISIONING: 0.08, ASKING: 0.2, KEEPING: 1.0}
THREADS = 32

STEP_ATTEMPTS, STEP_SECONDS = 3, 20.0
STEP_RETRY_SECONDS, STEP_RETRY_FACTOR = 0.2, 4.0


class Faults(Protocol):
    """Where tests let the process die: called as `decide.2 before` and `decide.2 after` a step."""

    def reach(self, point: str) -> None: ...


class NoFaults:
    def reach(self, point: str) -> None:
        """Nothing happens in earnest."""


class DurableWork:
    """`activation.ports.Work` on DBOS.

    url: `sqlite:///PATH` or `postgresql://…`, the database of `engine`.
    executor_id: stable name of this process; what it left behind is resumed under the same name.
    """

    def __init__(self, url: str, engine: AsyncEngine, executor_id: str, faults: Faults | None = None) -> None:
        self._url, self._engine, self._faults = url, engine, faults or NoFaults()
        self._serializer = DBOSPortableJSONSerializer()
        sqlite = engine.dialect.name == "sqlite"
        # Rows are locked, so each statement may see what was committed before it (SQLite has one writer).
        self._isolation: Any = "SERIALIZABLE" if sqlite else "READ COMMITTED"
        self._client = DBOSClient(
            system_database_url=url, serializer=self._serializer, application_name=APPLICATION, lazy=True
        )
        self._heartbeat = Heartbeat(engine, executor_id)
        self._former = FormerMissions(self._client, POLL_SECONDS, executor_id, self._heartbeat.alive)
        self._executor_id = executor_id
        self._datasource: AsyncSQLAlchemyDatasource | None = None
        self._running = False

    async def start(
        self, flow: Flow, missions: Sequence[Mission] = (), routines: Sequence[Routine] = ()
    ) -> None:
        """Make DBOS's tables, take up what this executor or a former version left behind, run missions.

        missions, routines: of outer rooms.
        """
        DBOS(
            config={
                "name": APPLICATION,
                "system_database_url": self._url,
                "application_version": MISSIONS_VERSION,
                "executor_id": self._executor_id,
                "serializer": self._serializer,
                "log_level": "WARNING",
                "max_executor_threads": THREADS,
            }
        )
        driver = self._engine.url.render_as_string(hide_password=False)
        self._datasource = await AsyncSQLAlchemyDatasource.create(
            driver, engine=self._engine, serializer=self._serializer
        )
        schedules = register(flow, Upkeep(flow), self._heartbeat, self._former)
        schedules += register_outer(missions, routines)
        await self._heartbeat.start()
        DBOS.launch()
        self._running = True
        await self._former.take_over()
        for queue, seconds in POLL_SECONDS.items():
            # One order's missions run one after the other; different orders' at the same time.
            await DBOS.register_queue_async(
                queue,
                partition_concurrency=1,
                worker_concurrency=AT_ONCE[queue],
                polling_interval_sec=seconds,
            )
        await DBOS.apply_schedules_async(schedules)

    async def stop(self, drain_seconds: int = 0) -> None:
        """Take no new missions, wait `drain_seconds` for those that run; the rest is resumed at start."""
        if not self._running:
            await asyncio.to_thread(self._client.destroy)
            return
        self._running = False
        loop, last = asyncio.get_running_loop(), ThreadPoolExecutor(thread_name_prefix="after-dbos")
        destroy = partial(DBOS.destroy, destroy_registry=True, workflow_completion_timeout_sec=drain_seconds)
        await loop.run_in_executor(last, destroy)
        # DBOS had made its own threads the loop's default, and has closed them.
        loop.set_default_executor(last)
        await asyncio.to_thread(self._client.destroy)
        await self._heartbeat.stop()

    async def enqueue(
        self,
        session: AsyncSession,
        mission: str,
        order_id: OrderId,
        *why: str,
        after: timedelta = timedelta(0),
    ) -> None:
        options: EnqueueOptions = {
            "workflow_name": mission,
            "queue_name": QUEUES.get(mission, KEEPING),
            "workflow_id": "-".join((mission, order_id, *filter(None, why))),
            "queue_partition_key": order_id,
            "app_version": MISSIONS_VERSION,
        }
        if after:
            options["delay_seconds"] = after.total_seconds()

        def put(synchronous: Any) -> None:
            self._client.enqueue_in_transaction(synchronous, options, order_id, *why)

        await session.run_sync(put)

    async def forget(self, order_id: OrderId) -> None:
        """R8.2: delete the records of an order's missions that have ended; results hold keyed hashes."""
        ended = await self._client.list_workflows_async(
            workflow_id_prefix=[f"{mission}-{order_id}" for mission in QUEUES],
            status=["SUCCESS", "ERROR", "CANCELLED"],
            limit=TIDY_BATCH,
            load_input=False,
            load_output=False,
        )
        if ended:
            await self._client.delete_workflows_async([each.workflow_id for each in ended])

    async def write(self, step: str, do: Callable[[AsyncSession], Awaitable[T]]) -> T:
        if self._datasource is None:
            raise RuntimeError("durable work has not been started")
        datasource = self._datasource

        async def transaction() -> T:
            with acting_as(_mission_of(step)):
                return await do(datasource.sql_session())

        number = step.split()[0]
        self._faults.reach(f"{number} before")
        done = await datasource.run_tx_step_async(
            {"name": step, "isolation_level": self._isolation}, transaction
        )
        self._faults.reach(f"{number} after")
        return done

    async def ask(self, step: str, do: Callable[[], Awaitable[T]]) -> T:
        async def call() -> T:
            with acting_as(_mission_of(step)):
                return await do()

        number = step.split()[0]
        self._faults.reach(f"{number} before")
        try:
            answer = await DBOS.run_step_async(
                {
                    "name": step,
                    "retries_allowed": True,
                    "max_attempts": STEP_ATTEMPTS,
                    "interval_seconds": STEP_RETRY_SECONDS,
                    "backoff_rate": STEP_RETRY_FACTOR,
                    "timeout_seconds": STEP_SECONDS,
                    "should_retry": _may_pass,
                },
                call,
            )
        except dbos_error.DBOSMaxStepRetriesExceeded:
            raise StepGaveUp(step) from None
        except PortableWorkflowError as stored:
            # After a crash the step is not tried again; its recorded failure comes back in this form.
            if stored.name == dbos_error.DBOSMaxStepRetriesExceeded.__name__:
                raise StepGaveUp(step) from None
            raise
        self._faults.reach(f"{number} after")
        return answer


def _mission_of(step: str) -> str:
    """`mission:ship` of the step `ship.1 reserve a card`: who acts in it."""
    return f"mission:{step.partition('.')[0]}"


#: What may be over at the next try: somebody else's fault, a database that is away, or too long a wait.
_PASSING = (
    *(HlrFault, RegistryFault, MessagesFault, OrderKeysFault, StoreFault),
    *(DBAPIError, PoolTimeout, dbos_error.DBOSStepTimeoutError),
)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, _PASSING)
