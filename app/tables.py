"""Tables of the outermost room: accounts, codes, idempotency, review."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from activation.adapters.sql.fields import Encrypted
from activation.adapters.sql.tables import Row


class StaffRow(Row):
    __tablename__ = "staff"

    id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    username: Mapped[str] = mapped_column(sa.String(64), unique=True)
    role: Mapped[str] = mapped_column(sa.String(16))  # courier | reviewer | operator
    password_hash: Mapped[str] = mapped_column(sa.String(255))
    carrier: Mapped[str | None] = mapped_column(sa.String(32))
    disabled: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class OneTimeCodeRow(Row):
    """The one code that is valid now for an order's contact phone; only its keyed hash is stored."""

    __tablename__ = "one_time_codes"

    order_id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    code_digest: Mapped[str] = mapped_column(sa.String(64))
    expires_at: Mapped[datetime]
    failures: Mapped[int] = mapped_column(default=0)


class RateRow(Row):
    """Counters of limits that hold across processes; `bucket` names what is limited, never a person."""

    __tablename__ = "rates"

    bucket: Mapped[str] = mapped_column(sa.String(128), primary_key=True)
    window: Mapped[int] = mapped_column(primary_key=True)
    hits: Mapped[int]


class RevokedTokenRow(Row):
    __tablename__ = "revoked_tokens"

    jti: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class IdempotencyRow(Row):
    """The answer to a POST, given again to the same key, path, caller and body."""

    __tablename__ = "idempotency"

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)  # digest of caller, path, header
    request_digest: Mapped[str] = mapped_column(sa.String(64))  # keyed
    status: Mapped[int | None]  # None: still being worked on
    body: Mapped[str | None] = mapped_column(Encrypted("idempotency.body"))
    created_at: Mapped[datetime] = mapped_column(index=True)


class ReviewCaseRow(Row):
    __tablename__ = "review_cases"

    id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    order_id: Mapped[str] = mapped_column(sa.String(28), index=True)
    stage: Mapped[str] = mapped_column(sa.String(16))  # ship | activate
    state: Mapped[str] = mapped_column(sa.String(16))
    reasons: Mapped[list[Any]] = mapped_column(sa.JSON)
    two_people: Mapped[bool]
    about: Mapped[int]  # index of the last fact that the case shows
    claimed_by: Mapped[str | None] = mapped_column(sa.String(28))
    claimed_until: Mapped[datetime | None]
    proposal: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    __table_args__ = (
        sa.Index("ix_review_cases_state_opened_at", "state", "opened_at"),
        # One open case per order and stage; a second failure joins it.
        sa.Index(
            "uq_review_cases_open",
            "order_id",
            "stage",
            unique=True,
            sqlite_where=sa.text("state != 'decided'"),
            postgresql_where=sa.text("state != 'decided'"),
        ),
    )


class EvidenceLookRow(Row):
    """R9.1: who looked at which evidence, when, and for which case. Append-only."""

    __tablename__ = "evidence_looks"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    case_id: Mapped[str] = mapped_column(sa.String(28), index=True)
    order_id: Mapped[str] = mapped_column(sa.String(28), index=True)
    staff_id: Mapped[str] = mapped_column(sa.String(28))
    digest: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[datetime]
