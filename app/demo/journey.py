"""The applicant's way, step by step, over the public API; see `app.demo.run` for what surrounds it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from activation.ids import Iccid, Imsi
from app.demo.call import VideoCall
from app.demo.client import Api, Json
from app.demo.hlr import Look
from app.demo.inbox import Inbox
from app.demo.stock import Stock
from app.demo.telling import Telling
from app.studio import Attack, StudioApplicant

CONTACT_PHONE = "13900000001"
CONSENT_VERSION = "2026-1"
CONSENTS = ("terms", "identity", "face_recognition", "risk_notice")
COURIER_CHECKS = ("document_original_seen", "person_resembles_document", "document_valid")
REGION = "北京"
POLL_SECONDS = 0.1
#: The longest that the server may take for a mission, or a reviewer's case to open.
FLOW_SECONDS = 30.0
ATTEMPTS = 3
OVER = frozenset({"active", "refused", "in_review", "cancelled", "expired", "returned"})


@dataclass
class Journey:
    """One order of one applicant."""

    tell: Telling
    applicant: StudioApplicant
    attack: Attack | None
    phone: Api
    operator: Api
    courier: Api
    inbox: Inbox
    look: Look
    stock: Stock
    facts: Callable[[str], Awaitable[str]]
    order: str = ""
    facts_shown: int = 0
    msisdn: str = ""
    iccid: Iccid = field(default=Iccid("89860099000000000003"))

    async def run(self) -> Json:
        """Everything; the operator's view of the order in the end."""
        with self.tell.step("A number is chosen and held (R1.1)"):
            await self.choose_number()
        with self.tell.step("A one-time code opens the order to the phone that it names"):
            await self.sign_in()
        with self.tell.step("Consents, one of them for face recognition alone (R9.4, R11.3)"):
            await self.consent()
        with self.tell.step("Three captures are taken, read and measured (R3.1)"):
            await self.capture()
        with self.tell.step(
            "What was read is confirmed; registry, card limit and gate follow (R1.4, R1.5, R2)"
        ):
            await self.confirm()
        with self.tell.step("The inactive card is on its way (R4.1)"):
            await self.shipped()
        with self.tell.step("The courier hands it over (R3.3)"):
            await self.hand_over()
        with self.tell.step("The activation link from the package is opened"):
            await self.open_link()
        return await self.verify()

    async def choose_number(self) -> None:
        free = await self.phone.get("/v1/numbers", pattern="*0", limit=5)
        self.msisdn = free["numbers"][0]["msisdn"]
        body = {
            "msisdn": self.msisdn,
            "contact_phone": CONTACT_PHONE,
            "delivery": {"address": self.applicant.applicant.address, "region": REGION},
            "locale": "zh-CN",
        }
        made = await self.phone.post("/v1/orders", body)
        self.order = made["order_id"]
        self.tell.say("number", self.msisdn)
        self.tell.say("order", f"{self.order}, number held until {made['reserved_until']}")

    async def sign_in(self) -> None:
        code = await self.inbox.digits("one_time_code")
        made = await self.phone.post(f"/v1/orders/{self.order}/token", {"code": code})
        self.phone.signed_in(made)
        self.tell.say("token", f"for this order on this phone alone, {made['expires_in']} s")

    async def consent(self) -> None:
        for kind in CONSENTS:
            body = {"kind": kind, "version": CONSENT_VERSION, "given": True}
            await self.phone.post(f"/v1/orders/{self.order}/consents", body)
        self.tell.say("given", ", ".join(CONSENTS))

    async def capture(self) -> None:
        pictures: dict[str, Callable[[], bytes]] = {
            "id_front": self.applicant.front_jpeg,
            "id_back": self.applicant.back_jpeg,
            "handheld": self.applicant.handheld_jpeg,
        }
        for kind, draw in pictures.items():
            data = await asyncio.to_thread(draw)
            began = time.monotonic()
            await self.phone.send("PUT", f"/v1/orders/{self.order}/captures/{kind}", "image/jpeg", data)
            self.tell.say(kind, f"accepted, {len(data) // 1024} KB, {time.monotonic() - began:.1f} s")

    async def confirm(self) -> None:
        reading = await self.phone.get(f"/v1/orders/{self.order}/reading")
        for name, value in reading.items():
            if isinstance(value, str) and name != "reading_digest":
                self.tell.say(name, value)
        body = {"reading_digest": reading["reading_digest"]}
        await self.phone.post(f"/v1/orders/{self.order}/confirmation", body)
        await self.until("accepted", lambda order: order["state"] in {"accepted", "shipped"} | OVER)
        await self.show_scores()

    async def shipped(self) -> None:
        order = await self.until("shipped", lambda order: order["state"] in {"shipped"} | OVER)
        if order["state"] != "shipped":
            raise RuntimeError(f"the order is {order['state']} instead of shipped")
        view = await self.operator.get(f"/v1/operator/orders/{self.order}")
        self.iccid = Iccid(view["iccid"])
        self.tell.say("card", f"ICCID {self.iccid}")
        self.tell.say("waybill", view["waybill"])
        await self.show_hlr()

    async def hand_over(self) -> None:
        view = await self.operator.get(f"/v1/operator/orders/{self.order}")
        found = await self.courier.post("/v1/courier/lookup", {"waybill": view["waybill"]})
        delivery = f"/v1/courier/deliveries/{found['delivery_id']}"
        await self.courier.post(f"{delivery}/collection")
        await self.courier.post(f"{delivery}/departure")
        photo = await asyncio.to_thread(self.applicant.handheld_jpeg)
        await self.courier.send("PUT", f"{delivery}/photo", "image/jpeg", photo)
        outcome = {
            "outcome": "handed_over",
            "handover_code": await self.inbox.digits("handover_code"),
            "iccid": str(self.iccid),
            "document_number_tail": self.applicant.applicant.number[-4:],
            "checks": dict.fromkeys(COURIER_CHECKS, True),
        }
        done = await self.courier.post(f"{delivery}/outcome", outcome)
        self.tell.say("parcel", done["state"])
        await self.show_scores()

    async def open_link(self) -> None:
        code = await self.inbox.activation_code()
        opened = await self.phone.as_another().post("/v1/activations", {"activation_code": code})
        self.tell.say("code sent to", opened["phone_hint"])
        await self.sign_in()

    async def verify(self) -> Json:
        """Checks until the order's fate is known."""
        for attempt in range(1, ATTEMPTS + 1):
            with self.tell.step(f"Video check over WebRTC, attempt {attempt} (R4.2)"):
                call = VideoCall(self.tell, self.phone, self.order)
                performer = await asyncio.to_thread(self.applicant.actor, self.attack, self.iccid)
                outcome = await call.run(performer)
                self.tell.say("phone is told", outcome)
            with self.tell.step("The gate weighs what was measured"):
                view = await self.decided()
                await self.show_scores()
            if view["state"] in OVER or view["open_cases"]:
                break
        return view

    async def decided(self) -> Json:
        """The operator's view, once the newest check has been weighed and what follows from it was done."""
        began = time.monotonic()
        view = await self.wait_for(
            "the gate",
            lambda: self.operator.get(f"/v1/operator/orders/{self.order}"),
            lambda view: view["decided_facts"] == view["facts"] and view["state"] != "activating",
        )
        self.tell.say("decided and done after", f"{time.monotonic() - began:.2f} s")
        return view

    async def until(self, what: str, holds: Callable[[Json], bool]) -> Json:
        order = await self.wait_for(what, lambda: self.phone.get(f"/v1/orders/{self.order}"), holds)
        self.tell.say("state", order["state"])
        return order

    async def wait_for(
        self, what: str, ask: Callable[[], Awaitable[Any]], holds: Callable[[Json], bool]
    ) -> Json:
        """Polls as a page does. Raises TimeoutError."""
        began = time.monotonic()
        async with asyncio.timeout(FLOW_SECONDS):
            while not holds(found := await ask()):
                self.tell.waiting(what, began)
                await asyncio.sleep(POLL_SECONDS)
        return dict(found)

    async def show_scores(self) -> None:
        """Facts that came since, with scores and thresholds, as the operator's command line shows them."""
        rows = [(int(fact), name, value) for fact, name, value in json.loads(await self.facts(self.order))]
        for fact, name, value in rows:
            if fact >= self.facts_shown:
                self.tell.say(name, value)
        self.facts_shown = max((fact + 1 for fact, _, _ in rows), default=0)

    async def show_hlr(self) -> tuple[bool, bool] | None:
        """What the HLR itself says of the card."""
        imsi: Imsi = self.stock.cards[self.iccid]
        domains = await self.look.domains(imsi)
        words = {None: "no such subscriber", (False, False): "off", (True, True): "ON"}
        self.tell.say("HLR says", f"{words.get(domains, 'half on')} ({self.look.name}, IMSI {imsi})")
        return domains
