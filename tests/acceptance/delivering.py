"""The application with logistics and review behind it, and the calls of couriers, reviewers and operators."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from aiohttp.web import Application
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy.ext.asyncio import AsyncEngine

from activation.adapters.sql.outbox import read_text
from activation.adapters.sql.sims import Sims
from activation.adapters.sql.tables import MessageRow
from activation.flow import Flow
from activation.ids import OrderId, StaffId
from activation.ports import MessageKind
from app.access.principals import Role, Staff
from app.compliance.holds.desk import HoldDesk
from app.review.cases import Cases
from app.review.desk import FlowDesk, ReviewDesk
from app.server import build_app
from app.tables import StaffRow
from logistics.carriers import Carriers, signature_header
from logistics.opening import open_logistics, open_shipping
from media.door_photos import DoorPhotos
from media.faces import Face
from tests.activation.stand_ins import PromptWork, StandInRegistry, card, run_mission
from tests.app.ground import MODEL, Ground, lay_ground
from tests.app.http.conftest import Client
from tests.app.http.walking import DEVICE, bearer, key, ready_to_confirm

Json = dict[str, Any]
CARRIER = "kaika"
SECRET = b"the secret of a carrier, 32 bytes or longer"
PASSWORD = "a long pass phrase"


class TellingWork(PromptWork):
    """Also sends the messages."""

    async def run(self, flow: Flow) -> None:
        while self.enqueued:
            mission, order_id, why = self.enqueued.pop(next(iter(self.enqueued)))
            if mission == "tell":
                await flow.tell(order_id, MessageKind(why[0]), "".join(why[1:]))
            else:
                await run_mission(flow, mission, order_id)


class ScriptedFinder:
    """Finds one face, or none in a black picture."""

    def find(self, bgr: NDArray[np.uint8]) -> list[Face]:
        return [Face(np.zeros((478, 3), dtype=np.float32))] if bgr.any() else []

    def close(self) -> None:
        pass


class ScriptedRecogniser:
    """The applicant where the picture is white, somebody else otherwise."""

    model = MODEL

    def embed(self, bgr: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
        vector = np.zeros(8, dtype=np.float32)
        vector[0 if bgr.min() > 200 else 1] = 1.0
        return vector


def picture(colour: str = "white") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (200, 200), colour).save(written, "PNG")
    return written.getvalue()


def with_logistics(ground: Ground) -> Ground:
    """`ground` with the rooms that it lacks."""
    given, cases = ground.services, Cases()
    shipping = open_shipping(given.keys.fields, given.staff, CARRIER)
    steps = replace(
        given.flow.steps,
        work=TellingWork(given.sessions),
        registry=StandInRegistry(),
        shipping=shipping,
        case_desk=FlowDesk(cases),
    )
    flow, carriers = Flow(steps), Carriers({CARRIER: (SECRET,)})
    ground.services = replace(
        given,
        holds=HoldDesk(given.sessions, given.clock, steps.work),
        flow=flow,
        shipping=shipping,
        case_desk=steps.case_desk,
        logistics=open_logistics(shipping, given.sessions, given.readers, given.clock, flow, carriers),
        review=ReviewDesk(given.sessions, given.readers, given.clock, steps.store, cases, flow),
        door_photos=DoorPhotos(lambda: (ScriptedFinder(), ScriptedRecogniser())),
    )
    return ground


@dataclass
class Caller:
    """Somebody with a token."""

    client: Client
    headers: Json
    who: Staff | None = None

    async def get(self, path: str) -> tuple[int, Json]:
        async with self.client.get(path, headers=self.headers) as answer:
            return answer.status, await answer.json()

    async def raw(self, path: str) -> tuple[int, str, bytes]:
        async with self.client.get(path, headers=self.headers) as answer:
            return answer.status, answer.content_type, await answer.read()

    async def post(self, path: str, body: Json | None = None, **headers: str) -> tuple[int, Json]:
        sent = {**self.headers, **key(), **headers}
        async with self.client.post(path, json=body, headers=sent) as answer:
            return answer.status, await answer.json()

    async def send(self, method: str, path: str, media_type: str, data: bytes) -> tuple[int, Json]:
        sent = {**self.headers, **key(), "Content-Type": media_type}
        async with self.client.request(method, path, data=data, headers=sent) as answer:
            return answer.status, await answer.json()


@dataclass
class House:
    """The application and whoever works with it."""

    client: Client
    ground: Ground

    async def run(self) -> None:
        """Everything that the flow has enqueued."""
        flow = self.ground.services.flow
        work = flow.steps.work
        assert isinstance(work, TellingWork)
        await work.run(flow)

    async def staff(self, role: Role, carrier: str | None = None) -> Caller:
        """A new account with a token; without a password, which takes time."""
        made, services = StaffId.new(), self.ground.services
        row = StaffRow(
            id=made,
            username=made,
            role=role,
            password_hash="",
            carrier=carrier,
            created_at=services.clock(),
        )
        async with services.sessions.begin() as session:
            session.add(row)
        who = Staff(made, role)
        return Caller(self.client, bearer(self.ground.token(who)), who)

    def sign_in_again(self, caller: Caller) -> None:
        """After a while that no token outlives."""
        assert caller.who is not None
        caller.headers |= bearer(self.ground.token(caller.who))

    async def signed_in(self, username: str) -> Caller:
        body = {"username": username, "password": PASSWORD}
        async with self.client.post("/v1/staff/token", json=body, headers=DEVICE) as answer:
            assert answer.status == 200, await answer.text()
            return Caller(self.client, bearer((await answer.json())["access_token"]))

    async def courier(self) -> Caller:
        return await self.staff(Role.COURIER, CARRIER)

    async def shipped(self) -> tuple[str, Caller]:
        """An order on its way, preselected over HTTP; its id, and its applicant."""
        async with self.ground.services.sessions.begin() as session:
            await Sims().add(session, [card(number) for number in range(3)], "b", self.ground.clock())
        order, token, digest = await ready_to_confirm(self.client, self.ground)
        applicant = Caller(self.client, token)
        status, body = await applicant.post(f"/v1/orders/{order}/confirmation", {"reading_digest": digest})
        assert status < 300, body
        await self.run()
        return order, applicant

    async def messages(self, kind: MessageKind) -> list[str]:
        """Texts of one kind in the sandbox outbox, oldest first."""
        async with self.ground.services.readers() as session:
            query = sa.select(MessageRow).where(MessageRow.kind == kind).order_by(MessageRow.at)
            return [await read_text(row) or "" for row in await session.scalars(query)]

    async def handover_code(self) -> str:
        """As the applicant reads it in the newest message."""
        text = (await self.messages(MessageKind.HANDOVER_CODE))[-1]
        digits = "".join(char if char.isdigit() else " " for char in text).split()
        return next(run for run in digits if len(run) == 6)

    async def carrier_tells(
        self, body: Json, secret: bytes = SECRET, carrier: str = CARRIER
    ) -> tuple[int, Json]:
        """A carrier's event, signed."""
        data = json.dumps(body).encode()
        header = signature_header(secret, int(self.ground.clock().timestamp()), data)
        sent = {"Kaika-Signature": header, "Content-Type": "application/json"}
        async with self.client.post(f"/v1/carriers/{carrier}/events", data=data, headers=sent) as answer:
            return answer.status, await answer.json()

    async def iccid(self, order: str) -> str:
        async with self.ground.services.readers() as session:
            view = await self.ground.services.flow.store.orders.read(session, OrderId(order))
        assert view is not None
        assert view.iccid is not None
        return str(view.iccid)


@pytest.fixture
def ground(engine: AsyncEngine, tmp_path: Path) -> Iterator[Ground]:
    laid = with_logistics(lay_ground(engine, tmp_path))
    yield laid
    laid.services.door_photos.close()
    laid.close()


@pytest.fixture
def application(ground: Ground) -> Application:
    return build_app(ground.services)


@pytest.fixture
def house(client: Client, ground: Ground) -> House:
    return House(client, ground)
