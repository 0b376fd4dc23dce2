"""Deliveries in the database: created once per order, moved through their table, told event by event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit import note
from activation.adapters.sql.sealed import seal, unseal
from activation.evidence import FaceComparison
from activation.ids import DeliveryId, Digest, Iccid, OrderId, StaffId, Waybill
from logistics.delivery import IN_HAND, DeliveryState, states_before
from logistics.tables import DeliveryEventRow as E
from logistics.tables import DeliveryRow as D

#: Deliveries in one answer; no courier carries more.
LIST_LIMIT = 200
#: Events of one delivery that are read back.
EVENTS_LIMIT = 500

_COMPARISONS = TypeAdapter(tuple[FaceComparison, ...])


@dataclass(frozen=True, repr=False)
class Delivery:
    """One delivery without personal data in clear."""

    id: DeliveryId
    order: OrderId
    waybill: Waybill
    carrier: str
    iccid: Iccid
    state: DeliveryState
    courier: StaffId | None
    code_digest: Digest
    code_issue: int
    code_failures: int
    tail_failures: int
    photo: Digest | None
    comparisons: tuple[FaceComparison, ...]
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, repr=False)
class DeliveryEvent:
    """What was told about a delivery. moved_to: where it led, None where it changed nothing.

    position: latitude, longitude and accuracy as text, sealed at rest.
    """

    source: str
    event: str
    happened_at: datetime
    recorded_at: datetime
    moved_to: DeliveryState | None
    body: dict[str, Any]
    position: str | None = None


_COLUMNS = (
    *(D.id, D.order_id, D.waybill, D.carrier, D.iccid, D.state, D.courier_id, D.code_digest, D.code_issue),
    *(D.code_failures, D.tail_failures, D.photo_digest, D.photo_comparisons, D.created_at, D.changed_at),
)


class Deliveries:
    """Holds nothing; each call gets the session, and with it the transaction, it works in."""

    async def create(
        self, session: AsyncSession, delivery: Delivery, recipient: str | None, address: str
    ) -> None:
        await session.execute(
            sa.insert(D).values(
                id=delivery.id,
                order_id=delivery.order,
                waybill=delivery.waybill,
                carrier=delivery.carrier,
                iccid=delivery.iccid,
                state=delivery.state,
                courier_id=delivery.courier,
                recipient=await seal(delivery.order, "deliveries.recipient", recipient),
                address=await seal(delivery.order, "deliveries.address", address),
                code_digest=delivery.code_digest,
                created_at=delivery.created_at,
                changed_at=delivery.changed_at,
            )
        )
        await note(session, delivery.order, "delivery.created", "R4.1", delivery=delivery.id)

    async def lock(self, session: AsyncSession, delivery_id: DeliveryId) -> Delivery | None:
        """The delivery, held until the transaction ends."""
        return await _one(session, D.id == delivery_id, lock=True)

    async def lock_by_waybill(self, session: AsyncSession, waybill: Waybill) -> Delivery | None:
        return await _one(session, D.waybill == waybill, lock=True)

    async def by_waybill(self, session: AsyncSession, waybill: Waybill) -> Delivery | None:
        return await _one(session, D.waybill == waybill)

    async def read(self, session: AsyncSession, delivery_id: DeliveryId) -> Delivery | None:
        return await _one(session, D.id == delivery_id)

    async def of_order(self, session: AsyncSession, order_id: OrderId, lock: bool = False) -> Delivery | None:
        return await _one(session, D.order_id == order_id, lock=lock)

    async def of_courier(self, session: AsyncSession, courier: StaffId) -> list[Delivery]:
        """What the courier still has in hand, oldest first, at most LIST_LIMIT."""
        query = (
            sa.select(*_COLUMNS)
            .where(D.courier_id == courier, D.state.in_(IN_HAND))
            .order_by(D.created_at, D.id)
            .limit(LIST_LIMIT)
        )
        return [_delivery(row) for row in await session.execute(query)]

    async def loads(self, session: AsyncSession, couriers: Sequence[StaffId]) -> dict[StaffId, int]:
        """How many deliveries each of `couriers` has in hand."""
        query = (
            sa.select(D.courier_id, sa.func.count())
            .where(D.courier_id.in_(couriers), D.state.in_(IN_HAND))
            .group_by(D.courier_id)
        )
        counted = {courier: count for courier, count in await session.execute(query)}
        return {courier: counted.get(courier, 0) for courier in couriers}

    async def move(
        self, session: AsyncSession, delivery_id: DeliveryId, to: DeliveryState, at: datetime, **also: Any
    ) -> bool:
        """One transition of the table. False: the delivery is in no state that leads to `to`.

        A photo belongs to one attempt: going out again forgets the former one.
        """
        if to is DeliveryState.OUT:
            also = {"photo_digest": None, "photo_comparisons": None, **also}
        where = sa.select(D.state, D.order_id).where(D.id == delivery_id).with_for_update()
        found = (await session.execute(where)).first()
        if found is None or found.state not in states_before(to):
            return False
        await session.execute(
            sa.update(D)
            .where(D.id == delivery_id, D.state == found.state)
            .values(state=to, changed_at=at, **also)
        )
        await note(
            session, found.order_id, f"delivery.{to}", "R3.3", before=found.state, delivery=delivery_id
        )
        return True

    async def change(self, session: AsyncSession, delivery_id: DeliveryId, **values: Any) -> None:
        """Sets columns that are not the state."""
        await session.execute(sa.update(D).where(D.id == delivery_id).values(**values))

    async def put_photo(
        self,
        session: AsyncSession,
        delivery_id: DeliveryId,
        courier: StaffId,
        photo: Digest,
        comparisons: tuple[FaceComparison, ...],
    ) -> bool:
        """The photo of this attempt. False: the parcel is not out, or with somebody else."""
        kept = await session.execute(
            sa.update(D)
            .where(D.id == delivery_id, D.courier_id == courier, D.state == DeliveryState.OUT)
            .values(photo_digest=photo, photo_comparisons=_COMPARISONS.dump_python(comparisons, mode="json"))
            .returning(D.order_id)
        )
        order = kept.scalar()
        if order is not None:
            await note(session, order, "delivery.photo_kept", "R3.3", delivery=delivery_id, digest=photo)
        return order is not None

    async def tell(self, session: AsyncSession, delivery_id: DeliveryId, event: DeliveryEvent) -> None:
        """Append one event."""
        position = None
        if event.position is not None:
            order = OrderId(
                (await session.execute(sa.select(D.order_id).where(D.id == delivery_id))).scalar_one()
            )
            position = await seal(order, "delivery_events.position", event.position)
        await session.execute(
            sa.insert(E).values(
                delivery_id=delivery_id,
                source=event.source,
                event=event.event,
                moved_to=event.moved_to,
                happened_at=event.happened_at,
                recorded_at=event.recorded_at,
                body=event.body,
                position=position,
            )
        )

    async def events(self, session: AsyncSession, delivery_id: DeliveryId) -> list[DeliveryEvent]:
        """The first EVENTS_LIMIT events as they were recorded, without positions."""
        columns = (E.source, E.event, E.happened_at, E.recorded_at, E.moved_to, E.body)
        query = sa.select(*columns).where(E.delivery_id == delivery_id).order_by(E.id).limit(EVENTS_LIMIT)
        return [
            DeliveryEvent(
                source=row.source,
                event=row.event,
                happened_at=row.happened_at,
                recorded_at=row.recorded_at,
                moved_to=DeliveryState(row.moved_to) if row.moved_to else None,
                body=row.body,
            )
            for row in await session.execute(query)
        ]

    async def told(
        self, session: AsyncSession, delivery_id: DeliveryId, source: str, event: str, happened_at: datetime
    ) -> bool:
        """True where the same source has told the same already."""
        same = (
            E.delivery_id == delivery_id,
            E.source == source,
            E.event == event,
            E.happened_at == happened_at,
        )
        return await session.scalar(sa.select(E.id).where(*same).limit(1)) is not None

    async def last_moved_at(self, session: AsyncSession, delivery_id: DeliveryId) -> datetime | None:
        """When the newest event happened that moved the delivery."""
        moves = (E.delivery_id == delivery_id, E.moved_to.is_not(None))
        found: datetime | None = await session.scalar(
            sa.select(E.happened_at).where(*moves).order_by(E.id.desc()).limit(1)
        )
        return found

    async def recipient(self, session: AsyncSession, delivery_id: DeliveryId) -> tuple[str | None, str]:
        """Recipient (None: the applicant) and address. Personal: for the courier who carries the parcel.

        None and no address where the order's data were destroyed (R8.2).
        """
        columns = (D.order_id, D.recipient, D.address)
        row = (await session.execute(sa.select(*columns).where(D.id == delivery_id))).one()
        order = OrderId(row.order_id)
        address = await unseal(order, "deliveries.address", row.address)
        return await unseal(order, "deliveries.recipient", row.recipient), address or ""


async def _one(session: AsyncSession, where: sa.ColumnElement[bool], lock: bool = False) -> Delivery | None:
    query = sa.select(*_COLUMNS).where(where)
    row = (await session.execute(query.with_for_update() if lock else query)).first()
    return None if row is None else _delivery(row)


def _delivery(row: Any) -> Delivery:
    return Delivery(
        id=DeliveryId(row.id),
        order=OrderId(row.order_id),
        waybill=Waybill(row.waybill),
        carrier=row.carrier,
        iccid=Iccid(row.iccid),
        state=DeliveryState(row.state),
        courier=StaffId(row.courier_id) if row.courier_id else None,
        code_digest=Digest(row.code_digest),
        code_issue=row.code_issue,
        code_failures=row.code_failures,
        tail_failures=row.tail_failures,
        photo=Digest(row.photo_digest) if row.photo_digest else None,
        comparisons=_COMPARISONS.validate_python(row.photo_comparisons or ()),
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
