"""What an update of the software does with missions that its former version had begun or was to begin.

DBOS runs a mission only under the version that it was enqueued under, since another version's steps may
differ; one left as running would block its order's queue for ever. So each is given up and enqueued anew
under today's version, to run from its beginning: its steps in the database look at the order first, those
outside of it are idempotent, and a message keeps its key at the gateway.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from dbos import DBOSClient, EnqueueOptions

#: Missions begun by one version are ended by it or begun anew by a later: raise it when steps change.
MISSIONS_VERSION = "2"
#: Taken over at start and by each sweep.
BATCH = 500
_AGAIN = "~"


class FormerMissions:
    """Missions of versions before this one.

    queues: of missions; what is in none of them was begun by the clock, which begins it again itself.
    alive: executors that were seen lately.
    """

    def __init__(
        self,
        client: DBOSClient,
        queues: Collection[str],
        executor_id: str,
        alive: Callable[[], Awaitable[frozenset[str]]],
    ) -> None:
        self._client, self._queues = client, queues
        self._executor_id, self._alive = executor_id, alive
        self._versions = [str(version) for version in range(1, int(MISSIONS_VERSION))]

    async def take_over(self) -> int:
        """Enqueue under this version those that wait, and those that died while they ran; how many.

        What a living process of a former version runs is left to it.
        """
        waiting = await self._list(["ENQUEUED", "DELAYED"])
        running = await self._list(["PENDING"])
        others = await self._alive() - {self._executor_id}
        taken = [*(each for each in running if each.executor_id not in others), *waiting]
        for mission in taken:
            # In this order: dying in between leaves it in both versions, and it is taken over once more.
            if mission.queue_name in self._queues:
                await asyncio.to_thread(self._enqueue_anew, mission)
            await self._client.cancel_workflow_async(mission.workflow_id)
        return len(taken)

    async def _list(self, status: list[str]) -> list[Any]:
        if not self._versions:
            return []
        return await self._client.list_workflows_async(
            status=status, app_version=self._versions, limit=BATCH, load_output=False
        )

    def _enqueue_anew(self, mission: Any) -> None:
        options: EnqueueOptions = {
            "workflow_name": mission.name,
            "queue_name": mission.queue_name,
            # The same however often it is taken over, and known to `DurableWork.forget` by its beginning.
            "workflow_id": f"{mission.workflow_id.partition(_AGAIN)[0]}{_AGAIN}{MISSIONS_VERSION}",
            "queue_partition_key": mission.queue_partition_key,
            "app_version": MISSIONS_VERSION,
        }
        if mission.status == "DELAYED":
            options["delay_seconds"] = max(0.0, mission.delay_until_epoch_ms / 1000 - time.time())
        self._client.enqueue(options, *mission.input["args"])
