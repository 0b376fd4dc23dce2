"""Audit trail

Revision: 0002
After: 0001
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from activation.adapters.sql.audit import append, entry
from activation.adapters.sql.audit_chain import digest_of
from activation.adapters.sql.audit_guards import guards, no_guards
from activation.adapters.sql.fields import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_BEFORE = "recorded before the trail began"


def upgrade() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=48), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("chain", "seq", name=op.f("pk_audit_entries")),
    )
    for column in ("at", "actor", "event"):
        op.create_index(op.f(f"ix_audit_entries_{column}"), "audit_entries", [column])
    op.create_table(
        "audit_heads",
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_audit_heads")),
    )

    op.create_table(
        "audit_checkpoints",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_checkpoints")),
    )
    op.create_table(
        "audit_checkpoint_heads",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", "chain", name=op.f("pk_audit_checkpoint_heads")),
    )
    op.create_index("ix_audit_checkpoint_heads_chain_seq", "audit_checkpoint_heads", ["chain", "seq"])
    for statement in guards(op.get_bind()):
        op.get_bind().exec_driver_sql(statement)
    _adopt(op.get_bind())


def _adopt(connection: sa.Connection) -> None:
    """Facts and decisions that were there before the trail, so that it speaks of all of them."""
    facts = sa.text("SELECT order_id, seq, kind, body FROM facts ORDER BY order_id, seq")
    decisions = sa.text("SELECT * FROM decisions ORDER BY order_id, id").columns(at=Instant())
    for query, told in ((facts, _of_fact), (decisions, _of_decision)):
        for part in connection.execute(query, execution_options={"yield_per": 1_000}).partitions():
            append(connection, [told(row) for row in part])


def _of_fact(row: Any) -> dict[str, Any]:
    details = {"seq": row.seq, "sha256": digest_of(_value(row.body))}
    return entry(row.order_id, f"fact.{row.kind}", "R9.1", _BEFORE, details)


def _of_decision(row: Any) -> dict[str, Any]:
    asked, answer = _value(row.input), _value(row.answer)
    details = {
        "id": row.id,
        "answer": answer["decision"],
        "facts": row.facts_seen,
        "at": row.at.isoformat(),
        "input_sha256": digest_of(asked),
        "answer_sha256": digest_of(answer),
    }
    return entry(row.order_id, f"decision.{row.question}", "R9.1", _BEFORE, details)


def _value(stored: Any) -> Any:
    return json.loads(stored) if isinstance(stored, str) else stored


def downgrade() -> None:
    for table in ("audit_checkpoint_heads", "audit_checkpoints", "audit_heads", "audit_entries"):
        op.drop_table(table)
    for statement in no_guards(op.get_bind()):
        op.get_bind().exec_driver_sql(statement)
