"""A member of staff gives name and password. Guessing is limited so that it locks nobody else out.

Failures from strange devices are counted per name; a device from which this person has signed in before is
counted by itself (OWASP: slow down online guessing with device cookies). Whoever guesses at a name from a
thousand addresses uses up the strangers' tries, never those of the person at their own desk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.access.devices import device_digest
from app.access.principals import Staff
from app.access.rates import (
    SIGN_INS_PER_ADDRESS,
    SIGN_INS_PER_KNOWN_DEVICE,
    SIGN_INS_PER_NAME,
    SIGN_INS_PER_NAME_AND_ADDRESS,
    Limit,
)
from app.preselection.opening import TooOften
from app.tables import StaffRow

if TYPE_CHECKING:
    from app.services import Services


@dataclass(frozen=True)
class Attempt:
    """client: network address. device: what the request shows of an earlier sign-in, or None."""

    username: str = field(repr=False)
    password: str = field(repr=False)
    client: str
    device: str | None = field(repr=False)


async def sign_in_staff(services: Services, attempt: Attempt) -> Staff | TooOften | None:
    """Who it is; None where name or password is wrong or the account ended, never which.

    Raises PasswordsBusy.
    """
    for limit, subject in await _limits(services, attempt):
        seconds = await services.rates.wait_for(limit, subject)
        if seconds is not None:
            return TooOften(seconds)
    return await services.staff.sign_in(services.sessions, attempt.username, attempt.password)


async def _limits(services: Services, attempt: Attempt) -> list[tuple[Limit, str]]:
    name = attempt.username.casefold()
    if attempt.device is not None and await _is_known(services, name, attempt.device):
        return [(SIGN_INS_PER_KNOWN_DEVICE, f"{name}\n{device_digest(attempt.device)}")]
    return [
        (SIGN_INS_PER_ADDRESS, attempt.client),
        (SIGN_INS_PER_NAME_AND_ADDRESS, f"{name}\n{attempt.client}"),
        (SIGN_INS_PER_NAME, name),
    ]


async def _is_known(services: Services, name: str, device: str) -> bool:
    async with services.readers() as session:
        staff = await session.scalar(sa.select(StaffRow.id).where(StaffRow.username == name))
        return staff is not None and await services.families.knows(session, staff, device)
