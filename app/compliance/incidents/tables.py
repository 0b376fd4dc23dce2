"""Tables of incidents: what happened, what was done about it, whom it concerns, by when who must be told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from activation.adapters.sql.tables import Row


class IncidentRow(Row):
    """criteria: `searches`, each the accounts, orders and time that the affected were worked out from."""

    __tablename__ = "incidents"

    id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(16))
    severity: Mapped[str] = mapped_column(sa.String(16))
    state: Mapped[str] = mapped_column(sa.String(8), index=True)  # open | closed
    what: Mapped[str] = mapped_column(sa.String(2000))
    criteria: Mapped[dict[str, Any]]
    discovered_at: Mapped[datetime]
    opened_at: Mapped[datetime] = mapped_column(index=True)
    opened_by: Mapped[str] = mapped_column(sa.String(28))
    searched_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(sa.String(28))
    conclusion: Mapped[str | None] = mapped_column(sa.String(2000))


class IncidentMeasureRow(Row):
    """One measure taken. Append-only."""

    __tablename__ = "incident_measures"

    incident_id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(24))
    what: Mapped[str] = mapped_column(sa.String(1000))
    by: Mapped[str] = mapped_column(sa.String(28))
    at: Mapped[datetime]


class IncidentOrderRow(Row):
    """An order whose applicant is affected, and why that is thought. Only ever added to."""

    __tablename__ = "incident_orders"

    incident_id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    order_id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    because: Mapped[str] = mapped_column(sa.String(48))  # event of the audit trail, or `named`
    found_at: Mapped[datetime]


class IncidentDeadlineRow(Row):
    """A duty with its time. alarmed_at: when it was found overdue and said so."""

    __tablename__ = "incident_deadlines"

    incident_id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    duty: Mapped[str] = mapped_column(sa.String(24), primary_key=True)
    due_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None] = mapped_column(sa.String(28))
    reference: Mapped[str | None] = mapped_column(sa.String(200))
    alarmed_at: Mapped[datetime | None]
    __table_args__ = (sa.Index("ix_incident_deadlines_done_at_due_at", "done_at", "due_at"),)
