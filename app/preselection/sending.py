"""One-time codes on their way to the contact phone."""

from __future__ import annotations

import asyncio
import secrets

import structlog

from activation.ids import Msisdn, OrderId
from activation.ports import MessageKind, MessagesFault
from app.access.codes import OneTimeCodes
from app.access.rates import CODES_PER_ORDER, Limit
from app.logs import exception_shape
from app.services import Services

#: Longest wait for the message service, seconds. The applicant can ask for another code.
SEND_SECONDS = 8.0

_log = structlog.get_logger("kaika.codes")


async def wait_for_code(services: Services, order_id: OrderId, phone: Msisdn, per_phone: Limit) -> int | None:
    """Counts one more code to this phone. None: it may be sent; else seconds until it may."""
    first = await services.rates.wait_for(CODES_PER_ORDER, order_id)
    second = await services.rates.wait_for(per_phone, phone)
    return None if first is None and second is None else max(first or 0, second or 0)


async def send_code(services: Services, order_id: OrderId, phone: Msisdn, locale: str) -> bool:
    """A new code to the phone. False: the message service did not take it; the code before it is void."""
    async with services.sessions.begin() as session:
        code = await OneTimeCodes(services.keys.fields).issue(session, order_id, services.clock())
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await services.messages.send(
                phone,
                MessageKind.ONE_TIME_CODE,
                {"code": code},
                locale,
                f"{order_id}-code-{secrets.token_hex(12)}",
            )
    except (MessagesFault, TimeoutError) as error:
        _log.warning("code not sent", order=order_id, error=exception_shape(error))
        return False
    return True
