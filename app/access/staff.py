"""Accounts of couriers, reviewers and operators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.audit import note
from activation.adapters.sql.engine import insert_if_absent
from activation.ids import StaffId
from app.access.passwords import MAX_LENGTH, MIN_LENGTH, Passwords
from app.access.principals import STAFF_ROLES, Role, Staff
from app.tables import StaffRow


class AccountRefusal(StrEnum):
    """Why no account was made."""

    NAME_TAKEN = "name_taken"
    PASSWORD_WEAK = "password_weak"  # noqa: S105 - the name of a refusal
    CARRIER_WANTED = "carrier_wanted"
    CARRIER_UNKNOWN = "carrier_unknown"
    NOT_STAFF = "not_staff"


@dataclass(frozen=True, repr=False)
class NewAccount:
    """carrier: whom a courier works for; None for everybody else."""

    username: str
    password: str
    role: Role
    carrier: str | None = None

    def refusal(self) -> AccountRefusal | None:
        """What is wrong with it by itself."""
        if self.role not in STAFF_ROLES:
            return AccountRefusal.NOT_STAFF
        long_enough = MIN_LENGTH <= len(self.password) <= MAX_LENGTH
        if not long_enough or len(set(self.password)) < MIN_LENGTH // 2 or self.username in self.password:
            return AccountRefusal.PASSWORD_WEAK
        if (self.role is Role.COURIER) != (self.carrier is not None):
            return AccountRefusal.CARRIER_WANTED
        return None


class StaffAccounts:
    """Also `logistics.ports.Couriers`. Calls with a session work inside the caller's transaction."""

    def __init__(self, passwords: Passwords, clock: Callable[[], datetime]) -> None:
        self._passwords = passwords
        self._clock = clock

    async def create(self, session: AsyncSession, new: NewAccount) -> StaffId | AccountRefusal:
        """Makes the account. Ask first in a transaction: hashing takes a tenth of a second or more."""
        refusal = new.refusal()
        if refusal is not None:
            return refusal
        hashed = await self._passwords.hash(new.password)
        staff = StaffId.new()
        made = await insert_if_absent(
            session,
            StaffRow,
            id=staff,
            username=new.username,
            role=new.role,
            password_hash=hashed,
            carrier=new.carrier,
            disabled=False,
            created_at=self._clock(),
        )
        if not made:
            return AccountRefusal.NAME_TAKEN
        await note(session, staff, "staff.created", "R9.1", role=new.role, carrier=new.carrier)
        return staff

    async def sign_in(
        self, sessions: async_sessionmaker[AsyncSession], username: str, password: str
    ) -> Staff | None:
        """Who it is; None where name or password is wrong or the account is disabled, never which.

        Raises PasswordsBusy. Holds no transaction while it works on the password. A refusal is noted in
        the trail of the account that was named; `sessions` write.
        """
        columns = (StaffRow.id, StaffRow.role, StaffRow.password_hash, StaffRow.disabled)
        async with sessions() as session:
            row = (await session.execute(sa.select(*columns).where(StaffRow.username == username))).first()
        right = await self._passwords.verify(password, row.password_hash if row else None)
        if row is None or not right or row.disabled:
            async with sessions.begin() as session:
                await note(session, row.id if row else "sign_in", "sign_in.refused", "R9.1")
            return None
        return Staff(StaffId(row.id), Role(row.role))

    async def disable(self, session: AsyncSession, staff: StaffId) -> bool:
        """Ends the account and, within a second, its tokens (`Revocations`).

        False: there is none that was not ended before.
        """
        in_use = (StaffRow.id == staff, StaffRow.disabled.is_(False))
        ended = await session.execute(
            sa.update(StaffRow).where(*in_use).values(disabled=True).returning(StaffRow.id)
        )
        if ended.first() is None:
            return False
        await note(session, staff, "staff.disabled", "R9.1")
        return True

    async def active(self, session: AsyncSession, carrier: str) -> Sequence[StaffId]:
        """Couriers of a carrier who can sign in, in a stable order."""
        ids = await session.scalars(
            sa.select(StaffRow.id)
            .where(StaffRow.role == Role.COURIER, StaffRow.carrier == carrier, StaffRow.disabled.is_(False))
            .order_by(StaffRow.created_at, StaffRow.id)
        )
        return [StaffId(each) for each in ids]

    async def carrier_of(self, session: AsyncSession, courier: StaffId) -> str | None:
        """The carrier that an active courier works for; None for everybody else."""
        carrier: str | None = await session.scalar(
            sa.select(StaffRow.carrier).where(
                StaffRow.id == courier, StaffRow.role == Role.COURIER, StaffRow.disabled.is_(False)
            )
        )
        return carrier
