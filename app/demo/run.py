"""The demo from an empty folder to its last line: starts everything, walks the way, judges the end."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp

from app.config import load_settings
from app.demo import hlr
from app.demo.client import Api, Json, Server
from app.demo.inbox import Inbox
from app.demo.journey import CONTACT_PHONE, Journey
from app.demo.processes import Programs, app_command, free_port, run_app
from app.demo.stock import Stock, fictional_stock
from app.demo.telling import Telling
from app.studio import Attack, StudioApplicant, make_applicant

STOCK = 20
SEED = 7
CARRIER = "kaika"
PASSWORD_BYTES = 15


@dataclass(frozen=True)
class Place:
    """Where the demo lives: a fresh folder, ports that were free, addresses made of them."""

    folder: Path
    port: int
    registry_port: int
    hlr_address: str | None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environ(self) -> dict[str, str]:
        """The server's settings, beside what the shell has; of Kaika's own only where evidence is stored."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("KAIKA_") or name == "KAIKA_VAULT" or name.startswith("KAIKA_S3_")
        }
        kept.pop("DATABASE_URL", None)
        chosen = {
            "KAIKA_DATA_DIR": str(self.folder),
            "TMPDIR": str(self.folder / "tmp"),
            "KAIKA_PORT": str(self.port),
            "KAIKA_BASE_URL": self.base,
            "KAIKA_REGISTRY_URL": f"http://127.0.0.1:{self.registry_port}",
            "KAIKA_LOG_FORMAT": "json",
            "OMP_NUM_THREADS": "1",
            **(
                {"KAIKA_HLR": "osmocom", "KAIKA_HLR_ADDRESS": f"{self.hlr_address}:{hlr.CTRL_PORT}"}
                if self.hlr_address
                else {}
            ),
        }
        return kept | chosen


async def demo(attack: Attack | None) -> int:
    """Runs the demo; 0 where it ended as it should."""
    place = fresh_place()
    tell = Telling()
    applicant = make_applicant(SEED)
    async with Programs(place.folder / "logs", place.environ()) as programs, Server(place.base) as server:
        with tell.step("A fresh server is started"):
            look = await start(tell, place, programs, server)
            await register(place, applicant)
        with tell.step("The operator fills the stock and makes accounts"):
            operator, courier, stock = await furnish(tell, place, server)
        phone = server.caller()
        journey = Journey(
            tell,
            applicant,
            attack,
            phone,
            operator,
            courier,
            Inbox(server.caller(), CONTACT_PHONE),
            look,
            stock,
            lambda order: run_app(place.environ(), "gate", "facts", order, "--json"),
        )
        view = await journey.run()
        on = await journey.show_hlr()
        show_decisions(tell, view)
        return conclude(tell, attack, view, on)


def fresh_place() -> Place:
    """A folder that nobody has used, below KAIKA_DATA_DIR."""
    name = f"demo-{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"  # noqa: DTZ005 - for people
    folder = (load_settings().data_dir / name).resolve()
    (folder / "tmp").mkdir(parents=True)
    return Place(folder, free_port(), free_port(), hlr.own_address() if hlr.installed() else None)


async def start(tell: Telling, place: Place, programs: Programs, server: Server) -> hlr.Look:
    """HLR, registry and server, each a process of its own; returns when the server is ready."""
    tell.say("data", place.folder)
    look: hlr.Look = hlr.SandboxLook(place.folder / "kaika.sqlite")
    if place.hlr_address is not None:
        look = await hlr.start_osmo(programs, place.folder / "hlr", place.hlr_address)
    tell.say("HLR", look.name)
    programs.start("registry", app_command("sandbox", "registry", "--port", str(place.registry_port)))
    tell.say("registry", f"sandbox server at 127.0.0.1:{place.registry_port}")
    programs.start("server", app_command("serve"))

    def waiting(since: float) -> None:
        programs.check()
        tell.waiting("models are loaded", since)

    await server.ready(waiting)
    tell.say("server", place.base)
    return look


async def register(place: Place, applicant: StudioApplicant) -> None:
    """Makes the fictional applicant a citizen of the sandbox registry."""
    who = {"name": applicant.applicant.name, "number": applicant.applicant.number}
    address = f"http://127.0.0.1:{place.registry_port}/sandbox/citizens"
    async with aiohttp.ClientSession() as session, session.post(address, json=who) as answer:
        answer.raise_for_status()


async def furnish(tell: Telling, place: Place, server: Server) -> tuple[Api, Api, Stock]:
    """Accounts and stock; the signed-in operator and courier."""
    operator = await signed_in(server, "operator-1", await first_operator(place))
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    account = {"username": "courier-1", "password": password, "role": "courier", "carrier": CARRIER}
    await operator.post("/v1/operator/staff", account)
    stock = fictional_stock(STOCK)
    for what, data in (("sims", stock.cards_csv()), ("numbers", stock.numbers_csv())):
        done = await operator.send("POST", f"/v1/operator/{what}/imports", "text/csv", data)
        tell.say(what, f"{done['imported']} imported, {done['bad']} bad lines")
    tell.say("accounts", "operator-1, courier-1")
    return operator, await signed_in(server, "courier-1", password), stock


async def first_operator(place: Place) -> str:
    """Makes the first account on the command line, as a real installation would; its password."""
    printed = await run_app(place.environ(), "staff", "add", "operator-1", "--role", "operator")
    return printed.split()[-1]


async def signed_in(server: Server, username: str, password: str) -> Api:
    api = server.caller()
    api.signed_in(await api.post("/v1/staff/token", {"username": username, "password": password}))
    return api


def show_decisions(tell: Telling, view: Json) -> None:
    """Each decision of the gate with its reasons and rules."""
    for made in view["decisions"]:
        reasons = ", ".join(f"{each['reason']} ({each['rule']})" for each in made["reasons"])
        tell.say(made["question"], f"{made['decision']}{': ' + reasons if reasons else ''}")


def conclude(tell: Telling, attack: Attack | None, view: Json, on: tuple[bool, bool] | None) -> int:
    """Prints the last line. 0: an honest applicant is on, or an attack was stopped and nothing is on."""
    reasons = reasons_of(view)
    if view["state"] == "active" and on == (True, True):
        tell.end(f"ACTIVE {view['msisdn']}")
        return 0 if attack is None else 1
    off = on in (None, (False, False))
    stopped = view["state"] == "refused" or view["open_cases"] > 0
    word = (
        "REFUSED" if view["state"] == "refused" else "REVIEW" if view["open_cases"] else view["state"].upper()
    )
    tell.end(f"{word} {reasons}")
    return 0 if attack is not None and stopped and off else 1


def reasons_of(view: Json) -> str:
    decisions: list[Any] = view["decisions"]
    return ", ".join(each["reason"] for each in decisions[-1]["reasons"]) if decisions else ""
