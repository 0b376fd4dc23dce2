"""What the logistics room needs from outside, beside `activation.ports.OrderFile`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from activation.ids import StaffId


class Couriers(Protocol):
    """The couriers' accounts."""

    async def active(self, session: AsyncSession, carrier: str) -> Sequence[StaffId]:
        """Couriers of a carrier who can sign in, in a stable order."""

    async def carrier_of(self, session: AsyncSession, courier: StaffId) -> str | None:
        """The carrier that an active courier works for; None for everybody else."""
