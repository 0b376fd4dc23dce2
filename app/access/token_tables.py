"""Tables of sign-ins: a family is what one sign-in leads to, each of its refresh tokens is good once."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from activation.adapters.sql.tables import Row


class TokenFamilyRow(Row):
    """subject: an order or a member of staff. ended_for: `signed_out`, `reused` …; None while it is good."""

    __tablename__ = "token_families"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    subject: Mapped[str] = mapped_column(sa.String(28))
    role: Mapped[str] = mapped_column(sa.String(16))
    device_digest: Mapped[str] = mapped_column(sa.String(43))
    began_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    refreshes: Mapped[int] = mapped_column(default=0)
    ended_at: Mapped[datetime | None] = mapped_column(index=True)
    ended_for: Mapped[str | None] = mapped_column(sa.String(16))
    __table_args__ = (sa.Index("ix_token_families_subject_began_at", "subject", "began_at"),)


class RefreshTokenRow(Row):
    """Only a keyed hash is stored. Used ones stay until their family is forgotten: a second use is theft.

    successor: the digest of the token that this one was exchanged for; None while unused or made void.
    """

    __tablename__ = "refresh_tokens"

    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    family_id: Mapped[str] = mapped_column(sa.String(32), index=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    successor: Mapped[str | None] = mapped_column(sa.String(64))
