"""The room's steps one after the other in this process, for the command line: no engine, nothing remembered.

Every step may run again, so a run that breaks off is taken up by the next one or by the server's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.ids import OrderId
from activation.order_keys import OrderKeysFault
from activation.ports import StepGaveUp, StoreFault

T = TypeVar("T")

ATTEMPTS = 3


class PlainWork:
    """`activation.ports.Work` without durability."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def enqueue(
        self,
        session: AsyncSession,
        mission: str,
        order_id: OrderId,
        *why: str,
        after: timedelta = timedelta(0),
    ) -> None:
        """Missions are the server's. Raises RuntimeError."""
        raise RuntimeError("the command line runs steps and starts no missions")

    async def write(self, step: str, do: Callable[[AsyncSession], Awaitable[T]]) -> T:
        async with self._sessions.begin() as session:
            return await do(session)

    async def ask(self, step: str, do: Callable[[], Awaitable[T]]) -> T:
        for _ in range(ATTEMPTS):
            try:
                return await do()
            except (OrderKeysFault, StoreFault):
                continue
        raise StepGaveUp(step)


async def held_by_the_server(order_id: OrderId) -> None:
    """Card and number of an order that has just ended are given back by the server. Raises StepGaveUp."""
    raise StepGaveUp("the order still holds a card or a number; the server gives them back first")
