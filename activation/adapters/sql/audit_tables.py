"""Tables of the audit trail: one hash chain for each order, member of staff and office; checkpoints."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from activation.adapters.sql.audit_guards import guards
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


class AuditCheckpointRow(Row):
    """Append-only. `content` is what was signed; `number` and `at` repeat it."""

    __tablename__ = "audit_checkpoints"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # 1, 2, 3 …
    at: Mapped[datetime]
    content: Mapped[str] = mapped_column(sa.Text)  # canonical JSON
    hash: Mapped[str] = mapped_column(sa.String(64))
    signature: Mapped[str] = mapped_column(sa.String(128))  # Ed25519, hex


class AuditCheckpointHeadRow(Row):
    """Append-only. The heads that a checkpoint has seen for the first time; the others are as before it."""

    __tablename__ = "audit_checkpoint_heads"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    chain: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(sa.String(64))
    __table_args__ = (sa.Index("ix_audit_checkpoint_heads_chain_seq", "chain", "seq"),)


def _guard(_target: Any, connection: sa.Connection, tables: Collection[sa.Table], **_options: Any) -> None:
    if AuditHeadRow.__table__ in tables:
        for statement in guards(connection):
            connection.exec_driver_sql(statement)


# Migrations make them as well; this is for databases made from the models.
sa.event.listen(Row.metadata, "after_create", _guard)
