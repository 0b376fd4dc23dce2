"""Uploads

Revision: 0007
After: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(length=28), nullable=False),
        sa.Column("order_id", sa.String(length=28), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("media_type", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("opened_at", _WHEN, nullable=False),
        sa.Column("taken_at", _WHEN, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_index(op.f("ix_uploads_order_id"), "uploads", ["order_id"])
    op.create_index(op.f("ix_uploads_opened_at"), "uploads", ["opened_at"])


def downgrade() -> None:
    op.drop_table("uploads")
