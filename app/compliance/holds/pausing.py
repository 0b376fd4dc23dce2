"""What applicants and couriers may not begin under a hold (R9.3): sign-ins, video checks.

Couriers are stopped where all is. Reviewers and operators never are: they lift it, and answer the authority.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.store import Store
from activation.holds import Stopped
from app.access.principals import Applicant, Role, Staff


async def is_paused(
    session: AsyncSession, principal: Applicant | Staff, at: datetime, what: Stopped = Stopped.SIGN_IN
) -> bool:
    """Whether a hold is in the way; counted if so."""
    store = Store()
    if isinstance(principal, Staff):
        if principal.role is not Role.COURIER:
            return False
        return await store.holds.stops(session, None, what, principal.id, at)
    order = await store.orders.read(session, principal.order)
    if order is None:
        return False
    return await store.holds.stops(session, order.reach, what, order.id, at)
