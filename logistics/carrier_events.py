"""What carriers tell about a parcel: recorded always, believed only as far as the delivery's table goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.acting import acting_as
from activation.adapters.sql.engine import insert_if_absent
from activation.ids import Waybill
from activation.order import OrderState
from activation.ports import Clock, OrderFile
from logistics.deliveries import Deliveries, Delivery, DeliveryEvent
from logistics.delivery import CarrierEvent, DeliveryState, steps_after
from logistics.tables import CarrierEventRow

#: Longest name of an event that is kept; a carrier has names of its own for what we do not follow.
MAX_EVENT_NAME = 32


@dataclass(frozen=True)
class Told:
    """One event as the carrier sent it. event_id: the carrier's own, the same when it sends it again."""

    carrier: str
    event_id: str
    waybill: Waybill
    event: str
    happened_at: datetime


class Taken(StrEnum):
    """What became of an event."""

    APPLIED = "applied"
    RECORDED = "recorded"
    DUPLICATE = "duplicate"
    UNKNOWN_WAYBILL = "unknown_waybill"


@dataclass(frozen=True)
class CarrierDesk:
    """Takes events whose signature was verified. Each event id of a carrier counts once."""

    sessions: async_sessionmaker[AsyncSession]
    clock: Clock
    deliveries: Deliveries
    orders: OrderFile

    async def take(self, told: Told) -> Taken:
        """An event that is older than what moved the delivery last, or that the table does not list from
        where the delivery is, is recorded and moves nothing. An event of an unknown waybill is not
        remembered, so that the carrier can send it again.
        """
        now = self.clock()
        with acting_as(f"carrier:{told.carrier}"):
            return await self._take(told, now)

    async def _take(self, told: Told, now: datetime) -> Taken:
        async with self.sessions.begin() as session:
            delivery = await self.deliveries.lock_by_waybill(session, told.waybill)
            if delivery is None or delivery.carrier != told.carrier:
                return Taken.UNKNOWN_WAYBILL
            first = await insert_if_absent(
                session, CarrierEventRow, carrier=told.carrier, event_id=told.event_id, received_at=now
            )
            if not first:
                return Taken.DUPLICATE
            steps = await self._steps(session, delivery, told, now)
            await self._record(session, delivery, told, steps[-1] if steps else None, now)
            for step in steps:
                await self._move(session, delivery, step, now)
            return Taken.APPLIED if steps else Taken.RECORDED

    async def _steps(
        self, session: AsyncSession, delivery: Delivery, told: Told, now: datetime
    ) -> tuple[DeliveryState, ...]:
        try:
            event = CarrierEvent(told.event)
        except ValueError:
            return ()
        last = await self.deliveries.last_moved_at(session, delivery.id)
        if last is not None and min(told.happened_at, now) < last:
            return ()
        return steps_after(delivery.state, event)

    async def _record(
        self,
        session: AsyncSession,
        delivery: Delivery,
        told: Told,
        state: DeliveryState | None,
        now: datetime,
    ) -> None:
        # A carrier's clock that is ahead must not make later events look old.
        happened = min(told.happened_at, now)
        source = f"carrier:{told.carrier}"[:MAX_EVENT_NAME]
        body = {"event_id": told.event_id, "told_at": told.happened_at.isoformat()}
        event = DeliveryEvent(source, told.event[:MAX_EVENT_NAME], happened, now, state, body)
        await self.deliveries.tell(session, delivery.id, event)

    async def _move(
        self, session: AsyncSession, delivery: Delivery, state: DeliveryState, now: datetime
    ) -> None:
        await self.deliveries.move(session, delivery.id, state, now)
        if state is DeliveryState.RETURNED:
            # The subscriber, which is off, goes; card, place and number are given back by the flow.
            await self.orders.end(session, delivery.order, OrderState.RETURNED)
