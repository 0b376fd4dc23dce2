"""Tables of the activation room. Personal data only sealed (`sealed.py`), `Encrypted` or as keyed hashes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from activation.adapters.sql.fields import Instant

#: Deterministic names, so that migrations can name what they drop.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Row(DeclarativeBase):
    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: Instant(), dict[str, Any]: sa.JSON()}  # noqa: RUF012


def _backwards(context: Any) -> str:
    digits: str = context.get_current_parameters()["msisdn"]
    return digits[::-1]


class NumberRow(Row):
    """The pool of numbers. Held by at most one order (R1.1): a conditional update takes it."""

    __tablename__ = "numbers"

    msisdn: Mapped[str] = mapped_column(sa.String(11), primary_key=True)
    backwards: Mapped[str] = mapped_column(sa.String(11), default=_backwards)  # finds by last digits
    region: Mapped[str] = mapped_column(sa.String(32), default="")
    held_by: Mapped[str | None] = mapped_column(sa.String(28), unique=True)
    held_until: Mapped[datetime | None] = mapped_column(index=True)  # None while held: assigned for good
    __table_args__ = (
        sa.Index("ix_numbers_free", "held_by", "msisdn"),
        sa.Index("ix_numbers_free_backwards", "held_by", "backwards"),
    )


class OrderRow(Row):
    __tablename__ = "orders"

    id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    state: Mapped[str] = mapped_column(sa.String(16), index=True)
    msisdn: Mapped[str] = mapped_column(sa.String(11), index=True)
    contact_phone: Mapped[bytes]  # sealed
    contact_digest: Mapped[str] = mapped_column(sa.String(64), index=True)
    recipient: Mapped[bytes | None]  # sealed
    address: Mapped[bytes]  # sealed
    region: Mapped[str] = mapped_column(sa.String(32), default="")  # as the applicant wrote it
    province: Mapped[str] = mapped_column(sa.String(16), default="")  # short name; empty: not known
    channel: Mapped[str] = mapped_column(sa.String(64), default="web")
    dealer: Mapped[str | None] = mapped_column(sa.String(64))
    locale: Mapped[str] = mapped_column(sa.String(8), default="zh-CN")
    # What OCR read from the document and the applicant confirmed; nobody can write it otherwise (R1.4).
    name: Mapped[bytes | None]  # sealed
    name_digest: Mapped[str | None] = mapped_column(sa.String(64))
    number: Mapped[bytes | None]  # sealed
    number_digest: Mapped[str | None] = mapped_column(sa.String(64), index=True)
    document_address: Mapped[bytes | None]  # sealed
    iccid: Mapped[str | None] = mapped_column(sa.String(20), unique=True)
    activation_digest: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    due_at: Mapped[datetime | None]  # next deadline of a scheduled workflow, e.g. the reservation's end
    __table_args__ = (
        sa.Index("ix_orders_state_due_at", "state", "due_at"),
        sa.Index("ix_orders_state_changed_at", "state", "changed_at"),  # what retention looks at (R8.1)
    )


class SimRow(Row):
    __tablename__ = "sims"

    iccid: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    imsi: Mapped[str] = mapped_column(sa.String(15), unique=True)
    batch: Mapped[str] = mapped_column(sa.String(64), index=True)
    state: Mapped[str] = mapped_column(sa.String(16))
    order_id: Mapped[str | None] = mapped_column(sa.String(28), unique=True)
    changed_at: Mapped[datetime]
    __table_args__ = (sa.Index("ix_sims_state_iccid", "state", "iccid"),)


class CardPlaceRow(Row):
    """R2.1, R2.2: a document's places. The primary key, not Python, keeps a sixth card out."""

    __tablename__ = "card_places"

    number_digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    place: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    order_id: Mapped[str] = mapped_column(sa.String(28), unique=True)
    taken_at: Mapped[datetime]
    __table_args__ = (sa.CheckConstraint("place BETWEEN 1 AND 5", name="five_places"),)


class ConsentRow(Row):
    """R9.4, R11.3: what was agreed to, in which version, and when. Append-only; the newest counts."""

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    order_id: Mapped[str] = mapped_column(sa.String(28), index=True)
    kind: Mapped[str] = mapped_column(sa.String(32))
    version: Mapped[str] = mapped_column(sa.String(32))
    text_digest: Mapped[str] = mapped_column(sa.String(64), default="")  # of the exact text; "": of old
    given: Mapped[bool]
    at: Mapped[datetime]


class CaptureRow(Row):
    """The newest accepted capture of each kind; pixels are in the vault, embeddings sealed here."""

    __tablename__ = "captures"

    order_id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    media_digest: Mapped[str] = mapped_column(sa.String(64))
    reading: Mapped[bytes]  # sealed; JSON of what was read
    embeddings: Mapped[bytes]  # sealed; JSON source → floats
    at: Mapped[datetime]


class EvidenceRow(Row):
    """Vault manifest: one encrypted object and where it belongs."""

    __tablename__ = "evidence_objects"

    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    order_id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(32))
    media_type: Mapped[str] = mapped_column(sa.String(64))
    size: Mapped[int]
    at: Mapped[datetime]
    __table_args__ = (sa.Index("ix_evidence_objects_order_id_kind", "order_id", "kind"),)


class FactRow(Row):
    """Evidence about an order, append-only, in order; `seq` is the index the gate sees."""

    __tablename__ = "facts"

    order_id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(32))
    body: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class DecisionRow(Row):
    """A decision of the gate with its whole input, for replay."""

    __tablename__ = "decisions"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    order_id: Mapped[str] = mapped_column(sa.String(28), index=True)
    question: Mapped[str] = mapped_column(sa.String(16))  # may_ship | may_activate
    facts_seen: Mapped[int]  # how many facts of the order were weighed
    input: Mapped[dict[str, Any]]  # facts and policy
    answer: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class VideoCheckRow(Row):
    """One attempt at the video check; never deleted, so that attempts can be counted (R4.2)."""

    __tablename__ = "video_checks"

    id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    order_id: Mapped[str] = mapped_column(sa.String(28))
    attempt: Mapped[int]
    state: Mapped[str] = mapped_column(sa.String(16))
    script: Mapped[dict[str, Any]]
    executor: Mapped[str] = mapped_column(sa.String(64), default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    dtls_fingerprint: Mapped[str | None] = mapped_column(sa.String(64))  # SHA-256 of the phone's certificate
    __table_args__ = (
        sa.UniqueConstraint("order_id", "attempt"),
        sa.Index("ix_video_checks_order_id_created_at", "order_id", "created_at"),
        sa.Index("ix_video_checks_state_expires_at", "state", "expires_at"),
    )


class MessageRow(Row):
    """Sandbox outbox: messages that a real gateway would have sent."""

    __tablename__ = "sandbox_messages"

    key: Mapped[str] = mapped_column(sa.String(128), primary_key=True)
    to_digest: Mapped[str] = mapped_column(sa.String(64), index=True)
    kind: Mapped[str] = mapped_column(sa.String(32))
    text: Mapped[bytes]  # sealed; `outbox.read_text` opens it
    at: Mapped[datetime]


class ExecutorRow(Row):
    """A process that runs durable work, and when it last said that it lives."""

    __tablename__ = "executors"

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    seen_at: Mapped[datetime]


class HlrSubscriberRow(Row):
    """Sandbox HLR: the same states as OsmoHLR's, kept in the database."""

    __tablename__ = "sandbox_hlr_subscribers"

    imsi: Mapped[str] = mapped_column(sa.String(15), primary_key=True)
    msisdn: Mapped[str | None] = mapped_column(sa.String(15), unique=True)
    cs_enabled: Mapped[bool]
    ps_enabled: Mapped[bool]
    switched_on: Mapped[int] = mapped_column(default=0)  # how often; more than once is a fault
