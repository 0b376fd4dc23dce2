"""A courier's round: what to deliver, the parcel in hand, collected, out, the document looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.audit import note
from activation.adapters.sql.engine import insert_if_absent
from activation.adapters.sql.store import Store
from activation.adapters.sql.tables import EvidenceRow
from activation.evidence import (
    FaceComparison,
    FaceConsent,
    Facts,
    Handover,
    HandoverOutcome,
    ReviewDecision,
    ReviewOutcome,
    ReviewStage,
)
from activation.holds import Stopped
from activation.ids import DeliveryId, Digest, StaffId, Waybill
from activation.normal import normal_number
from activation.order import OrderState
from activation.ports import Clock
from activation.weighing import latest
from logistics.codes import MAX_FAILURES, masked_name, tail_matches
from logistics.deliveries import Deliveries, Delivery, DeliveryEvent
from logistics.delivery import FINAL, DeliveryState, may_follow
from logistics.ports import Couriers

#: While the order is in one of these the parcel may be handed over; video may come first (R4.3).
MAY_BE_HANDED_OVER = frozenset({OrderState.SHIPPED, OrderState.VERIFIED})
#: Told of a parcel that changed hands on its way.
TAKEN_OVER = "taken_over"


class RoundRefusal(StrEnum):
    """Why a courier cannot do something with a parcel."""

    NOT_FOUND = "not_found"
    WRONG_STATE = "wrong_state"
    ORDER_STOPPED = "order_stopped"
    REVIEW_WANTED = "review_wanted"
    DOCUMENT_LOCKED = "document_locked"


@dataclass(frozen=True, repr=False)
class ParcelFacts:
    """What a courier sees: enough to find the door and to recognise the person, and no more (R9.1).

    name: masked. The document number is not among it: the courier types its last digits from the document.
    stopped: the order has ended or is held up; the parcel must not be handed over.
    """

    delivery: Delivery
    name: str
    recipient: str | None
    address: str
    stopped: bool


@dataclass(frozen=True)
class Photo:
    """A photo that lies in the vault. size: bytes of the clear JPEG."""

    digest: Digest
    kind: str
    media_type: str
    size: int


@dataclass(frozen=True)
class DocumentLooked:
    """Whether the typed digits are the document's, and how often the courier may still type."""

    matches: bool
    tries_left: int


@dataclass(frozen=True)
class Rounds:
    """Use cases of a courier before the outcome. A parcel that is not the courier's is none (NOT_FOUND)."""

    sessions: async_sessionmaker[AsyncSession]
    readers: async_sessionmaker[AsyncSession]
    clock: Clock
    store: Store
    deliveries: Deliveries
    couriers: Couriers

    async def in_hand(self, courier: StaffId) -> list[Delivery]:
        """The courier's own deliveries that are not over, oldest first."""
        async with self.readers() as session:
            return await self.deliveries.of_courier(session, courier)

    async def look_up(self, courier: StaffId, waybill: Waybill) -> ParcelFacts | RoundRefusal:
        """The parcel with this waybill: the courier's own, or one of the carrier's not yet collected."""
        async with self.sessions.begin() as session:
            delivery = await self.deliveries.by_waybill(session, waybill)
            if delivery is None or not await self._is_open_to(session, courier, delivery):
                return RoundRefusal.NOT_FOUND
            return await self._facts(session, delivery)

    async def read(self, courier: StaffId, delivery_id: DeliveryId) -> ParcelFacts | RoundRefusal:
        """One of the courier's own."""
        async with self.sessions.begin() as session:
            delivery = await self.deliveries.read(session, delivery_id)
            if delivery is None or not await self._is_open_to(session, courier, delivery):
                return RoundRefusal.NOT_FOUND
            return await self._facts(session, delivery)

    async def collect(self, courier: StaffId, delivery_id: DeliveryId) -> Delivery | RoundRefusal:
        """Whoever has the parcel in hand delivers it, whomever it was meant for. Twice is once."""
        return await self._move(courier, delivery_id, DeliveryState.COLLECTED)

    async def depart(self, courier: StaffId, delivery_id: DeliveryId) -> Delivery | RoundRefusal:
        """On the way to the door; a former attempt's photo does not count for this one. Twice is once."""
        return await self._move(courier, delivery_id, DeliveryState.OUT)

    async def check_document(
        self, courier: StaffId, delivery_id: DeliveryId, tail: str
    ) -> DocumentLooked | RoundRefusal:
        """Compare the last digits of the document at the door; wrong ones are counted."""
        async with self.sessions.begin() as session:
            delivery = await self.deliveries.lock(session, delivery_id)
            if delivery is None or delivery.courier != courier:
                return RoundRefusal.NOT_FOUND
            if delivery.state is not DeliveryState.OUT:
                return RoundRefusal.WRONG_STATE
            return await look_at_document(session, self.store, self.deliveries, delivery, tail)

    async def keep_photo(
        self,
        courier: StaffId,
        delivery_id: DeliveryId,
        photo: Photo,
        comparisons: tuple[FaceComparison, ...],
    ) -> RoundRefusal | None:
        """The photo of this attempt; a later one takes its place, and both stay evidence. None: kept.

        Without comparisons where the consent to them was taken back since they were made (R9.4).
        """
        async with self.sessions.begin() as session:
            delivery = await self.deliveries.lock(session, delivery_id)
            if delivery is None:
                return RoundRefusal.NOT_FOUND
            await self.store.orders.lock(session, delivery.order)
            _, consent = latest(await self.store.facts.load(session, delivery.order), FaceConsent)
            if consent is not None and not consent.given:
                comparisons = ()
            if not await self.deliveries.put_photo(session, delivery_id, courier, photo.digest, comparisons):
                return RoundRefusal.WRONG_STATE
            await insert_if_absent(
                session,
                EvidenceRow,
                digest=photo.digest,
                order_id=delivery.order,
                kind=photo.kind,
                media_type=photo.media_type,
                size=photo.size,
                at=self.clock(),
            )
        return None

    async def _move(
        self, courier: StaffId, delivery_id: DeliveryId, to: DeliveryState
    ) -> Delivery | RoundRefusal:
        at = self.clock()
        async with self.sessions.begin() as session:
            delivery = await self.deliveries.lock(session, delivery_id)
            if delivery is None or not await self._is_open_to(session, courier, delivery):
                return RoundRefusal.NOT_FOUND
            if delivery.state is to:
                return await self._take_over(session, courier, delivery, at)
            if not may_follow(delivery.state, to):
                return RoundRefusal.WRONG_STATE
            if to is DeliveryState.OUT and await self._is_stopped(session, delivery):
                await self._count_stop(session, delivery, at)
                return RoundRefusal.ORDER_STOPPED
            if delivery.state is DeliveryState.MISMATCH:
                facts = await self.store.facts.load(session, delivery.order)
                if not mismatch_was_approved(facts):
                    return RoundRefusal.REVIEW_WANTED
            await self.deliveries.move(session, delivery_id, to, at, courier_id=courier)
            told = DeliveryEvent(courier, to, at, at, to, {})
            await self.deliveries.tell(session, delivery_id, told)
            moved = await self.deliveries.read(session, delivery_id)
        return moved or RoundRefusal.NOT_FOUND

    async def _take_over(
        self, session: AsyncSession, courier: StaffId, delivery: Delivery, at: datetime
    ) -> Delivery:
        """Nobody has the parcel any more; what the colleague before had photographed does not go with it."""
        if delivery.courier == courier:
            return delivery
        await self.deliveries.change(
            session, delivery.id, courier_id=courier, photo_digest=None, photo_comparisons=None
        )
        await self.deliveries.tell(session, delivery.id, DeliveryEvent(courier, TAKEN_OVER, at, at, None, {}))
        await note(session, delivery.order, "delivery.taken_over", "R3.3", delivery=delivery.id)
        return replace(delivery, courier=courier, photo=None, comparisons=())

    async def _is_open_to(self, session: AsyncSession, courier: StaffId, delivery: Delivery) -> bool:
        if delivery.courier == courier:
            return True
        if delivery.state in FINAL:
            return False
        if delivery.state is not DeliveryState.CREATED and delivery.courier is not None:
            # A colleague's; where the colleague's account has ended, whoever finds the parcel goes on.
            if await self.couriers.carrier_of(session, delivery.courier) is not None:
                return False
        return await self.couriers.carrier_of(session, courier) == delivery.carrier

    async def _is_stopped(self, session: AsyncSession, delivery: Delivery) -> bool:
        """R9.3: a held order's parcel stays where it is, like one whose order has ended."""
        order = await self.store.orders.read(session, delivery.order)
        if order is None or order.state not in MAY_BE_HANDED_OVER:
            return True
        return bool(await self.store.holds.covering(session, order.reach))

    async def _count_stop(self, session: AsyncSession, delivery: Delivery, at: datetime) -> None:
        order = await self.store.orders.read(session, delivery.order)
        if order is not None:
            await self.store.holds.stops(session, order.reach, Stopped.DELIVERY, order.id, at)

    async def _facts(self, session: AsyncSession, delivery: Delivery) -> ParcelFacts:
        """R9.1: whom the courier is to find is shown, and that it was shown is written down."""
        await note(session, delivery.order, "identity.shown", "R9.1", "parcel", delivery=delivery.id)
        document = await self.store.orders.document(session, delivery.order)
        recipient, address = await self.deliveries.recipient(session, delivery.id)
        stopped = delivery.state not in FINAL and await self._is_stopped(session, delivery)
        return ParcelFacts(
            delivery, masked_name(document.name) if document else "", recipient, address, stopped
        )


async def look_at_document(
    session: AsyncSession, store: Store, deliveries: Deliveries, delivery: Delivery, tail: str
) -> DocumentLooked | RoundRefusal:
    """Compare the typed digits with the order's document, for the courier of a delivery that is locked."""
    if delivery.tail_failures >= MAX_FAILURES:
        return RoundRefusal.DOCUMENT_LOCKED
    document = await store.orders.document(session, delivery.order)
    matches = document is not None and tail_matches(tail, normal_number(document.number))
    failures = delivery.tail_failures + (0 if matches else 1)
    if not matches:
        await deliveries.change(session, delivery.id, tail_failures=failures)
    await note(session, delivery.order, "document.compared", "R3.3", delivery=delivery.id, matches=matches)
    return DocumentLooked(matches, MAX_FAILURES - failures)


def mismatch_was_approved(facts: Facts) -> bool:
    """Whether two reviewers have approved what the courier found at the door last (R3.3)."""
    index, handover = latest(facts, Handover)
    if handover is None or handover.outcome is not HandoverOutcome.MISMATCH:
        return True
    return any(
        isinstance(fact, ReviewDecision)
        and fact.stage is ReviewStage.ACTIVATE
        and fact.outcome is ReviewOutcome.APPROVE
        and fact.checker not in (None, fact.maker)
        and fact.about >= index
        for fact in facts.evidence
    )
