"""From the contact phone, or the code in the package, to a token for one order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from activation.adapters.sql.audit import note
from activation.adapters.sql.orders import Contact
from activation.adapters.sql.store import Store
from activation.ids import Msisdn, OrderId
from activation.order import OrderState
from app.access.codes import OneTimeCodes
from app.access.families import SignedIn
from app.access.principals import Applicant
from app.access.rates import (
    ACTIVATIONS_PER_ADDRESS,
    CODES_PER_PHONE,
    DRAFT_CODES_PER_PHONE,
    TRIES_PER_ADDRESS,
    TRIES_PER_ORDER,
)
from app.compliance.holds.pausing import is_paused
from app.preselection.opening import TooOften
from app.preselection.phones import phone_hint
from app.preselection.sending import send_code, wait_for_code
from app.services import Services

_ACTIVATION_CODE = re.compile(r"[A-Z2-7]{16,64}")


class SignInRefusal(StrEnum):
    """UNKNOWN: no such order or package. CODE: not accepted, never why. SILENT: no message went out.

    PAUSED: a hold covers the order (R9.3).
    """

    UNKNOWN = "unknown"
    CODE = "code"
    SILENT = "silent"
    PAUSED = "paused"


@dataclass(frozen=True)
class CodeSent:
    """phone_hint: `139****0001`."""

    order: OrderId
    phone_hint: str


async def send_another_code(services: Services, order_id: OrderId) -> CodeSent | SignInRefusal | TooOften:
    """A new code for an order; the one before it is void."""
    contact = await _contact(services, order_id)
    if contact is None:
        return SignInRefusal.UNKNOWN
    async with services.sessions.begin() as session:
        if await is_paused(session, Applicant(order_id), services.clock()):
            return SignInRefusal.PAUSED
    return await _send(services, order_id, contact.phone, contact.locale)


async def open_package(services: Services, written: str, client: str) -> CodeSent | SignInRefusal | TooOften:
    """The code in the package leads to its order; a one-time code goes to the order's contact phone."""
    seconds = await services.rates.wait_for(ACTIVATIONS_PER_ADDRESS, client)
    if seconds is not None:
        return TooOften(seconds)
    code = re.sub(r"[\s-]", "", written).upper()
    # Looked up whatever it looks like, so that no form of wrong code is answered sooner.
    async with services.readers() as session:
        order = await Store().orders.by_activation_code(session, code)
    if order is None or not _ACTIVATION_CODE.fullmatch(code):
        return SignInRefusal.UNKNOWN
    return await send_another_code(services, order.id)


async def exchange_code(
    services: Services, order_id: OrderId, code: str, client: str, device: str
) -> SignedIn | SignInRefusal | TooOften:
    """Tokens for the order on this device, once per code. An unknown order and a wrong code look the same."""
    for limit, subject in ((TRIES_PER_ADDRESS, client), (TRIES_PER_ORDER, order_id)):
        seconds = await services.rates.wait_for(limit, subject)
        if seconds is not None:
            return TooOften(seconds)
    async with services.sessions.begin() as session:
        right = await OneTimeCodes(services.keys.fields).accept(session, order_id, code, services.clock())
        if not right:
            known = await Store().orders.read(session, order_id) is not None
            await note(session, order_id if known else "sign_in", "sign_in.refused", "R9.1")
    if not right:
        return SignInRefusal.CODE
    return await services.families.begin(Applicant(order_id), device) or SignInRefusal.PAUSED


async def _send(
    services: Services, order_id: OrderId, phone: Msisdn, locale: str
) -> CodeSent | SignInRefusal | TooOften:
    proven = await _phone_proven(services, order_id)
    per_phone = CODES_PER_PHONE if proven else DRAFT_CODES_PER_PHONE
    seconds = await wait_for_code(services, order_id, phone, per_phone)
    if seconds is not None:
        return TooOften(seconds)
    if not await send_code(services, order_id, phone, locale):
        return SignInRefusal.SILENT
    return CodeSent(order_id, phone_hint(phone))


async def _phone_proven(services: Services, order_id: OrderId) -> bool:
    """Whether somebody has read a code for this order on its phone; until then it may be a stranger's."""
    async with services.readers() as session:
        order = await Store().orders.read(session, order_id)
        if order is not None and order.state is not OrderState.DRAFT:
            return True
        return await services.families.began(session, order_id)


async def _contact(services: Services, order_id: OrderId) -> Contact | None:
    async with services.readers() as session:
        return await Store().orders.contact(session, order_id)
