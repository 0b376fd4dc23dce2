"""A parcel that came back to the depot: the last word about it, for carriers who tell nothing themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.ids import DeliveryId, StaffId
from activation.order import OrderState
from activation.ports import Clock, OrderFile
from logistics.deliveries import Deliveries, Delivery, DeliveryEvent
from logistics.delivery import DeliveryState, may_follow

_BACK = DeliveryState.RETURNED


class ReturnRefusal(StrEnum):
    """Why a parcel cannot have come back."""

    NOT_FOUND = "not_found"
    HANDED_OVER = "handed_over"


@dataclass(frozen=True)
class Returns:
    """What the depot does with parcels that nobody got."""

    sessions: async_sessionmaker[AsyncSession]
    clock: Clock
    deliveries: Deliveries
    orders: OrderFile

    async def take_back(self, operator: StaffId, delivery_id: DeliveryId) -> Delivery | ReturnRefusal:
        """The parcel lies unopened in the depot; its order is over, unless it was before. Twice is once."""
        now = self.clock()
        async with self.sessions.begin() as session:
            delivery = await self.deliveries.lock(session, delivery_id)
            if delivery is None:
                return ReturnRefusal.NOT_FOUND
            if delivery.state is _BACK:
                return delivery
            if not may_follow(delivery.state, _BACK):
                return ReturnRefusal.HANDED_OVER
            await self.deliveries.move(session, delivery_id, _BACK, now)
            await self.deliveries.tell(
                session, delivery_id, DeliveryEvent(operator, _BACK, now, now, _BACK, {})
            )
            await self.orders.end(session, delivery.order, OrderState.RETURNED)
        return replace(delivery, state=_BACK, changed_at=now)
