"""Table of rotations: how far each has come, so that one that was killed goes on where it was."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from activation.adapters.sql.tables import Row

#: Row that migration 0004 leaves where there were orders already; finished once each of them has a key.
FIRST_KEYS = "first_keys"

#: Row whose target is the name of the key store that belongs to this database.
KEY_STORE = "key_store"


class KeyRotationRow(Row):
    """One part of the work, towards one key. target: short digest of the current key's id."""

    __tablename__ = "key_rotations"

    part: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    target: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    after: Mapped[list[Any] | None] = mapped_column(sa.JSON)  # the last item that was looked at
    done: Mapped[int] = mapped_column(default=0)  # items looked at
    total: Mapped[int] = mapped_column(default=0)
    begun_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
