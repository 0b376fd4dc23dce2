"""Holds and incidents

Revision: 0003
After: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_WHEN = sa.DateTime(timezone=True)
_PROVINCES = (
    "北京 天津 河北 山西 内蒙古 辽宁 吉林 黑龙江 上海 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 "
    "广东 广西 海南 重庆 四川 贵州 云南 西藏 陕西 甘肃 青海 宁夏 新疆 台湾 香港 澳门"
).split()


def upgrade() -> None:
    _add_to_orders()
    _create_holds()
    _create_incidents()


def _add_to_orders() -> None:
    with op.batch_alter_table("orders") as batch_op:
        batch_op.add_column(sa.Column("province", sa.String(length=16), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("channel", sa.String(length=64), nullable=False, server_default="web"))
        batch_op.add_column(sa.Column("dealer", sa.String(length=64), nullable=True))
    orders = sa.table("orders", sa.column("region", sa.String), sa.column("province", sa.String))
    for province in _PROVINCES:
        begins = orders.c.region.startswith(province)
        op.execute(sa.update(orders).where(begins).values(province=province))


def _create_holds() -> None:
    op.create_table(
        "holds",
        sa.Column("id", sa.String(length=28), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.Column("authority", sa.String(length=100), nullable=False),
        sa.Column("document", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("placed_by", sa.String(length=28), nullable=False),
        sa.Column("placed_at", _WHEN, nullable=False),
        sa.Column("lift_asked_by", sa.String(length=28), nullable=True),
        sa.Column("lift_asked_at", _WHEN, nullable=True),
        sa.Column("lifted_by", sa.String(length=28), nullable=True),
        sa.Column("lifted_at", _WHEN, nullable=True),
        sa.Column("lift_reason", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    op.create_index("ix_holds_state_scope_value", "holds", ["state", "scope", "value"])
    op.create_index(op.f("ix_holds_placed_at"), "holds", ["placed_at"])
    op.create_table(
        "hold_sightings",
        sa.Column("hold_id", sa.String(length=28), nullable=False),
        sa.Column("executor", sa.String(length=64), nullable=False),
        sa.Column("at", _WHEN, nullable=False),
        sa.Column("watching_since", _WHEN, nullable=False),
        sa.Column("lifted_at", _WHEN, nullable=True),
        sa.PrimaryKeyConstraint("hold_id", "executor", name=op.f("pk_hold_sightings")),
    )
    op.create_table(
        "hold_stops",
        sa.Column("hold_id", sa.String(length=28), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("at", _WHEN, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("waits", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("hold_id", "what", "subject", name=op.f("pk_hold_stops")),
    )
    op.create_index("ix_hold_stops_hold_id_waits", "hold_stops", ["hold_id", "waits"])


def _create_incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(length=28), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("what", sa.String(length=2000), nullable=False),
        sa.Column("criteria", sa.JSON(), nullable=False),
        sa.Column("discovered_at", _WHEN, nullable=False),
        sa.Column("opened_at", _WHEN, nullable=False),
        sa.Column("opened_by", sa.String(length=28), nullable=False),
        sa.Column("searched_at", _WHEN, nullable=True),
        sa.Column("closed_at", _WHEN, nullable=True),
        sa.Column("closed_by", sa.String(length=28), nullable=True),
        sa.Column("conclusion", sa.String(length=2000), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    op.create_index(op.f("ix_incidents_state"), "incidents", ["state"])
    op.create_index(op.f("ix_incidents_opened_at"), "incidents", ["opened_at"])
    op.create_table(
        "incident_measures",
        sa.Column("incident_id", sa.String(length=28), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("what", sa.String(length=1000), nullable=False),
        sa.Column("by", sa.String(length=28), nullable=False),
        sa.Column("at", _WHEN, nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "seq", name=op.f("pk_incident_measures")),
    )
    op.create_table(
        "incident_orders",
        sa.Column("incident_id", sa.String(length=28), nullable=False),
        sa.Column("order_id", sa.String(length=28), nullable=False),
        sa.Column("because", sa.String(length=48), nullable=False),
        sa.Column("found_at", _WHEN, nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "order_id", name=op.f("pk_incident_orders")),
    )
    op.create_table(
        "incident_deadlines",
        sa.Column("incident_id", sa.String(length=28), nullable=False),
        sa.Column("duty", sa.String(length=24), nullable=False),
        sa.Column("due_at", _WHEN, nullable=False),
        sa.Column("done_at", _WHEN, nullable=True),
        sa.Column("done_by", sa.String(length=28), nullable=True),
        sa.Column("reference", sa.String(length=200), nullable=True),
        sa.Column("alarmed_at", _WHEN, nullable=True),
        sa.PrimaryKeyConstraint("incident_id", "duty", name=op.f("pk_incident_deadlines")),
    )
    op.create_index("ix_incident_deadlines_done_at_due_at", "incident_deadlines", ["done_at", "due_at"])


def downgrade() -> None:
    for table in ("incident_deadlines", "incident_orders", "incident_measures", "incidents"):
        op.drop_table(table)
    for table in ("hold_stops", "hold_sightings", "holds"):
        op.drop_table(table)
    with op.batch_alter_table("orders") as batch_op:
        for column in ("dealer", "channel", "province"):
            batch_op.drop_column(column)
