"""Personal fields of an order, sealed under the order's own key (R8.2, R9.1).

A value is bound to its order and its column, so that it can be moved to neither another order nor another
column. Columns are plain bytes and repositories seal and open by name, because a key may have to be fetched
and nothing of that belongs into a column type. What belongs to no order is `fields.Encrypted`.
"""

from __future__ import annotations

from typing import overload

from activation.adapters.sql.fields import field_keys
from activation.ids import OrderId
from activation.order_keys import OrderKeyGone, Unreadable, order_keys

#: First byte of a sealed value; FORMER: of one from before orders had keys, under the field key.
SEALED, FORMER = b"\x02", b"\x01"


@overload
async def seal(order_id: OrderId, column: str, value: str) -> bytes: ...
@overload
async def seal(order_id: OrderId, column: str, value: None) -> None: ...
@overload
async def seal(order_id: OrderId, column: str, value: str | None) -> bytes | None: ...
async def seal(order_id: OrderId, column: str, value: str | None) -> bytes | None:
    """What is stored in `column` (`orders.name`). Raises OrderKeyGone, OrderKeysFault."""
    if value is None:
        return None
    return SEALED + (await order_keys().of(order_id)).seal(column, value.encode())


async def unseal(order_id: OrderId, column: str, stored: bytes | None) -> str | None:
    """Inverse of `seal`. None: there is no value, or the order's key was destroyed (R8.2).

    Raises OrderKeysFault, Unreadable, FieldUnreadable.
    """
    if stored is None:
        return None
    if stored.startswith(FORMER):
        return field_keys().decrypt(column, bytes(stored)).decode()
    if not stored.startswith(SEALED):
        raise Unreadable("unknown format of a sealed value")
    try:
        key = await order_keys().of(order_id)
    except OrderKeyGone:
        return None
    return key.open(column, bytes(stored[len(SEALED) :])).decode()
