"""A whole town for one journey: server, registry and HLR as processes, an order brought to its door."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from activation.ids import Iccid
from app.demo import hlr
from app.demo.client import Api, Server
from app.demo.inbox import Inbox
from app.demo.journey import CONTACT_PHONE, Journey
from app.demo.processes import Programs, free_port, run_app
from app.demo.run import Place, furnish, register, start
from app.demo.telling import Telling
from app.studio import StudioApplicant, make_applicant

SEED = 7


@dataclass
class Town:
    """One order whose card lies in the applicant's hands, inactive."""

    base: str
    applicant: StudioApplicant
    journey: Journey
    inbox: Inbox
    phone: Api

    @property
    def iccid(self) -> Iccid:
        return self.journey.iccid

    async def is_on(self) -> bool:
        """What the HLR says of the card."""
        return await self.journey.look.domains(self.journey.stock.cards[self.iccid]) == (True, True)


@asynccontextmanager
async def town(folder: Path, seed: int = SEED, portrait: str | None = None) -> AsyncIterator[Town]:
    """Everything through the public interfaces, from the choice of a number to the handover."""
    address = hlr.own_address() if hlr.installed() else None
    place = Place(folder / secrets.token_hex(3), free_port(), free_port(), address)
    place.folder.mkdir(parents=True)
    tell = Telling()
    applicant = make_applicant(seed, portrait)
    async with Programs(place.folder / "logs", place.environ()) as programs, Server(place.base) as server:
        look = await start(tell, place, programs, server)
        await register(place, applicant)
        operator, courier, stock = await furnish(tell, place, server)
        inbox, phone = Inbox(server.caller(), CONTACT_PHONE), server.caller()

        async def facts(order: str) -> str:
            return await run_app(place.environ(), "gate", "facts", order, "--json")

        journey = Journey(tell, applicant, None, phone, operator, courier, inbox, look, stock, facts)
        for step in (
            journey.choose_number,
            journey.sign_in,
            journey.consent,
            journey.capture,
            journey.confirm,
            journey.shipped,
            journey.hand_over,
        ):
            await step()
        yield Town(place.base, applicant, journey, inbox, phone)
