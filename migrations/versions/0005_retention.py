"""Retention

Revision: 0005
After: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_INDEXES = (
    ("ix_orders_state_changed_at", "orders", ["state", "changed_at"]),
    ("ix_numbers_held_until", "numbers", ["held_until"]),
    ("ix_evidence_objects_order_id_kind", "evidence_objects", ["order_id", "kind"]),
)


def upgrade() -> None:
    for name, table, columns in _INDEXES:
        op.create_index(op.f(name), table, columns)
    op.add_column(
        "consents", sa.Column("text_digest", sa.String(length=64), nullable=False, server_default="")
    )
    with op.batch_alter_table("consents") as consents:
        consents.alter_column("text_digest", server_default=None)
    _ends_and_holds()
    _tombstones()
    _orphans()
    _requests_and_faces()


def downgrade() -> None:
    for table in (
        *("face_templates", "subject_requests", "orphan_objects"),
        *("tombstones", "legal_holds", "service_ends"),
    ):
        op.drop_table(table)
    with op.batch_alter_table("consents") as consents:
        consents.drop_column("text_digest")
    for name, table, _columns in reversed(_INDEXES):
        op.drop_index(op.f(name), table_name=table)


def _ends_and_holds() -> None:
    op.create_table(
        "service_ends",
        sa.Column("order_id", sa.String(length=28), nullable=False),
        sa.Column("asked_at", _INSTANT, nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("keep_number", sa.Boolean(), nullable=False),
        sa.Column("ended_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_service_ends")),
    )
    op.create_table(
        "legal_holds",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("order_id", sa.String(length=28), nullable=False),
        sa.Column("placed_at", _INSTANT, nullable=False),
        sa.Column("placed_by", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("lifted_at", _INSTANT, nullable=True),
        sa.Column("lifted_by", sa.String(length=64), nullable=True),
        sa.Column("lift_reason", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_holds")),
    )
    op.create_index(op.f("ix_legal_holds_order_id"), "legal_holds", ["order_id"])


def _tombstones() -> None:
    op.create_table(
        "tombstones",
        sa.Column("order_id", sa.String(length=28), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("kept_as", sa.String(length=32), nullable=False),
        sa.Column("rule", sa.String(length=16), nullable=False),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("over_at", _INSTANT, nullable=False),
        sa.Column("begun_at", _INSTANT, nullable=False),
        sa.Column("begun_by", sa.String(length=64), nullable=False),
        sa.Column("destroyed_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_tombstones")),
    )
    op.create_index(op.f("ix_tombstones_destroyed_at"), "tombstones", ["destroyed_at"])


def _orphans() -> None:
    op.create_table(
        "orphan_objects",
        sa.Column("order_id", sa.String(length=28), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("seen_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("order_id", "digest", name=op.f("pk_orphan_objects")),
    )


def _requests_and_faces() -> None:
    op.create_table(
        "subject_requests",
        sa.Column("id", sa.String(length=28), nullable=False),
        sa.Column("order_id", sa.String(length=28), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("answer", sa.String(length=32), nullable=False),
        sa.Column("asked_at", _INSTANT, nullable=False),
        sa.Column("due_at", _INSTANT, nullable=False),
        sa.Column("closed_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subject_requests")),
    )
    op.create_index(op.f("ix_subject_requests_order_id"), "subject_requests", ["order_id"])
    op.create_index(op.f("ix_subject_requests_state_due_at"), "subject_requests", ["state", "due_at"])
    op.create_table(
        "face_templates",
        sa.Column("order_id", sa.String(length=28), nullable=False),
        sa.Column("since", _INSTANT, nullable=False),
        sa.Column("withdrawn_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_face_templates")),
    )
    op.create_index(op.f("ix_face_templates_withdrawn_at"), "face_templates", ["withdrawn_at"])
