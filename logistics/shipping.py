"""Making a parcel of a card: delivery, waybill, courier and handover code, in the flow's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit import note
from activation.adapters.sql.fields import FieldKeys
from activation.adapters.sql.store import Store
from activation.ids import DeliveryId, Iccid, OrderId, StaffId, Waybill
from activation.order import FINAL as OVER
from logistics.codes import MAX_ISSUES, code_digest, make_code
from logistics.deliveries import Deliveries, Delivery
from logistics.delivery import FINAL, DeliveryState
from logistics.ports import Couriers


class CodeRefusal(StrEnum):
    """Why no new handover code is made."""

    NO_DELIVERY = "no_delivery"
    DELIVERY_OVER = "delivery_over"
    TOO_MANY = "too_many"


@dataclass(frozen=True)
class ParcelShipping:
    """`activation.ports.Shipping` with one carrier: the one that parcels are given to."""

    keys: FieldKeys
    store: Store
    deliveries: Deliveries
    couriers: Couriers
    carrier: str

    async def create_delivery(
        self, session: AsyncSession, order_id: OrderId, iccid: Iccid, at: datetime
    ) -> tuple[Waybill, str]:
        """Waybill and handover code in clear. Called again for an order, it gives the same again.

        Raises LookupError where there is no such order, ValueError where it was shipped with another card.
        """
        made = await self.deliveries.of_order(session, order_id)
        if made is None:
            made = await self._create(session, order_id, iccid, at)
        elif made.iccid != iccid:
            raise ValueError("the order was shipped with another card")
        return made.waybill, make_code(self.keys, made.id, made.code_issue)

    async def new_code(
        self, session: AsyncSession, order_id: OrderId, *, also_unlock_document: bool = False
    ) -> int | CodeRefusal:
        """Number of a new code; the former is void. `create_delivery` gives the new one in clear."""
        made = await self.deliveries.of_order(session, order_id, lock=True)
        if made is None:
            return CodeRefusal.NO_DELIVERY
        order = await self.store.orders.read(session, order_id)
        if made.state in FINAL or order is None or order.state in OVER:
            return CodeRefusal.DELIVERY_OVER
        if made.code_issue >= MAX_ISSUES:
            return CodeRefusal.TOO_MANY
        code = make_code(self.keys, made.id, made.code_issue + 1)
        await self.deliveries.change(
            session,
            made.id,
            code_digest=code_digest(self.keys, made.id, code),
            code_issue=made.code_issue + 1,
            code_failures=0,
            tail_failures=0 if also_unlock_document else made.tail_failures,
        )
        await note(session, order_id, "handover_code.issued", "R3.3", issue=made.code_issue + 1)
        return made.code_issue + 1

    async def _create(self, session: AsyncSession, order_id: OrderId, iccid: Iccid, at: datetime) -> Delivery:
        contact = await self.store.orders.contact(session, order_id)
        if contact is None:
            raise LookupError("no such order")
        new = DeliveryId.new()
        delivery = Delivery(
            id=new,
            order=order_id,
            waybill=Waybill.new(),
            carrier=self.carrier,
            iccid=iccid,
            state=DeliveryState.CREATED,
            courier=await self._least_busy(session),
            code_digest=code_digest(self.keys, new, make_code(self.keys, new, 1)),
            code_issue=1,
            code_failures=0,
            tail_failures=0,
            photo=None,
            comparisons=(),
            created_at=at,
            changed_at=at,
        )
        await self.deliveries.create(session, delivery, contact.recipient, contact.address)
        return delivery

    async def _least_busy(self, session: AsyncSession) -> StaffId | None:
        """None: nobody is there; the courier who collects the parcel gets it."""
        couriers = await self.couriers.active(session, self.carrier)
        loads = await self.deliveries.loads(session, couriers) if couriers else {}
        return min(couriers, key=lambda courier: loads[courier], default=None)
