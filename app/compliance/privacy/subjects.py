"""Needles from the orders themselves: unsealed in memory, looked for, forgotten."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.store import Store
from activation.adapters.sql.tables import OrderRow
from activation.ids import OrderId
from activation.order_keys import OrderKeyGone
from app.compliance.privacy.needles import Embedding, Kind, Needle
from app.preselection.stored import load_captures

#: Without `--order`, the newest orders.
ORDERS = 200
MAX_FILE_BYTES = 64 * 1024


class NeedlesUnusable(Exception):
    """A file of needles is not a JSON object of name, number, address and phone."""


@dataclass(repr=False)
class Sought:
    """orders: whose data are looked for; destroyed: orders that have none any more (R8.2)."""

    needles: list[Needle | Embedding] = field(default_factory=list)
    orders: int = 0
    destroyed: int = 0


def read_needles(path: Path) -> Sought:
    """`{"name": "…", "phone": ["…", "…"]}`. Raises NeedlesUnusable."""
    try:
        with path.open("rb") as file:
            members: dict[str, Any] = json.loads(file.read(MAX_FILE_BYTES))
        listed = {Kind(kind): [told] if isinstance(told, str) else told for kind, told in members.items()}
        needles = [Needle(kind, str(text)) for kind, texts in listed.items() for text in texts]
    except (OSError, ValueError, AttributeError, TypeError):
        raise NeedlesUnusable("a JSON object with name, number, address or phone is wanted") from None
    if not needles:
        raise NeedlesUnusable("the file holds no needle")
    return Sought([*needles])


async def needles_of_orders(session: AsyncSession, order_id: OrderId | None) -> Sought:
    """Of one order, or of the newest ORDERS."""
    query = sa.select(OrderRow.id).order_by(OrderRow.created_at.desc()).limit(ORDERS)
    if order_id is not None:
        query = query.where(OrderRow.id == order_id)
    sought = Sought()
    for found in list(await session.scalars(query)):
        try:
            needles = await _of_order(session, OrderId(found))
        except OrderKeyGone:
            needles = []
        sought.orders += bool(needles)
        sought.destroyed += not needles
        sought.needles += needles
    return sought


async def _of_order(session: AsyncSession, order_id: OrderId) -> list[Needle | Embedding]:
    orders = Store().orders
    document, contact = await orders.document(session, order_id), await orders.contact(session, order_id)
    texts: list[tuple[Kind, str | None]] = []
    if document is not None:
        texts += [
            (Kind.NAME, document.name),
            (Kind.NUMBER, document.number),
            (Kind.ADDRESS, document.address),
        ]
    if contact is not None:
        texts += [
            *((Kind.PHONE, str(contact.phone)), (Kind.NAME, contact.recipient)),
            (Kind.ADDRESS, contact.address),
        ]
    needles: list[Needle | Embedding] = [Needle(kind, text) for kind, text in texts if text]
    captures = await load_captures(session, order_id)
    needles += [Embedding([float(part) for part in face.embedding]) for face in captures.faces]
    return needles
