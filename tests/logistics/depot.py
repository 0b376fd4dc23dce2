"""A depot: the flow with real logistics and review on a test database, couriers and shipped orders."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from activation.adapters.sql.engine import open_readers, open_sessions
from activation.adapters.sql.fields import field_keys
from activation.evidence import Facts, HandoverOutcome
from activation.flow import Flow
from activation.ids import DeliveryId, OrderId, StaffId
from app.access.passwords import Passwords
from app.access.principals import Role
from app.access.staff import StaffAccounts
from app.review.cases import Cases
from app.review.desk import FlowDesk, ReviewDesk
from app.tables import StaffRow
from logistics.carriers import Carriers
from logistics.deliveries import Delivery
from logistics.handover import Checklist, DoorReport
from logistics.opening import Logistics, open_logistics, open_shipping
from tests.activation.stand_ins import DOCUMENT, Bench, PromptWork, make_bench

CARRIER = "kaika"
SECRET = b"a-secret-of-the-carrier-with-32-bytes-or-more"
TAIL = DOCUMENT.number[-4:]
SEEN = Checklist(True, True, True)


@dataclass
class DepotClock:
    """Stands until it is moved."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __call__(self) -> datetime:
        return self.at

    def forward(self, by: timedelta) -> datetime:
        self.at += by
        return self.at


@dataclass
class Depot:
    """What tests of logistics and review work with."""

    bench: Bench
    work: PromptWork
    clock: DepotClock
    logistics: Logistics
    review: ReviewDesk
    sessions: async_sessionmaker[AsyncSession]

    async def staff(self, role: Role, carrier: str | None = None) -> StaffId:
        """An account; nobody signs in with it."""
        made = StaffId.new()
        async with self.sessions.begin() as session:
            session.add(
                StaffRow(
                    id=made,
                    username=made,
                    role=role,
                    password_hash="",
                    carrier=carrier,
                    created_at=self.clock.forward(timedelta(seconds=1)),
                )
            )
        return made

    async def courier(self, carrier: str = CARRIER) -> StaffId:
        return await self.staff(Role.COURIER, carrier)

    async def reviewer(self) -> StaffId:
        return await self.staff(Role.REVIEWER)

    async def run(self) -> None:
        """Everything that the flow has enqueued."""
        await self.work.run(self.bench.flow)

    async def submitted(self, similarity: float = 0.9) -> OrderId:
        order = await self.bench.draft()
        assert await self.bench.submit(order, similarity=similarity)
        await self.run()
        return order

    async def shipped(self) -> Delivery:
        """The delivery of a new order."""
        return await self.of_order(await self.submitted())

    async def out(self, courier: StaffId) -> Delivery:
        """A parcel on its way to the door."""
        delivery = await self.shipped()
        await self.logistics.rounds.collect(courier, delivery.id)
        await self.logistics.rounds.depart(courier, delivery.id)
        return await self.read(delivery.id)

    async def of_order(self, order: OrderId) -> Delivery:
        async with self.sessions() as session:
            found = await self.logistics.deliveries.of_order(session, order)
        assert found is not None
        return found

    async def read(self, delivery: DeliveryId) -> Delivery:
        async with self.sessions() as session:
            found = await self.logistics.deliveries.read(session, delivery)
        assert found is not None
        return found

    async def code(self, delivery: Delivery) -> str:
        """The handover code that the applicant got last."""
        async with self.sessions.begin() as session:
            _, code = await self.logistics.shipping.create_delivery(
                session, delivery.order, delivery.iccid, self.clock()
            )
        return code

    async def facts(self, order: OrderId) -> Facts:
        async with self.sessions() as session:
            return await self.bench.store.facts.load(session, order)

    async def report(
        self, delivery: Delivery, outcome: HandoverOutcome = HandoverOutcome.HANDED_OVER
    ) -> DoorReport:
        """Everything right."""
        return DoorReport(
            outcome=outcome,
            at=self.clock(),
            checklist=SEEN,
            iccid=delivery.iccid,
            code=await self.code(delivery),
            document_tail=TAIL,
            position="31.230000,121.470000,12",
        )


async def open_depot(engine: AsyncEngine) -> Depot:
    sessions, readers, clock = open_sessions(engine), open_readers(engine), DepotClock()
    work = PromptWork(sessions)
    bench = make_bench(sessions, work)
    # Nobody signs in here, so the passwords' threads never start.
    shipping = open_shipping(field_keys(), StaffAccounts(Passwords(), clock), CARRIER)
    cases = Cases()
    steps = replace(bench.flow.steps, clock=clock, shipping=shipping, case_desk=FlowDesk(cases))
    bench.flow = Flow(steps)
    carriers = Carriers({CARRIER: (SECRET,)})
    logistics = open_logistics(shipping, sessions, readers, clock, bench.flow, carriers)
    review = ReviewDesk(sessions, readers, clock, bench.store, cases, bench.flow)
    await bench.furnish()
    return Depot(bench, work, clock, logistics, review, sessions)


def other_code(code: str) -> str:
    """A wrong one."""
    return f"{(int(code) + 1) % 10**6:06d}"
