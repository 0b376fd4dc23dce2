"""Every route × everybody × own and foreign objects, out of the API's own description.

`WHO` says a second time, by hand, who may do what. A route that it does not name fails, and so does a path
variable that nothing is known of: nobody adds a route whose right was not thought of twice.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp.web import Application
from sqlalchemy.ext.asyncio import AsyncEngine

from activation.adapters.sql.engine import open_engine
from activation.ids import DeliveryId, OrderId, StaffId
from app.access.principals import Applicant, Role, Staff
from app.access.rights import RIGHTS
from app.checks import Checks
from app.http.contract import operation_of
from app.server import build_app
from app.tables import StaffRow
from logistics.tables import DeliveryRow
from tests.acceptance.delivering import CARRIER, House, ground, house
from tests.app import checking
from tests.app.access.who import EVERYBODY, PAGES, WHO, A, C, O, R
from tests.app.ground import TEST_DEVICE, Ground
from tests.app.http import walking as walk
from tests.app.http.conftest import client, no_blocking

__all__ = ["client", "ground", "house", "no_blocking"]

_VARIABLE = re.compile(r"{(\w+)}")
#: Whose objects a variable names; None: nobody's own, whoever has the right may name any.
OWNED: dict[tuple[str, str], bool] = {(A, "order_id"): True, (A, "check_id"): True, (C, "delivery_id"): True}
#: What comes before an object is looked for: a body that says something.
BODIES: dict[str, dict[str, Any]] = {
    "POST /v1/checks/{check_id}/offer": {"type": "offer", "sdp": "v=0"},
    "POST /v1/courier/deliveries/{delivery_id}/document": {"document_number_tail": "0011"},
    "POST /v1/courier/deliveries/{delivery_id}/outcome": {"outcome": "not_home"},
}


@dataclass
class Everybody:
    """Callers by name, and objects that are there."""

    house: House
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict)

    @property
    def ground(self) -> Ground:
        return self.house.ground

    async def ask(self, route: str, caller: str, objects: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        method, _, template = route.partition(" ")
        path = _VARIABLE.sub(lambda variable: objects[variable[1]], template)
        headers = {**self.headers[caller], **walk.key(), "Accept-Language": "en"}
        sent: dict[str, Any] = {}
        if method == "PUT":
            sent = {"data": b"front", "headers": {**headers, **walk.JPEG}}
        elif method == "POST":
            sent = {"json": BODIES.get(route, {}), "headers": headers}
        else:
            sent = {"headers": headers}
        async with self.house.client.request(method, path, **sent) as answer:
            problem = await answer.json() if answer.content_type.endswith("json") else {}
            return answer.status, problem


@pytest.fixture
async def engine(sqlite_url: str) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(sqlite_url)
    yield opened
    await opened.dispose()


@pytest.fixture
async def checks(ground: Ground) -> AsyncIterator[Checks]:
    opened = checking.with_checks(ground)
    yield opened
    await opened.close()


@pytest.fixture
def application(ground: Ground, checks: Checks) -> Application:
    return build_app(ground.services)


@pytest.fixture
async def everybody(house: House) -> Everybody:
    found = Everybody(house)
    order, applicant = await house.shipped()
    courier, other = await house.courier(), await house.courier()
    async with house.ground.services.sessions.begin() as session:
        delivery = await session.scalar(sa.select(DeliveryRow.id).where(DeliveryRow.order_id == order))
    assert delivery is not None
    assert (await courier.post(f"/v1/courier/deliveries/{delivery}/collection"))[0] == 200
    status, made = await applicant.post(f"/v1/orders/{order}/checks", {})
    assert status == 201, made
    strangers = await walk.open_order(house.client, house.ground, "13800000009", "13900000009")
    reviewer, operator = await house.staff(Role.REVIEWER), await house.staff(Role.OPERATOR)
    people: dict[str, Applicant | Staff] = {A: Applicant(OrderId(order))}
    for name, caller in ((C, courier), (R, reviewer), (O, operator)):
        assert caller.who is not None
        people[name] = caller.who
    assert other.who is not None
    found.headers = _headers(house.ground, people)
    found.headers |= {
        "another applicant": walk.bearer(house.ground.applicant_token(strangers)),
        "another courier": walk.bearer(house.ground.token(other.who)),
    }
    await _add_lost(found, people)
    found.own = {
        **_named_by_chance(),
        "order_id": order,
        "delivery_id": delivery,
        "check_id": made["check_id"],
    }
    return found


def _named_by_chance() -> dict[str, str]:
    """A value of the right form for every path variable; it names nothing."""
    return {
        "order_id": OrderId.new(),
        "check_id": f"chk_{secrets.token_hex(12)}",
        "delivery_id": DeliveryId.new(),
        "staff_id": StaffId.new(),
        "case_id": f"cas_{secrets.token_hex(12)}",
        "hold_id": f"hld_{secrets.token_hex(12)}",
        "incident_id": f"inc_{secrets.token_hex(12)}",
        "request_id": f"req_{secrets.token_hex(12)}",
        "upload_id": f"upl_{secrets.token_hex(12)}",
        "digest": secrets.token_hex(32),
        "kind": "id_front",
        "name": "docs.js",
        "carrier": CARRIER,
    }


def _headers(ground: Ground, people: Mapping[str, Applicant | Staff]) -> dict[str, dict[str, str]]:
    """Good ones of every role, and those that must be nobody's."""
    good = {name: walk.bearer(ground.token(who)) for name, who in people.items()}
    past = ground.clock() - timedelta(seconds=1)
    tokens, family = ground.services.tokens, secrets.token_urlsafe(16)
    bad: dict[str, dict[str, str]] = {
        EVERYBODY: {},
        "device alone": walk.DEVICE,
        "rubbish": walk.bearer("x.y.z"),
    }
    for name, who in people.items():
        bad[f"expired {name}"] = walk.bearer(tokens.issue(who, TEST_DEVICE, family, past).text)
        bad[f"{name} elsewhere"] = {"Authorization": good[name]["Authorization"]}
    return {**good, **bad}


async def _add_lost(found: Everybody, people: Mapping[str, Applicant | Staff]) -> None:
    """Tokens that were revoked, and of accounts that were disabled."""
    services = found.ground.services
    for name, who in people.items():
        text = found.ground.token(who)
        bearer = await services.tokens.verify(text, TEST_DEVICE)
        assert bearer is not None
        await services.tokens.revoke(bearer)
        found.headers[f"revoked {name}"] = walk.bearer(text)
        if isinstance(who, Staff):
            gone = Staff(StaffId.new(), who.role)
            async with services.sessions.begin() as session:
                row = StaffRow(id=gone.id, username=gone.id, role=gone.role, password_hash="", disabled=True)
                row.created_at = services.clock()
                session.add(row)
            found.headers[f"disabled {name}"] = walk.bearer(found.ground.token(gone))
    services.tokens.revocations.forget()


def _described(document: dict[str, Any]) -> dict[str, set[str]]:
    """Route → roles, as the description says."""
    return {
        f"{method.upper()} {path}": {
            role for each in operation["security"] for role in each.get("bearer", [])
        }
        or {EVERYBODY}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


async def test_every_route_was_thought_of_twice(everybody: Everybody, application: Application) -> None:
    document = await (await everybody.house.client.get("/openapi.json")).json()
    described = _described(document)
    assert described == {route: set(roles.split()) for route, roles in WHO.items()}
    without = {
        f"{route.method} {route.resource.canonical}"
        for route in application.router.routes()
        if operation_of(route.handler) is None and route.resource is not None and route.method != "HEAD"
    }
    assert without == PAGES
    assert {variable for route in WHO for variable in _VARIABLE.findall(route)} == set(_named_by_chance())
    for route, roles in WHO.items():
        if {A, C} & set(roles.split()) and _VARIABLE.search(route):
            owned = [
                variable for variable in _VARIABLE.findall(route) if OWNED.get((roles.split()[0], variable))
            ]
            assert owned, f"{route}: whose is it?"


def test_no_right_stands_in_the_table_without_a_role_or_a_use() -> None:
    assert all(RIGHTS.values())
    assert not [right for right, roles in RIGHTS.items() if Role.ANYONE in roles and roles != frozenset(Role)]


async def test_whoever_may_not_gets_nothing_anywhere(everybody: Everybody) -> None:
    wrong: list[str] = []
    for route, roles in WHO.items():
        for caller in everybody.headers:
            if roles == EVERYBODY or caller.startswith("another") or caller in roles.split():
                continue
            status, problem = await everybody.ask(route, caller, everybody.own)
            wanted = (403, "not_allowed") if caller in (A, C, R, O) else (401, "not_signed_in")
            if (status, problem.get("code")) != wanted:
                wrong.append(f"{route} as {caller}: {status} {problem.get('code')}")
    assert wrong == []


async def test_whoever_may_is_let_in(everybody: Everybody) -> None:
    """Also with a stale token where none is needed. What the body lacks is said after that."""
    wrong: list[str] = []
    for route, roles in WHO.items():
        if route == "POST /v1/token/revocation":
            continue  # it ends the token that the others need; see below
        callers = [*everybody.headers] if roles == EVERYBODY else roles.split()
        for caller in callers:
            status, problem = await everybody.ask(route, caller, everybody.own)
            if problem.get("code") in ("not_signed_in", "not_allowed"):
                wrong.append(f"{route} as {caller}: {status} {problem.get('code')}")
    assert wrong == []
    for caller in (A, C, R, O):
        assert (await everybody.ask("POST /v1/token/revocation", caller, {}))[0] == 200
        assert (await everybody.ask("POST /v1/token/revocation", caller, {}))[0] == 401


async def test_the_foreign_is_like_what_is_not_there(everybody: Everybody) -> None:
    others = {A: "another applicant", C: "another courier"}
    wrong: list[str] = []
    for route, roles in WHO.items():
        role = roles.split()[0]
        if not any(OWNED.get((role, variable)) for variable in _VARIABLE.findall(route)):
            continue
        nothing = {**everybody.own, **_named_by_chance()}
        unknown = await everybody.ask(route, role, nothing)
        foreign = await everybody.ask(route, others[role], everybody.own)
        for status, problem in (unknown, foreign):
            problem.pop("request_id", None)
            if (status, problem.get("code")) != (404, "not_found"):
                wrong.append(f"{route} as {role}: {status} {problem.get('code')}")
        if unknown != foreign:
            wrong.append(f"{route} as {role}: {unknown} is told from {foreign}")
    assert wrong == []


async def test_the_own_is_found(everybody: Everybody) -> None:
    """The test above would pass with objects that are not there."""
    for route, role in (
        ("GET /v1/orders/{order_id}", A),
        ("GET /v1/checks/{check_id}", A),
        ("GET /v1/courier/deliveries/{delivery_id}", C),
        ("GET /v1/operator/orders/{order_id}", O),
    ):
        assert (await everybody.ask(route, role, everybody.own))[0] == 200


@pytest.mark.parametrize("caller", [EVERYBODY, A, O])
async def test_what_is_no_route_is_nothing_to_anybody(everybody: Everybody, caller: str) -> None:
    for path in ("/v1/", "/v1/orders/../operator/staff", "/v1//orders", "/admin", "/v1/operator"):
        answer = await everybody.house.client.get(path, headers=everybody.headers[caller])
        assert answer.status in (404, 405)
