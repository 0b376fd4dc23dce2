"""Texts of the sandbox outbox, sealed under the key of the order that they are about."""

from __future__ import annotations

import re

from activation.adapters.sql.fields import field_keys
from activation.adapters.sql.sealed import seal, unseal
from activation.adapters.sql.tables import MessageRow
from activation.ids import OrderId

COLUMN = "sandbox_messages.text"
#: Keys of messages about an order begin with its id.
_ORDER = re.compile(r"ord_[0-9a-f]{24}(?=-)")


async def sealed_text(key: str, text: str) -> bytes:
    """What is stored of a message that was sent under `key`."""
    order = order_of(key)
    return field_keys().encrypt(COLUMN, text.encode()) if order is None else await seal(order, COLUMN, text)


async def read_text(row: MessageRow) -> str | None:
    """What a stored message says; None where its order's data were destroyed (R8.2)."""
    order = order_of(row.key)
    if order is None:
        return field_keys().decrypt(COLUMN, row.text).decode()
    return await unseal(order, COLUMN, row.text)


def order_of(key: str) -> OrderId | None:
    """The order that a message is about, by its key; None: about none."""
    found = _ORDER.match(key)
    return OrderId(found[0]) if found else None
