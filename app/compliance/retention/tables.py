"""Tables of retention: legal holds, what was destroyed and why, and requests of the people concerned."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from activation.adapters.sql.tables import Row


class LegalHoldRow(Row):
    """R8.1: stops destruction of one order's data until it is lifted. Kept for ever."""

    __tablename__ = "legal_holds"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    order_id: Mapped[str] = mapped_column(sa.String(28), index=True)
    placed_at: Mapped[datetime]
    placed_by: Mapped[str] = mapped_column(sa.String(64))
    reason: Mapped[str] = mapped_column(sa.String(500))
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(sa.String(64))
    lift_reason: Mapped[str | None] = mapped_column(sa.String(500))


class TombstoneRow(Row):
    """What stays of a destroyed order: that there was one, when, and why it is gone (R8.2)."""

    __tablename__ = "tombstones"

    order_id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    state: Mapped[str] = mapped_column(sa.String(16))  # of the order when destruction began
    kept_as: Mapped[str] = mapped_column(sa.String(32))  # `rules.Kept`
    rule: Mapped[str] = mapped_column(sa.String(16))  # id of the rule: R8.1, R9.4 …
    opened_at: Mapped[datetime]
    over_at: Mapped[datetime]  # when the clock of retention started
    begun_at: Mapped[datetime]
    begun_by: Mapped[str] = mapped_column(sa.String(64))
    destroyed_at: Mapped[datetime | None] = mapped_column(index=True)  # None: destruction goes on


class OrphanRow(Row):
    """An object that the vault holds and nothing speaks of, and since when."""

    __tablename__ = "orphan_objects"

    order_id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    seen_at: Mapped[datetime]


class SubjectRequestRow(Row):
    """A request of an applicant about their own data. Says nothing about them; kept with the tombstone."""

    __tablename__ = "subject_requests"

    id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    order_id: Mapped[str] = mapped_column(sa.String(28), index=True)
    kind: Mapped[str] = mapped_column(sa.String(16))  # access | correction | deletion
    state: Mapped[str] = mapped_column(sa.String(16))  # open | done | refused
    answer: Mapped[str] = mapped_column(sa.String(32))  # what the applicant is told, by its word
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    __table_args__ = (sa.Index("ix_subject_requests_state_due_at", "state", "due_at"),)


class FaceTemplateRow(Row):
    """That embeddings of an order's applicant are held; the vectors lie sealed with their captures (R9.4)."""

    __tablename__ = "face_templates"

    order_id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    since: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None] = mapped_column(index=True)  # the consent was taken back
