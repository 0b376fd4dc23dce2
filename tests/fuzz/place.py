"""A real server with everything that paths can name: an order at its door, a delivery, accounts."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.demo.client import Api, Server
from app.demo.hlr import Look
from app.demo.inbox import Inbox
from app.demo.journey import CONTACT_PHONE, Journey
from app.demo.processes import Programs, free_port, run_app
from app.demo.run import CARRIER, PASSWORD_BYTES, Place, first_operator, furnish, register, start
from app.demo.telling import Telling
from app.studio import make_applicant
from tests.fuzz.callers import PROXY, FuzzCaller

ORDERS = 3


@dataclass
class FuzzPlace:
    """base: address. objects: what path variables may name."""

    base: str
    document: dict[str, Any]
    callers: list[FuzzCaller]
    objects: dict[str, list[str]] = field(default_factory=dict)


@asynccontextmanager
async def fuzz_place(folder: Path, *, deep: bool) -> AsyncIterator[FuzzPlace]:
    """deep: one order is brought to its door first, with captures, card, parcel and a check."""
    place = Place(folder / secrets.token_hex(3), free_port(), free_port(), None)
    place.folder.mkdir(parents=True)
    tell, applicant = Telling(), make_applicant(11)
    environ = place.environ() | {"KAIKA_TRUSTED_PROXIES": PROXY, "KAIKA_CONNECTIONS_PER_ADDRESS": "1000"}
    async with Programs(place.folder / "logs", environ) as programs, Server(place.base) as server:
        look = await start(tell, place, programs, server)
        await register(place, applicant)
        operator, courier, stock = await furnish(tell, place, server)
        phone = server.caller()
        inbox = Inbox(server.caller(), CONTACT_PHONE)

        async def facts(order: str) -> str:
            return await run_app(environ, "gate", "facts", order, "--json")

        journey = Journey(tell, applicant, None, phone, operator, courier, inbox, look, stock, facts)
        await journey.choose_number()
        await journey.sign_in()
        made = FuzzPlace(place.base, await phone.get("/openapi.json"), [])
        if deep:
            await _to_the_door(journey)
        made.objects = await _objects(journey)
        made.callers = await _callers(place.base, journey, operator)
        yield made
        programs.check()


async def _to_the_door(journey: Journey) -> None:
    for step in (journey.consent, journey.capture, journey.confirm, journey.shipped):
        await step()


async def _objects(journey: Journey) -> dict[str, list[str]]:
    found = {"order_id": [journey.order], "name": ["docs.js", "docs.css"], "kind": ["id_front", "handheld"]}
    found["carrier"] = [CARRIER]
    view = await journey.operator.get(f"/v1/operator/orders/{journey.order}")
    if view.get("waybill"):
        parcel = await journey.courier.post("/v1/courier/lookup", {"waybill": view["waybill"]})
        found["delivery_id"] = [parcel["delivery_id"]]
        await journey.courier.post(f"/v1/courier/deliveries/{parcel['delivery_id']}/collection")
        check = await journey.phone.post(f"/v1/orders/{journey.order}/checks")
        found["check_id"] = [check["check_id"]]
    return found


async def _callers(base: str, journey: Journey, operator: Api) -> list[FuzzCaller]:
    callers = [FuzzCaller("anyone", base)]
    code = await _new_code(journey)
    applicant = FuzzCaller("applicant", base, None)
    path = f"/v1/orders/{journey.order}/token"
    await asyncio.to_thread(_first, applicant, (path, {"code": code}))
    callers.append(applicant)
    for role in ("courier", "reviewer", "operator"):
        body = {"username": f"fuzz-{role}", "password": secrets.token_urlsafe(PASSWORD_BYTES)}
        account = {**body, "role": role, **({"carrier": CARRIER} if role == "courier" else {})}
        await operator.post("/v1/operator/staff", account)
        callers.append(FuzzCaller(role, base, ("/v1/staff/token", body)))
        await asyncio.to_thread(callers[-1].renew)
    return callers


async def _new_code(journey: Journey) -> str:
    await journey.phone.as_another().post(f"/v1/orders/{journey.order}/codes")
    return str(await journey.inbox.digits("one_time_code"))


def _first(caller: FuzzCaller, sign_in: tuple[str, dict[str, Any]]) -> None:
    """An applicant's code is good once: later tokens come from refreshing alone."""
    caller.sign_in = sign_in
    caller.renew()
    caller.sign_in = None


__all__ = ["FuzzPlace", "Look", "first_operator", "fuzz_place"]
