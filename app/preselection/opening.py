"""Opening an order: a number is held for half an hour, a code goes to the contact phone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from activation.adapters.sql.numbers import HOLD
from activation.adapters.sql.orders import NewOrder
from activation.adapters.sql.store import Store
from activation.holds import Stopped
from activation.ids import Msisdn, OrderId
from activation.order_keys import order_keys
from app.access.rates import FIRST_CODES_PER_PHONE, ORDERS_PER_ADDRESS, ORDERS_PER_PHONE
from app.preselection.sending import send_code, wait_for_code
from app.services import Services


@dataclass(frozen=True, repr=False)
class Wish:
    """What an applicant asks for. client: network address, for limits only."""

    msisdn: Msisdn
    contact_phone: Msisdn
    address: str
    region: str
    recipient: str | None
    locale: str
    client: str


@dataclass(frozen=True)
class Opened:
    """code_sent: False where the message service was silent; the applicant asks again."""

    order: OrderId
    reserved_until: datetime
    code_sent: bool


@dataclass(frozen=True)
class TooOften:
    seconds: int


class OpenRefusal(StrEnum):
    """PAUSED: a hold covers where the order would go (R9.3)."""

    NUMBER_TAKEN = "number_taken"
    PAUSED = "paused"


async def open_order(services: Services, wish: Wish) -> Opened | OpenRefusal | TooOften:
    """R1.1: a draft that holds its number. Of two people who want one number, one gets it."""
    for limit, subject in ((ORDERS_PER_ADDRESS, wish.client), (ORDERS_PER_PHONE, wish.contact_phone)):
        seconds = await services.rates.wait_for(limit, subject)
        if seconds is not None:
            return TooOften(seconds)
    order, now = OrderId.new(), services.clock()
    await order_keys().create(order)
    refusal = await _write(services, wish, order, now)
    if refusal is not None:
        await order_keys().destroy(order)
        return refusal
    seconds = await wait_for_code(services, order, wish.contact_phone, FIRST_CODES_PER_PHONE)
    sent = seconds is None and await send_code(services, order, wish.contact_phone, wish.locale)
    return Opened(order, now + HOLD, sent)


async def _write(services: Services, wish: Wish, order: OrderId, now: datetime) -> OpenRefusal | None:
    """None: there is the draft."""
    store = Store()
    new = NewOrder(
        order, wish.msisdn, wish.contact_phone, wish.address, wish.region, wish.recipient, wish.locale
    )
    here = services.settings.executor_id
    async with services.sessions.begin() as session:
        if await store.holds.stops(session, new.reach, Stopped.NEW_ORDER, here, now):
            return OpenRefusal.PAUSED
        if not await store.numbers.hold(session, wish.msisdn, order, now):
            return OpenRefusal.NUMBER_TAKEN
        await store.orders.create(session, new, now, now + HOLD)
    return None
