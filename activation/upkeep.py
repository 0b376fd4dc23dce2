"""What happens because time passed: drafts expire, work that did not come to its end is started again.

Each pass reads one index (state, due date) and takes a limited number of orders; an order without a
due date is never looked at, however many of them wait.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from activation.ending import END_SERVICE
from activation.flow import CAUSES, RELEASE, Flow
from activation.order import OrderState as S
from activation.steps import AGAIN_AFTER, OVER

#: Orders of one state per pass.
BATCH = 200
_START_AGAIN: dict[S, str] = {
    **CAUSES,
    S.ACTIVE: END_SERVICE,  # has a due date only while its end is asked for
    **dict.fromkeys(OVER, RELEASE),
}


class Upkeep:
    def __init__(self, flow: Flow) -> None:
        self._flow, self._store, self._work = flow, flow.store, flow.work

    async def sweep(self) -> None:
        await self._work.write("upkeep.1 expire drafts", self.expire_drafts)
        await self._work.write("upkeep.2 start again", self.start_again)

    async def expire_drafts(self, session: AsyncSession) -> int:
        """R1.1: a number is held for half an hour; a draft that was not confirmed gives it back."""
        due = await self._store.orders.due(session, S.DRAFT, self._flow.clock(), BATCH)
        for order_id, _ in due:
            await self._flow.end(session, order_id, S.EXPIRED)
        return len(due)

    async def start_again(self, session: AsyncSession) -> int:
        """Enqueue the mission of every order whose date has come: the registry was silent, a step gave up."""
        now, started = self._flow.clock(), 0
        for state, mission in _START_AGAIN.items():
            for order_id, due_at in await self._store.orders.due(session, state, now, BATCH):
                await self._store.orders.put_off(session, order_id, now + AGAIN_AFTER)
                await self._work.enqueue(session, mission, order_id, f"due-{due_at:%Y%m%dT%H%M%S.%f}")
                started += 1
        return started
