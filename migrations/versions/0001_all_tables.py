"""All tables

Revision: 0001
After: nothing
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    undecided = sa.text("state != 'decided'")
    op.create_table(
        "captures",
        sa.Column("order_id", sa.String(length=28), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("media_digest", sa.String(length=64), nullable=False),
        sa.Column("reading", sa.LargeBinary(), nullable=False),
        sa.Column("embeddings", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "kind", name=op.f("pk_captures")),
    )
    op.create_table(
        "card_places",
        sa.Column("number_digest", sa.String(length=64), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("order_id", sa.String(length=28), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("place BETWEEN 1 AND 5", name=op.f("ck_card_places_five_places")),
        sa.PrimaryKeyConstraint("number_digest", "place", name=op.f("pk_card_places")),
        sa.UniqueConstraint("order_id", name=op.f("uq_card_places_order_id")),
    )
    op.create_table(
        "carrier_events",
        sa.Column("carrier", sa.String(length=32), nullable=False),
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("carrier", "event_id", name=op.f("pk_carrier_events")),
    )
    with op.batch_alter_table("carrier_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_carrier_events_received_at"), ["received_at"], unique=False)

    op.create_table(
        "consents",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("order_id", sa.String(length=28), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consents_order_id"), ["order_id"], unique=False)

    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("order_id", sa.String(length=28), nullable=False),
        sa.Column("question", sa.String(length=16), nullable=False),
        sa.Column("facts_seen", sa.Integer(), nullable=False),
        sa.Column("input", sa.JSON(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_decisions_order_id"), ["order_id"], unique=False)

    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(length=28), nullable=False),
        sa.Column("order_id", sa.String(length=28), nullable=False),
        sa.Column("waybill", sa.String(length=20), nullable=False),
        sa.Column("carrier", sa.String(length=32), nullable=False),
        sa.Column("iccid", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("courier_id", sa.String(length=28), nullable=True),
        sa.Column("recipient", sa.LargeBinary(), nullable=True),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("code_digest", sa.String(length=64), nullable=False),
        sa.Column("code_issue", sa.Integer(), nullable=False),
        sa.Column("code_failures", sa.Integer(), nullable=False),
        sa.Column("tail_failures", sa.Integer(), nullable=False),
        sa.Column("photo_digest", sa.String(length=64), nullable=True),
        sa.Column("photo_comparisons", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("order_id", name=op.f("uq_deliveries_order_id")),
        sa.UniqueConstraint("waybill", name=op.f("uq_deliveries_waybill")),
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index("ix_deliveries_courier_id_state", ["courier_id", "state"], unique=False)

    op.create_table(
        "delivery_events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("delivery_id", sa.String(length=28), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("moved_to", sa.String(length=16), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("position", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_events")),
    )
    with op.batch_alter_table("delivery_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delivery_events_delivery_id"), ["delivery_id"], unique=False)

    op.create_table(
        "evidence_looks",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("case_id", sa.String(length=28), nullable=False),
        sa.Column("order_id", sa.String(length=28), nullable=False),
        sa.Column("staff_id", sa.String(length=28), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_looks")),
    )
    with op.batch_alter_table("evidence_looks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evidence_looks_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_evidence_looks_order_id"), ["order_id"], unique=False)

    op.create_table(
        "evidence_objects",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=28), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("media_type", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", "order_id", name=op.f("pk_evidence_objects")),
    )
    op.create_table(
        "executors",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_executors")),
    )
    op.create_table(
        "facts",
        sa.Column("order_id", sa.String(length=28), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "seq", name=op.f("pk_facts")),
    )
    op.create_table(
        "idempotency",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotency")),
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_created_at"), ["created_at"], unique=False)

    op.create_table(
        "numbers",
        sa.Column("msisdn", sa.String(length=11), nullable=False),
        sa.Column("backwards", sa.String(length=11), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("held_by", sa.String(length=28), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("msisdn", name=op.f("pk_numbers")),
        sa.UniqueConstraint("held_by", name=op.f("uq_numbers_held_by")),
    )
    with op.batch_alter_table("numbers", schema=None) as batch_op:
        batch_op.create_index("ix_numbers_free", ["held_by", "msisdn"], unique=False)
        batch_op.create_index("ix_numbers_free_backwards", ["held_by", "backwards"], unique=False)

    op.create_table(
        "one_time_codes",
        sa.Column("order_id", sa.String(length=28), nullable=False),
        sa.Column("code_digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_one_time_codes")),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.String(length=28), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("msisdn", sa.String(length=11), nullable=False),
        sa.Column("contact_phone", sa.LargeBinary(), nullable=False),
        sa.Column("contact_digest", sa.String(length=64), nullable=False),
        sa.Column("recipient", sa.LargeBinary(), nullable=True),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("name_digest", sa.String(length=64), nullable=True),
        sa.Column("number", sa.LargeBinary(), nullable=True),
        sa.Column("number_digest", sa.String(length=64), nullable=True),
        sa.Column("document_address", sa.LargeBinary(), nullable=True),
        sa.Column("iccid", sa.String(length=20), nullable=True),
        sa.Column("activation_digest", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("activation_digest", name=op.f("uq_orders_activation_digest")),
        sa.UniqueConstraint("iccid", name=op.f("uq_orders_iccid")),
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_orders_contact_digest"), ["contact_digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_orders_msisdn"), ["msisdn"], unique=False)
        batch_op.create_index(batch_op.f("ix_orders_number_digest"), ["number_digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_orders_state"), ["state"], unique=False)
        batch_op.create_index("ix_orders_state_due_at", ["state", "due_at"], unique=False)

    op.create_table(
        "rates",
        sa.Column("bucket", sa.String(length=128), nullable=False),
        sa.Column("window", sa.Integer(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "window", name=op.f("pk_rates")),
    )
    op.create_table(
        "review_cases",
        sa.Column("id", sa.String(length=28), nullable=False),
        sa.Column("order_id", sa.String(length=28), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("two_people", sa.Boolean(), nullable=False),
        sa.Column("about", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.String(length=28), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proposal", sa.JSON(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_cases")),
    )
    with op.batch_alter_table("review_cases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_review_cases_order_id"), ["order_id"], unique=False)
        batch_op.create_index("ix_review_cases_state_opened_at", ["state", "opened_at"], unique=False)
        batch_op.create_index(
            "uq_review_cases_open",
            ["order_id", "stage"],
            unique=True,
            sqlite_where=undecided,
            postgresql_where=undecided,
        )

    op.create_table(
        "revoked_tokens",
        sa.Column("jti", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("jti", name=op.f("pk_revoked_tokens")),
    )
    with op.batch_alter_table("revoked_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_revoked_tokens_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "sandbox_hlr_subscribers",
        sa.Column("imsi", sa.String(length=15), nullable=False),
        sa.Column("msisdn", sa.String(length=15), nullable=True),
        sa.Column("cs_enabled", sa.Boolean(), nullable=False),
        sa.Column("ps_enabled", sa.Boolean(), nullable=False),
        sa.Column("switched_on", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("imsi", name=op.f("pk_sandbox_hlr_subscribers")),
        sa.UniqueConstraint("msisdn", name=op.f("uq_sandbox_hlr_subscribers_msisdn")),
    )
    op.create_table(
        "sandbox_messages",
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("to_digest", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sandbox_messages")),
    )
    with op.batch_alter_table("sandbox_messages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sandbox_messages_to_digest"), ["to_digest"], unique=False)

    op.create_table(
        "sims",
        sa.Column("iccid", sa.String(length=20), nullable=False),
        sa.Column("imsi", sa.String(length=15), nullable=False),
        sa.Column("batch", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("order_id", sa.String(length=28), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("iccid", name=op.f("pk_sims")),
        sa.UniqueConstraint("imsi", name=op.f("uq_sims_imsi")),
        sa.UniqueConstraint("order_id", name=op.f("uq_sims_order_id")),
    )
    with op.batch_alter_table("sims", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sims_batch"), ["batch"], unique=False)
        batch_op.create_index("ix_sims_state_iccid", ["state", "iccid"], unique=False)

    op.create_table(
        "staff",
        sa.Column("id", sa.String(length=28), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("carrier", sa.String(length=32), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("username", name=op.f("uq_staff_username")),
    )
    op.create_table(
        "video_checks",
        sa.Column("id", sa.String(length=28), nullable=False),
        sa.Column("order_id", sa.String(length=28), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("script", sa.JSON(), nullable=False),
        sa.Column("executor", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_video_checks")),
        sa.UniqueConstraint("order_id", "attempt", name=op.f("uq_video_checks_order_id_attempt")),
    )
    with op.batch_alter_table("video_checks", schema=None) as batch_op:
        batch_op.create_index("ix_video_checks_order_id_created_at", ["order_id", "created_at"], unique=False)
        batch_op.create_index("ix_video_checks_state_expires_at", ["state", "expires_at"], unique=False)


def downgrade() -> None:
    undecided = sa.text("state != 'decided'")
    with op.batch_alter_table("video_checks", schema=None) as batch_op:
        batch_op.drop_index("ix_video_checks_state_expires_at")
        batch_op.drop_index("ix_video_checks_order_id_created_at")

    op.drop_table("video_checks")
    op.drop_table("staff")
    with op.batch_alter_table("sims", schema=None) as batch_op:
        batch_op.drop_index("ix_sims_state_iccid")
        batch_op.drop_index(batch_op.f("ix_sims_batch"))

    op.drop_table("sims")
    with op.batch_alter_table("sandbox_messages", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sandbox_messages_to_digest"))

    op.drop_table("sandbox_messages")
    op.drop_table("sandbox_hlr_subscribers")
    with op.batch_alter_table("revoked_tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_revoked_tokens_expires_at"))

    op.drop_table("revoked_tokens")
    with op.batch_alter_table("review_cases", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_review_cases_open",
            sqlite_where=undecided,
            postgresql_where=undecided,
        )
        batch_op.drop_index("ix_review_cases_state_opened_at")
        batch_op.drop_index(batch_op.f("ix_review_cases_order_id"))

    op.drop_table("review_cases")
    op.drop_table("rates")
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_index("ix_orders_state_due_at")
        batch_op.drop_index(batch_op.f("ix_orders_state"))
        batch_op.drop_index(batch_op.f("ix_orders_number_digest"))
        batch_op.drop_index(batch_op.f("ix_orders_msisdn"))
        batch_op.drop_index(batch_op.f("ix_orders_contact_digest"))

    op.drop_table("orders")
    op.drop_table("one_time_codes")
    with op.batch_alter_table("numbers", schema=None) as batch_op:
        batch_op.drop_index("ix_numbers_free_backwards")
        batch_op.drop_index("ix_numbers_free")

    op.drop_table("numbers")
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_created_at"))

    op.drop_table("idempotency")
    op.drop_table("facts")
    op.drop_table("executors")
    op.drop_table("evidence_objects")
    with op.batch_alter_table("evidence_looks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_evidence_looks_order_id"))
        batch_op.drop_index(batch_op.f("ix_evidence_looks_case_id"))

    op.drop_table("evidence_looks")
    with op.batch_alter_table("delivery_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delivery_events_delivery_id"))

    op.drop_table("delivery_events")
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index("ix_deliveries_courier_id_state")

    op.drop_table("deliveries")
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_decisions_order_id"))

    op.drop_table("decisions")
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consents_order_id"))

    op.drop_table("consents")
    with op.batch_alter_table("carrier_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_carrier_events_received_at"))

    op.drop_table("carrier_events")
    op.drop_table("card_places")
    op.drop_table("captures")
