"""That face templates of an order are held, and whether the consent to hold them still stands (R9.4)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.engine import insert_if_absent
from activation.ids import OrderId
from app.compliance.retention.tables import FaceTemplateRow as T

#: The mission that lets go of face templates and pictures.
FORGET_FACES = "forget_faces"


async def templates_held(session: AsyncSession, order_id: OrderId, at: datetime) -> None:
    """Written down with the embeddings themselves, in their transaction."""
    await insert_if_absent(session, T, order_id=order_id, since=at)


async def withdrawn(session: AsyncSession, order_id: OrderId, at: datetime) -> None:
    """Also where no template is held: pictures of the face may be."""
    await insert_if_absent(session, T, order_id=order_id, since=at)
    await session.execute(sa.update(T).where(T.order_id == order_id).values(withdrawn_at=at))


async def given_anew(session: AsyncSession, order_id: OrderId) -> None:
    """What is taken from now on is held by a consent; what was withdrawn before is being destroyed."""
    await session.execute(sa.update(T).where(T.order_id == order_id).values(withdrawn_at=None))
