"""Tables of the audit trail: one hash chain for each order, member of staff and office."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from activation.adapters.sql.tables import Row


class AuditEntryRow(Row):
    """Append-only. `content` is what was hashed; `event`, `actor` and `at` repeat it for searching."""

    __tablename__ = "audit_entries"

    chain: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)  # 1, 2, 3 …
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(sa.String(64), index=True)
    event: Mapped[str] = mapped_column(sa.String(48), index=True)
    content: Mapped[str] = mapped_column(sa.Text)  # canonical JSON
    hash: Mapped[str] = mapped_column(sa.String(64))


class AuditHeadRow(Row):
    """The last entry of each chain; its row is what writers of one chain wait for."""

    __tablename__ = "audit_heads"

    chain: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(sa.String(64))
