"""What the applicant is told, and the secrets that messages and package carry.

The package's code is derived, not stored: the step that prints or sends it can be run again.
"""

from __future__ import annotations

import base64

from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.fields import field_keys
from activation.adapters.sql.store import Store
from activation.ids import Digest, Iccid, OrderId
from activation.ports import Clock, MessageKind, Shipping

_CODE_BYTES = 20


def activation_code(order_id: OrderId, iccid: Iccid) -> str:
    """The code in the package of this card: 160 bits, base32 (32 characters)."""
    return base64.b32encode(field_keys().secret("activation", f"{order_id} {iccid}", _CODE_BYTES)).decode()


def activation_digest(order_id: OrderId, iccid: Iccid) -> Digest:
    """What is stored of the package's code."""
    return field_keys().digest("activation", activation_code(order_id, iccid))


async def message_values(
    session: AsyncSession,
    order_id: OrderId,
    kind: MessageKind,
    store: Store,
    shipping: Shipping,
    clock: Clock,
    base_url: str,
) -> dict[str, str]:
    """What the text of `kind` shows about this order."""
    order = await store.orders.lock(session, order_id)
    values: dict[str, str] = {"number": order.msisdn}
    match kind:
        case MessageKind.SHIPPED | MessageKind.HANDOVER_CODE if order.iccid:
            waybill, code = await shipping.create_delivery(session, order_id, order.iccid, clock())
            values |= {"waybill": waybill} if kind is MessageKind.SHIPPED else {"code": code}
        case MessageKind.ACTIVATION_LINK | MessageKind.NEW_CHECK_WANTED if order.iccid:
            values["link"] = f"{base_url}/activate#{activation_code(order_id, order.iccid)}"
        case _:
            pass
    return values
