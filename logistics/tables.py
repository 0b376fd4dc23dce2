"""Tables of the logistics room."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from activation.adapters.sql.tables import Row


class DeliveryRow(Row):
    """One parcel with one card. An order has one; it may be carried out several times."""

    __tablename__ = "deliveries"

    id: Mapped[str] = mapped_column(sa.String(28), primary_key=True)
    order_id: Mapped[str] = mapped_column(sa.String(28), unique=True)
    waybill: Mapped[str] = mapped_column(sa.String(20), unique=True)
    carrier: Mapped[str] = mapped_column(sa.String(32))
    iccid: Mapped[str] = mapped_column(sa.String(20))
    state: Mapped[str] = mapped_column(sa.String(16))
    courier_id: Mapped[str | None] = mapped_column(sa.String(28))
    recipient: Mapped[bytes | None]  # sealed
    address: Mapped[bytes]  # sealed
    code_digest: Mapped[str] = mapped_column(sa.String(64))  # one-time handover code
    code_issue: Mapped[int] = mapped_column(default=1)  # how many codes were made; the newest is valid
    code_failures: Mapped[int] = mapped_column(default=0)
    tail_failures: Mapped[int] = mapped_column(default=0)  # wrong last digits of the document's number
    photo_digest: Mapped[str | None] = mapped_column(sa.String(64))
    photo_comparisons: Mapped[list[Any] | None] = mapped_column(sa.JSON)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    __table_args__ = (sa.Index("ix_deliveries_courier_id_state", "courier_id", "state"),)


class DeliveryEventRow(Row):
    """What happened to a delivery, append-only; told by a courier or a carrier."""

    __tablename__ = "delivery_events"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    delivery_id: Mapped[str] = mapped_column(sa.String(28), index=True)
    source: Mapped[str] = mapped_column(sa.String(32))
    event: Mapped[str] = mapped_column(sa.String(32))
    moved_to: Mapped[str | None] = mapped_column(sa.String(16))  # None: recorded, and nothing else
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    body: Mapped[dict[str, Any]]
    position: Mapped[bytes | None]  # sealed


class CarrierEventRow(Row):
    """Webhook deliveries already taken, so that a replay changes nothing."""

    __tablename__ = "carrier_events"

    carrier: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    event_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    received_at: Mapped[datetime] = mapped_column(index=True)
