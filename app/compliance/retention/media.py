"""Every object of an order that something speaks of: rows, facts, the parcel's photo."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.facts import FactLog
from activation.adapters.sql.tables import CaptureRow, EvidenceRow
from activation.evidence import CapturesMeasured, Handover, VideoCheckMeasured
from activation.ids import Digest, OrderId
from logistics.tables import DeliveryRow


async def known_media(session: AsyncSession, order_id: OrderId) -> tuple[Digest, ...]:
    """Digests, each once, in no order that means anything. What the vault holds beyond them is an orphan."""
    named: list[str | None] = []
    for column in (EvidenceRow.digest, CaptureRow.media_digest, DeliveryRow.photo_digest):
        table = column.class_
        named += await session.scalars(sa.select(column).where(table.order_id == order_id))
    for fact in (await FactLog().load(session, order_id)).evidence:
        match fact:
            case CapturesMeasured() | VideoCheckMeasured():
                named += fact.media
            case Handover():
                named.append(fact.photo)
            case _:
                pass
    return tuple(dict.fromkeys(Digest(each) for each in named if each))
