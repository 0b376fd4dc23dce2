"""Table of direct uploads: which form was given out for which order and capture, and whether it was used."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from activation.adapters.sql.tables import Row


class UploadRow(Row):
    """Forgotten an hour after it was opened, with what lies in quarantine."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    order_id: Mapped[str] = mapped_column(sa.String(28), index=True)
    kind: Mapped[str] = mapped_column(sa.String(16))
    media_type: Mapped[str] = mapped_column(sa.String(64))
    sha256: Mapped[str | None] = mapped_column(sa.String(64))
    opened_at: Mapped[datetime] = mapped_column(index=True)
    taken_at: Mapped[datetime | None]
