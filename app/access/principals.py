"""Who may call: a person with a token, or anybody."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from activation.ids import OrderId, StaffId


class Role(StrEnum):
    """Also the scope that stands in a token. ANYONE has none."""

    ANYONE = "anyone"
    APPLICANT = "applicant"
    COURIER = "courier"
    REVIEWER = "reviewer"
    OPERATOR = "operator"


STAFF_ROLES = frozenset({Role.COURIER, Role.REVIEWER, Role.OPERATOR})


@dataclass(frozen=True)
class Anyone:
    """Nobody in particular."""

    role = Role.ANYONE
    subject = "anyone"


@dataclass(frozen=True)
class Applicant:
    """Somebody who holds the contact phone of one order; sees that order and no other."""

    order: OrderId

    role = Role.APPLICANT

    @property
    def subject(self) -> str:
        return str(self.order)


@dataclass(frozen=True)
class Staff:
    """A courier, reviewer or operator."""

    id: StaffId
    role: Role

    def __post_init__(self) -> None:
        if self.role not in STAFF_ROLES:
            raise ValueError("not a role of staff")

    @property
    def subject(self) -> str:
        return str(self.id)


Principal = Anyone | Applicant | Staff
