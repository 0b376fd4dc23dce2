"""What happened at the door: checked, recorded as evidence and moved on, in one transaction (R3.3, R4.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.audit import note
from activation.adapters.sql.fields import FieldKeys
from activation.adapters.sql.orders import OrderView
from activation.adapters.sql.store import Store
from activation.evidence import Handover, HandoverOutcome
from activation.holds import Stopped
from activation.ids import DeliveryId, Iccid, StaffId
from activation.order import OrderState
from activation.ports import Clock, OrderFile
from logistics.codes import MAX_FAILURES, code_matches
from logistics.deliveries import Deliveries, Delivery, DeliveryEvent
from logistics.delivery import STATE_OF_OUTCOME, DeliveryState
from logistics.rounds import MAY_BE_HANDED_OVER, DocumentLooked, look_at_document

#: How far a courier's clock may be ahead of ours.
MAX_AHEAD = timedelta(minutes=5)
#: How long a courier without a network may keep an outcome before telling it.
MAX_BEHIND = timedelta(hours=24)


class DoorRefusal(StrEnum):
    """Why an outcome is not recorded."""

    NOT_FOUND = "not_found"
    NOT_OUT = "not_out"
    OTHER_OUTCOME = "other_outcome"
    ORDER_STOPPED = "order_stopped"
    TIME_OUT_OF_RANGE = "time_out_of_range"
    OTHER_CARD = "other_card"
    CHECKLIST_INCOMPLETE = "checklist_incomplete"
    CODE_WRONG = "code_wrong"
    CODE_LOCKED = "code_locked"
    DOCUMENT_WRONG = "document_wrong"
    DOCUMENT_LOCKED = "document_locked"


@dataclass(frozen=True)
class NotRecorded:
    """tries_left: of codes or document digits, where that is what was wrong."""

    refusal: DoorRefusal
    tries_left: int | None = None


@dataclass(frozen=True)
class Recorded:
    """again: it was recorded before, and nothing was done now."""

    delivery: DeliveryId
    state: DeliveryState
    at: datetime
    again: bool = False


@dataclass(frozen=True)
class Checklist:
    """What the courier confirms to have seen; none of it can be skipped for a handover."""

    document_original_seen: bool
    person_resembles_document: bool
    document_valid: bool

    @property
    def complete(self) -> bool:
        return self.document_original_seen and self.person_resembles_document and self.document_valid


@dataclass(frozen=True, repr=False)
class DoorReport:
    """What the courier tells. at: the courier's clock. position: latitude, longitude, accuracy as text."""

    outcome: HandoverOutcome
    at: datetime
    checklist: Checklist
    iccid: Iccid | None = None
    code: str | None = None
    document_tail: str | None = None
    position: str | None = None


@dataclass(frozen=True)
class Door:
    """The one way an outcome comes into the record."""

    sessions: async_sessionmaker[AsyncSession]
    clock: Clock
    keys: FieldKeys
    store: Store
    deliveries: Deliveries
    orders: OrderFile

    async def record(
        self, courier: StaffId, delivery_id: DeliveryId, report: DoorReport
    ) -> Recorded | NotRecorded:
        """Evidence, delivery and order move together, or not at all. The same report twice is one.

        Wrong codes and document digits are counted even though nothing else is recorded.
        """
        now = self.clock()
        async with self.sessions.begin() as session:
            delivery = await self.deliveries.lock(session, delivery_id)
            if delivery is None or delivery.courier != courier:
                return NotRecorded(DoorRefusal.NOT_FOUND)
            if earlier := await self._earlier(session, delivery, report):
                return earlier
            if not now - MAX_BEHIND <= report.at <= now + MAX_AHEAD or report.at < delivery.created_at:
                return NotRecorded(DoorRefusal.TIME_OUT_OF_RANGE)
            seen = await self._look(session, delivery, report)
            if isinstance(seen, NotRecorded):
                return seen
            return await self._write(session, delivery, report, seen, now)

    async def _earlier(
        self, session: AsyncSession, delivery: Delivery, report: DoorReport
    ) -> Recorded | NotRecorded | None:
        """The answer where this or another outcome was recorded already, or the parcel is not out."""
        state = STATE_OF_OUTCOME[report.outcome]
        told = await self.deliveries.told(
            session, delivery.id, str(delivery.courier), report.outcome, report.at
        )
        if told or delivery.state is state:
            return Recorded(delivery.id, state, delivery.changed_at, again=True)
        if delivery.state in STATE_OF_OUTCOME.values():
            return NotRecorded(DoorRefusal.OTHER_OUTCOME)
        if delivery.state is not DeliveryState.OUT:
            return NotRecorded(DoorRefusal.NOT_OUT)
        return None

    async def _look(
        self, session: AsyncSession, delivery: Delivery, report: DoorReport
    ) -> _Seen | NotRecorded:
        """Card, checklist, code and document: a handover needs all, other outcomes note what was seen."""
        handing_over = report.outcome is HandoverOutcome.HANDED_OVER
        if handing_over:
            order = await self.store.orders.lock(session, delivery.order)
            if order.state not in MAY_BE_HANDED_OVER or await self._is_held(session, order, report.at):
                return NotRecorded(DoorRefusal.ORDER_STOPPED)
            if report.iccid != delivery.iccid:
                return NotRecorded(DoorRefusal.OTHER_CARD)
            if not report.checklist.complete:
                return NotRecorded(DoorRefusal.CHECKLIST_INCOMPLETE)
        code = await self._code(session, delivery, report.code)
        if handing_over and isinstance(code, NotRecorded):
            return code
        document = await self._document(session, delivery, report.document_tail)
        if handing_over and isinstance(document, NotRecorded):
            return document
        return _Seen(code is True, document is True)

    async def _is_held(self, session: AsyncSession, order: OrderView, at: datetime) -> bool:
        """R9.3: nothing is handed over under a hold; what was, before it was placed, is recorded."""
        holds = await self.store.holds.covering(session, order.reach)
        before = [hold.id for hold in holds if hold.placed_at <= at]
        await self.store.holds.stopped(session, before, Stopped.DELIVERY, order.id, self.clock())
        return bool(before)

    async def _code(self, session: AsyncSession, delivery: Delivery, code: str | None) -> bool | NotRecorded:
        if delivery.code_failures >= MAX_FAILURES:
            return NotRecorded(DoorRefusal.CODE_LOCKED)
        if code is None:
            return NotRecorded(DoorRefusal.CODE_WRONG, MAX_FAILURES - delivery.code_failures)
        if code_matches(self.keys, delivery.id, code, delivery.code_digest):
            return True
        failures = delivery.code_failures + 1
        await self.deliveries.change(session, delivery.id, code_failures=failures)
        await note(session, delivery.order, "handover_code.refused", "R3.3", delivery=delivery.id)
        return NotRecorded(DoorRefusal.CODE_WRONG, MAX_FAILURES - failures)

    async def _document(
        self, session: AsyncSession, delivery: Delivery, tail: str | None
    ) -> bool | NotRecorded:
        if tail is None:
            return NotRecorded(DoorRefusal.DOCUMENT_WRONG, MAX_FAILURES - delivery.tail_failures)
        looked = await look_at_document(session, self.store, self.deliveries, delivery, tail)
        if not isinstance(looked, DocumentLooked):
            return NotRecorded(DoorRefusal.DOCUMENT_LOCKED)
        return looked.matches or NotRecorded(DoorRefusal.DOCUMENT_WRONG, looked.tries_left)

    async def _write(
        self, session: AsyncSession, delivery: Delivery, report: DoorReport, seen: _Seen, now: datetime
    ) -> Recorded:
        state = STATE_OF_OUTCOME[report.outcome]
        courier = StaffId(str(delivery.courier))
        await self.deliveries.move(session, delivery.id, state, now)
        body = {
            "document_original_seen": report.checklist.document_original_seen,
            "person_resembles_document": report.checklist.person_resembles_document,
            "document_valid": report.checklist.document_valid,
            "code_matched": seen.code,
            "document_tail_matched": seen.document,
        }
        await self.deliveries.tell(
            session,
            delivery.id,
            DeliveryEvent(courier, report.outcome, report.at, now, state, body, report.position),
        )
        if report.outcome is HandoverOutcome.HANDED_OVER:
            # A video check may have come first; then the order is VERIFIED already and stays so.
            await self.store.orders.move(session, delivery.order, OrderState.DELIVERED, now)
        await self.orders.record(session, delivery.order, _fact(delivery, report, seen, courier))
        return Recorded(delivery.id, state, now)


@dataclass(frozen=True)
class _Seen:
    code: bool
    document: bool


def _fact(delivery: Delivery, report: DoorReport, seen: _Seen, courier: StaffId) -> Handover:
    return Handover(
        at=report.at,
        outcome=report.outcome,
        delivery=delivery.id,
        order=delivery.order,
        iccid=report.iccid or delivery.iccid,
        courier=courier,
        code_matched=seen.code,
        document_tail_matched=seen.document,
        person_resembles_document=report.checklist.person_resembles_document,
        photo=delivery.photo,
        comparisons=delivery.comparisons,
    )
