"""The steps of the missions in `activation.flow`: what each does to the database, the HLR, the registry.

A step that writes gets the session of its transaction and holds the order's row while it works. A step
that asks outside may run more than once and must not mind.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation import telling
from activation.adapters.sql.audit import note
from activation.adapters.sql.decisions import Question
from activation.adapters.sql.facts import read_fact, write_fact
from activation.adapters.sql.orders import OrderView
from activation.adapters.sql.store import Store
from activation.evidence import (
    CapturesMeasured,
    Facts,
    Identity,
    QuotaPlace,
    RegistryAnswer,
    RegistryVerdict,
    ReviewStage,
    SimBinding,
)
from activation.findings import Reason
from activation.gate import Decision, Pass, Review, Wait
from activation.holds import Stopped
from activation.ids import Iccid, Imsi, Msisdn, OrderId
from activation.order import OrderState as S
from activation.order_keys import know_key
from activation.policy import Policy
from activation.ports import (
    CaseDesk,
    Clock,
    Hlr,
    HlrFault,
    MessageKind,
    Messages,
    PersonalIdentity,
    Registry,
    Shipping,
    Work,
)
from activation.sim import SimState
from activation.standing import news_of_registry
from activation.weighing import holds_in_force, latest

TELL = "tell"
#: When a message that the gateway did not take is tried again; after the last it stays undelivered.
TELL_AGAIN = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 480))
#: Work that has not moved its order on by then is started again.
AGAIN_AFTER = timedelta(minutes=2)
BEFORE_SHIPPING = frozenset({S.SUBMITTED, S.IN_REVIEW})
#: Over without a subscriber: what the order held is given back.
OVER = frozenset({S.CANCELLED, S.EXPIRED, S.REFUSED, S.RETURNED})


@dataclass(frozen=True, repr=False)
class Steps:
    """Everything that the missions work with. base_url: where the applicant's page lives."""

    work: Work
    sessions: async_sessionmaker[AsyncSession]
    clock: Clock
    policy: Policy
    hlr: Hlr
    registry: Registry
    messages: Messages
    shipping: Shipping
    case_desk: CaseDesk
    base_url: str
    store: Store = field(default_factory=Store)

    # For every mission

    async def order_in(
        self, session: AsyncSession, order_id: OrderId, states: Collection[S]
    ) -> OrderView | None:
        """The order, its row held, if it is in one of these states; a mission that comes late finds None."""
        order = await self.store.orders.lock(session, order_id)
        return order if order.state in states else None

    async def facts(self, session: AsyncSession, order: OrderView) -> Facts:
        """Everything known about an order whose row is held, and which holds cover it now (R9.3)."""
        facts, now = await self.store.facts.load(session, order.id), self.clock()
        covering = await self.store.holds.covering(session, order.reach)
        news = await self.store.holds.news(session, covering, facts, now)
        for fact in news:
            await self.store.facts.append(session, order.id, fact)
        return Facts(order.id, (*facts.evidence, *news))

    async def ask_gate(
        self, session: AsyncSession, question: Question, facts: Facts, *, may_be_on: bool = False
    ) -> Decision:
        """The gate's answer, recorded with its whole input; and what only a hold stops, as stopped by it.

        may_be_on: the HLR may have switched on already; then it only waits, until it is known to be off.
        """
        answer, now = question.ask(facts, self.policy), self.clock()
        await self.store.decisions.record(session, question, facts, self.policy, answer, now)
        if answer == Wait((Reason.HELD,)):
            what = Stopped.SHIPMENT if question is Question.MAY_SHIP else Stopped.ACTIVATION
            held = holds_in_force(facts)
            if may_be_on:
                await self.store.holds.waits(session, held, what, facts.order, now)
            else:
                await self.store.holds.stopped(session, held, what, facts.order, now)
        return answer

    async def open_case(
        self, session: AsyncSession, facts: Facts, stage: ReviewStage, review: Review
    ) -> None:
        """Lay the order before a reviewer, who sees the facts that the gate saw."""
        about = len(facts.evidence) - 1
        await self.case_desk.open_case(
            session, facts.order, stage, review.reasons, review.two_people, about, self.clock()
        )

    async def say(self, session: AsyncSession, order_id: OrderId, kind: MessageKind, cause: str = "") -> None:
        """Have the applicant told once this transaction is committed; once per kind and cause."""
        await self.work.enqueue(session, TELL, order_id, kind, cause)

    async def say_later(
        self, session: AsyncSession, order_id: OrderId, kind: MessageKind, cause: str, again: int
    ) -> None:
        """The same message, with the same key at the gateway, after the next of `TELL_AGAIN`."""
        await self.work.enqueue(session, TELL, order_id, kind, cause, str(again + 1), after=TELL_AGAIN[again])

    async def send(self, order_id: OrderId, kind: MessageKind, cause: str) -> None:
        await know_key(order_id)
        async with self.sessions.begin() as session:
            contact = await self.store.orders.contact(session, order_id)
            values = await telling.message_values(
                session, order_id, kind, self.store, self.shipping, self.clock, self.base_url
            )
        if contact is not None:
            key = "-".join(filter(None, (order_id, kind, cause)))
            await self.messages.send(contact.phone, kind, values, contact.locale, key)

    async def wait(self, session: AsyncSession, order_id: OrderId) -> None:
        """Nothing is due; the next fact asks again."""
        await self.store.orders.put_off(session, order_id, None)

    # accept

    async def compare(self, order_id: OrderId) -> dict[str, Any] | None:
        """R1.5: the registry's answer as a stored fact; None: there is one, or nobody waits for it."""
        await know_key(order_id)
        async with self.sessions.begin() as session:
            order = await self.order_in(session, order_id, BEFORE_SHIPPING)
            document = await self.store.orders.document(session, order_id)
            _, known = latest(await self.store.facts.load(session, order_id), RegistryAnswer)
            if order is None or document is None:
                return None
            same = known is not None and known.identity == order.identity
            if known and same and known.verdict is not RegistryVerdict.UNAVAILABLE:
                return None
            await note(session, order_id, "identity.disclosed", "R1.5", "registry")
        verdict, reference = await self.registry.compare(
            PersonalIdentity(document.name, document.number), f"{order_id}-{order.identity.number}"
        )
        return write_fact(RegistryAnswer(self.clock(), verdict, order.identity, reference))

    def no_answer(self) -> dict[str, Any]:
        """The registry could not be asked; recorded once, asked again later."""
        nobody = Identity(None, None)
        return write_fact(RegistryAnswer(self.clock(), RegistryVerdict.UNAVAILABLE, nobody, ""))

    async def take_place(
        self, session: AsyncSession, order_id: OrderId, answer: dict[str, Any] | None
    ) -> bool:
        """R2.1: the answer and the place among the document's cards become facts, where they are news."""
        order = await self.order_in(session, order_id, BEFORE_SHIPPING)
        if order is None or order.identity.number is None:
            return False
        now, limit = self.clock(), self.policy.card_limit
        facts = await self.store.facts.load(session, order_id)
        if answer and (fact := news_of_registry(facts, read_fact(answer), order.identity)):
            await self.store.facts.append(session, order_id, fact)
        place = await self.store.quota.take(session, order.identity.number, order_id, limit, now)
        since, _ = latest(facts, CapturesMeasured)
        index, known = latest(facts, QuotaPlace)
        if known is None or index < since or known.place != place:
            await self.store.facts.append(session, order_id, QuotaPlace(now, place, limit))
        return True

    # ship

    async def reserve(self, session: AsyncSession, order_id: OrderId) -> dict[str, str] | None:
        """A card for an order that may still ship; None where it was held or ended, or the stock is empty."""
        order = await self.order_in(session, order_id, {S.ACCEPTED})
        if order is None:
            return None
        if not await self._may_ship(session, order):
            return None
        card = await self.store.sims.reserve(session, order_id, self.clock())
        return {"iccid": card.iccid, "imsi": card.imsi, "msisdn": order.msisdn} if card else None

    async def _may_ship(self, session: AsyncSession, order: OrderView) -> bool:
        """Nothing came in between since the order was accepted; else it waits."""
        facts = await self.facts(session, order)
        if isinstance(await self.ask_gate(session, Question.MAY_SHIP, facts), Pass):
            return True
        await self.wait(session, order.id)
        return False

    async def create_off(self, imsi: Imsi, msisdn: Msisdn) -> None:
        """R4.1"""
        subscriber = await self.hlr.create_off(imsi, msisdn)
        if not subscriber.is_off or subscriber.msisdn != msisdn:
            raise HlrFault("the new subscriber is not as it was asked for")

    async def bind(self, session: AsyncSession, order_id: OrderId, iccid: Iccid) -> bool:
        """R4.1: from here on this card is the order's.

        False: the order has ended, and `release` undoes; or it is held, and `ship` goes on later.
        """
        order = await self.order_in(session, order_id, {S.ACCEPTED})
        if order is None or not await self._may_ship(session, order):
            return False
        now, code = self.clock(), telling.activation_digest(order_id, iccid)
        shipped = await self.store.orders.move(
            session, order_id, S.SHIPPED, now, iccid=iccid, activation_digest=code
        )
        if shipped:
            await self.store.sims.move(session, iccid, SimState.INACTIVE, now)
            await self.store.facts.append(session, order_id, SimBinding(now, iccid))
            await self.shipping.create_delivery(session, order_id, iccid, now)
        return shipped

    # release

    async def remove_subscriber(self, order_id: OrderId) -> None:
        """A card that goes back must not keep the number in the HLR."""
        async with self.sessions.begin() as session:
            order = await self.order_in(session, order_id, OVER)
            card = await self.store.sims.of_order(session, order_id)
        if order and card and card.state in (SimState.RESERVED, SimState.INACTIVE):
            await self.hlr.remove(card.imsi)

    async def free(self, session: AsyncSession, order_id: OrderId) -> None:
        order = await self.order_in(session, order_id, OVER)
        if order is None:
            return
        came_back = order.state is S.RETURNED
        await self.store.sims.release(session, order_id, self.clock(), came_back)
        await self.store.numbers.release(session, order_id)
        await self.store.orders.put_off(session, order_id, None)
