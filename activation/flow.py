"""The mission: from a confirmed order to a subscriber who is on, as short durable missions.

    accept   1 compare the identity with the national registry             R1.5
             2 write the answer; take one of the document's five places    R2.1
             3 ask the gate: accepted, refused, to a reviewer, or wait     R3.2
    ship     1 reserve a SIM card                                          R4.1
             2 create its subscriber in the HLR, switched off, read back
             3 bind the card to the order and hand it to logistics
    decide   1 ask the gate, record the answer, move order and card        R4.2, R4.3
             2 unless something came in between, switch the subscriber on
             3 read the subscriber back
             4 order and card are active
             5 unless something came in meanwhile: off again; 6 back to where they were
    release  1 remove the subscriber, which was never switched on
             2 give back card and number
    tell     1 one message to the applicant
             2 if the gateway did not take it: again later

Nothing waits inside a mission. What happens to an order is a fact, and the transaction that writes the
fact enqueues the mission that it causes (`record`). What gave up is brought back by its due date
(`activation.upkeep`). Missions carry ids only. Steps in the database happen exactly once; steps outside
of it are idempotent (`activation.steps`).
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.decisions import Question
from activation.adapters.sql.orders import Document
from activation.evidence import CapturesMeasured, Evidence, ReviewStage
from activation.findings import Reason
from activation.gate import Pass, Refuse, Review, Wait
from activation.ids import Iccid, Imsi, Msisdn, OrderId
from activation.order import OrderState as S
from activation.ports import MessageKind as Say
from activation.ports import StepGaveUp
from activation.standing import NEW_CAPTURES_WITHIN, new_captures_wanted, reached
from activation.steps import AGAIN_AFTER, BEFORE_SHIPPING, TELL_AGAIN, Steps
from activation.switching import Switching
from activation.weighing import captures_let_go, new_check_asked_at

ACCEPT, SHIP, DECIDE, RELEASE = "accept", "ship", "decide", "release"
ON_THE_WAY = frozenset({S.SHIPPED, S.DELIVERED, S.VERIFIED, S.ACTIVATING})
#: The mission that a fact causes, by the state of its order.
CAUSES: dict[S, str] = {
    **dict.fromkeys(BEFORE_SHIPPING, ACCEPT),
    S.ACCEPTED: SHIP,
    **dict.fromkeys(ON_THE_WAY, DECIDE),
}


class Flow:
    def __init__(self, steps: Steps) -> None:
        self.steps, self.work, self.store, self.clock = steps, steps.work, steps.store, steps.clock
        self.switching = Switching(steps)

    # What other rooms call, inside their own transaction.

    async def submit(
        self, session: AsyncSession, order_id: OrderId, document: Document, captures: CapturesMeasured
    ) -> bool:
        """R1.4: the applicant confirmed what was read. False: no draft any more, or its number is gone."""
        order, now = await self.store.orders.lock(session, order_id), self.clock()
        if order.state is not S.DRAFT or not await self.store.numbers.keep(session, order.msisdn, order_id):
            return False
        await self.store.orders.submit(session, order_id, document, now, now + AGAIN_AFTER)
        await self.record(session, order_id, captures)
        return True

    async def record(self, session: AsyncSession, order_id: OrderId, fact: Evidence) -> int:
        """Write a fact and, in the same transaction, the mission that it causes. Returns its index."""
        order = await self.store.orders.lock(session, order_id)
        index = await self.store.facts.append(session, order_id, fact)
        if mission := CAUSES.get(order.state):
            await self.store.orders.put_off(session, order_id, self.clock() + AGAIN_AFTER)
            await self.work.enqueue(session, mission, order_id, f"fact-{index}")
        return index

    async def end(self, session: AsyncSession, order_id: OrderId, state: S) -> bool:
        """Cancelled, returned, expired or refused: frees what the order holds. False: too late for that."""
        now = self.clock()
        if not await self.store.orders.move(session, order_id, state, now, due_at=now + AGAIN_AFTER):
            return False
        await self.store.quota.release(session, order_id)
        await self.work.enqueue(session, RELEASE, order_id, state)
        if state is S.REFUSED:
            await self.steps.say(session, order_id, Say.ORDER_REFUSED)
        return True

    # The missions.

    async def accept(self, order_id: OrderId) -> None:
        try:
            answer = await self.work.ask("accept.1 compare", lambda: self.steps.compare(order_id))
        except StepGaveUp:
            answer = self.steps.no_answer()
        if await self.work.write(
            "accept.2 take a place", lambda s: self.steps.take_place(s, order_id, answer)
        ):
            await self.work.write("accept.3 ask the gate", lambda s: self._accept(s, order_id))

    async def _accept(self, session: AsyncSession, order_id: OrderId) -> None:
        order, now = await self.steps.order_in(session, order_id, BEFORE_SHIPPING), self.clock()
        if order is None:
            return
        facts = await self.steps.facts(session, order)
        seen = f"facts-{len(facts.evidence)}"
        if new_captures_wanted(facts):
            await self.store.orders.move(session, order_id, S.DRAFT, now, due_at=now + NEW_CAPTURES_WITHIN)
            await self.store.quota.release(session, order_id)
            await self.steps.say(session, order_id, Say.NEW_CAPTURE_WANTED, seen)
            return
        match await self.steps.ask_gate(session, Question.MAY_SHIP, facts):
            case Pass():
                await self.store.orders.move(session, order_id, S.ACCEPTED, now, due_at=now + AGAIN_AFTER)
                await self.work.enqueue(session, SHIP, order_id, seen)
                await self.steps.say(session, order_id, Say.ORDER_ACCEPTED)
            case Refuse():
                await self.end(session, order_id, S.REFUSED)
            case Review() as review:
                await self.steps.open_case(session, facts, ReviewStage.SHIP, review)
                await self.store.orders.put_off(session, order_id, None)
                if await self.store.orders.move(session, order_id, S.IN_REVIEW, now):
                    await self.steps.say(session, order_id, Say.ORDER_IN_REVIEW, seen)
            case Wait(missing):
                again = now + AGAIN_AFTER if Reason.REGISTRY_MISSING in missing else None
                await self.store.orders.put_off(session, order_id, again)

    async def ship(self, order_id: OrderId) -> None:
        card = await self.work.write("ship.1 reserve a card", lambda s: self.steps.reserve(s, order_id))
        if card is None:
            return
        imsi, msisdn, iccid = Imsi(card["imsi"]), Msisdn(card["msisdn"]), Iccid(card["iccid"])
        await self.work.ask("ship.2 create switched off", lambda: self.steps.create_off(imsi, msisdn))
        await self.work.write("ship.3 bind and hand over", lambda s: self._ship(s, order_id, iccid))

    async def _ship(self, session: AsyncSession, order_id: OrderId, iccid: Iccid) -> None:
        if await self.steps.bind(session, order_id, iccid):
            for kind in (Say.SHIPPED, Say.HANDOVER_CODE, Say.ACTIVATION_LINK):
                await self.steps.say(session, order_id, kind)

    async def decide(self, order_id: OrderId) -> None:
        found = await self.work.write("decide.1 ask the gate", lambda s: self._decide(s, order_id))
        if found is None:
            return
        imsi = Imsi(found)
        if await self.work.ask("decide.2 switch on", lambda: self.switching.switch_on(order_id, imsi)):
            await self.work.ask("decide.3 read back", lambda: self.switching.read_back(imsi))
            if await self.work.write("decide.4 active", lambda s: self._activated(s, order_id)):
                return
            await self.work.ask("decide.5 off again", lambda: self.switching.switch_off(order_id, imsi))
        await self.work.write("decide.6 stays off", lambda s: self.switching.stays_off(s, order_id, DECIDE))

    async def _decide(self, session: AsyncSession, order_id: OrderId) -> str | None:
        """The IMSI to switch on; None: not now."""
        order = await self.steps.order_in(session, order_id, ON_THE_WAY)
        if order is None:
            return None
        facts = await self.steps.facts(session, order)
        may_be_on = order.state is S.ACTIVATING
        answer = await self.steps.ask_gate(session, Question.MAY_ACTIVATE, facts, may_be_on=may_be_on)
        for state in reached(order.state, facts, answer):
            await self.store.orders.move(session, order_id, state, self.clock())
        match answer:
            case Pass():
                return await self.switching.start_activating(session, order_id)
            case Refuse() if await self.end(session, order_id, S.REFUSED):
                return None
            case Review() as review:
                await self.steps.open_case(session, facts, ReviewStage.ACTIVATE, review)
            case Wait(missing) if Reason.VIDEO_CHECK_MISSING in missing and not captures_let_go(facts):
                if (asked := new_check_asked_at(facts)) is not None:
                    await self.steps.say(session, order_id, Say.NEW_CHECK_WANTED, f"fact-{asked}")
            case Wait() | Refuse():
                pass
        if order.state is S.ACTIVATING:
            # An earlier switch may have reached the HLR unheard; step 2 sees to it that it is off.
            return await self.switching.start_activating(session, order_id)
        await self.steps.wait(session, order_id)
        return None

    async def _activated(self, session: AsyncSession, order_id: OrderId) -> bool:
        if active := await self.switching.activated(session, order_id):
            await self.steps.say(session, order_id, Say.ACTIVATED)
        return active

    async def release(self, order_id: OrderId) -> None:
        await self.work.ask("release.1 remove", lambda: self.steps.remove_subscriber(order_id))
        await self.work.write("release.2 give back", lambda s: self.steps.free(s, order_id))

    async def tell(self, order_id: OrderId, kind: Say, cause: str, again: int = 0) -> None:
        try:
            await self.work.ask("tell.1 send", lambda: self.steps.send(order_id, kind, cause))
        except StepGaveUp:
            if again >= len(TELL_AGAIN):
                raise
            await self.work.write(
                "tell.2 later", lambda s: self.steps.say_later(s, order_id, kind, cause, again)
            )
