"""Tables of holds: who ordered them, which process saw them when, and what they stopped (R9.3)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from activation.adapters.sql.tables import Row


class HoldRow(Row):
    """authority and document: who ordered it and under which number; empty where the operator did."""

    __tablename__ = "holds"

    id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    state: Mapped[str] = mapped_column(sa.String(8))  # active | lifting | lifted
    scope: Mapped[str] = mapped_column(sa.String(8))  # all | province | dealer | channel | order
    value: Mapped[str] = mapped_column(sa.String(64), default="")
    authority: Mapped[str] = mapped_column(sa.String(100), default="")
    document: Mapped[str] = mapped_column(sa.String(100), default="")
    reason: Mapped[str] = mapped_column(sa.String(500))
    placed_by: Mapped[str] = mapped_column(sa.String(28))
    placed_at: Mapped[datetime] = mapped_column(index=True)
    # An order of the authority is lifted by two: the first asks, another one does it.
    lift_asked_by: Mapped[str | None] = mapped_column(sa.String(28))
    lift_asked_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(sa.String(28))
    lifted_at: Mapped[datetime | None]
    lift_reason: Mapped[str | None] = mapped_column(sa.String(500))
    __table_args__ = (sa.Index("ix_holds_state_scope_value", "state", "scope", "value"),)


class HoldSightingRow(Row):
    """When a process first saw a hold in force, and when that it was lifted.

    watching_since: a process that began later than the hold could not have seen it sooner.
    """

    __tablename__ = "hold_sightings"

    hold_id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    executor: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    at: Mapped[datetime]
    watching_since: Mapped[datetime]
    lifted_at: Mapped[datetime | None]


class HoldStopRow(Row):
    """What a hold stopped: an order's shipment or activation, a sign-in … subject: order, staff or process.

    times: 0 while its subscriber may still be on. waits: to be started again when the hold is lifted.
    """

    __tablename__ = "hold_stops"

    hold_id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    what: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    subject: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    at: Mapped[datetime]
    times: Mapped[int] = mapped_column(default=1)
    waits: Mapped[bool]
    __table_args__ = (sa.Index("ix_hold_stops_hold_id_waits", "hold_id", "waits"),)
