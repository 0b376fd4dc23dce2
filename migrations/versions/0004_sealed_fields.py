"""Sealed fields

Revision: 0004
After: 0003
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = op.create_table(
        "key_rotations",
        sa.Column("part", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=32), nullable=False),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("part", "target", name=op.f("pk_key_rotations")),
    )
    # Orders from before have no key yet; the server, or `keys rotate`, makes them before anything else.
    if op.get_bind().scalar(sa.text("SELECT 1 FROM orders LIMIT 1")):
        begun = datetime.now(UTC)
        op.bulk_insert(
            table, [{"part": "first_keys", "target": "", "done": 0, "total": 0, "begun_at": begun}]
        )


def downgrade() -> None:
    op.drop_table("key_rotations")
