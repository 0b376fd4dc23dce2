"""The API's own description is valid, complete and safe to look at."""

from __future__ import annotations

import re

from aiohttp import web
from openapi_spec_validator import validate

from activation.ids import StaffId
from app.access.principals import Role, Staff
from app.access.rights import is_public
from app.http.contract import operation_of
from tests.app.ground import Ground
from tests.app.http import walking as walk
from tests.app.http.conftest import Client

#: Routes that serve pages and files, not operations.
_PAGES = re.compile(r"^/(activate|web|static)(/|$)")


async def test_every_route_is_in_a_valid_document(client: Client, application: web.Application) -> None:
    document = await (await client.get("/openapi.json")).json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    for route in application.router.routes():
        assert route.resource is not None
        path = route.resource.canonical
        if _PAGES.match(path):
            continue
        operation = operation_of(route.handler)
        assert operation is not None, f"{route.method} {path} is not an operation"
        described = document["paths"][path][route.method.lower()]
        assert bool(described["security"]) is not is_public(operation.right)
        assert ("Idempotency-Key" in str(described["parameters"])) is operation.idempotent
        for status in ("404", "503"):
            assert "application/problem+json" in str(described["responses"][status])
        wanted = set(re.findall(r"{(\w+)}", path))
        assert {each["name"] for each in described["parameters"] if each["in"] == "path"} == wanted
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


async def test_an_answer_and_a_problem_of_one_status_are_both_told(client: Client) -> None:
    document = await (await client.get("/openapi.json")).json()
    told = document["paths"]["/readyz"]["get"]["responses"]["503"]["content"]
    assert sorted(told) == ["application/json", "application/problem+json"]


async def test_operations_have_names_of_their_own(client: Client) -> None:
    document = await (await client.get("/openapi.json")).json()
    names = [each["operationId"] for path in document["paths"].values() for each in path.values()]
    assert len(names) == len(set(names))


async def test_the_page_asks_nobody_else_for_anything(client: Client) -> None:
    page = await client.get("/docs")
    assert page.content_type == "text/html"
    text = await page.text()
    for address in re.findall(r'(?:src|href)="([^"]+)"', text):
        assert address.startswith("/")
        assert (await client.get(address)).status == 200
    for name in ("docs.js", "docs.css"):
        text += await (await client.get(f"/docs/{name}")).text()
    assert "http://" not in text
    assert "https://" not in text
    assert "innerHTML" not in text
    assert "'unsafe-inline'" not in page.headers["Content-Security-Policy"]
    assert (await client.get("/docs/index.html")).status == 404


async def test_answers_carry_safe_headers(client: Client) -> None:
    for path in ("/healthz", "/v1/nothing", "/openapi.json"):
        headers = (await client.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert len(headers["X-Request-Id"]) == 16
        assert "Strict-Transport-Security" not in headers


async def test_health_names_what_is_missing(client: Client, ground: Ground) -> None:
    assert await (await client.get("/healthz")).json() == {"status": "ok"}
    answer = await client.get("/readyz")
    body = await answer.json()
    assert answer.status == 503  # nobody runs durable work here
    assert body == {
        "ready": False,
        "parts": {"database": "ok", "flow": "unavailable", "captures": "ok", "checks": "ok", "hlr": "ok"},
    }


async def test_metrics_count_templates_and_hold_nothing_of_a_request(client: Client, ground: Ground) -> None:
    order = await walk.open_order(client, ground)
    token = walk.bearer(ground.applicant_token(order))
    await client.get(f"/v1/orders/{order}", headers=token)
    await client.request("FROBNICATE", "/v1/secret-path")
    assert (await client.get("/metrics")).status == 401
    operator = walk.bearer(ground.token(Staff(StaffId.new(), Role.OPERATOR)))
    text = await (await client.get("/metrics", headers=operator)).text()
    assert 'kaika_http_requests_total{method="GET",route="/v1/orders/{order_id}",status="200"}' in text
    assert order not in text
    assert "secret-path" not in text


async def test_the_outbox_is_absent_in_production(client: Client, application: web.Application) -> None:
    assert (await client.get("/sandbox/messages", params={"to": walk.PHONE})).status == 200
    assert any(
        route.resource and route.resource.canonical == "/sandbox/messages"
        for route in application.router.routes()
    )


async def test_production_has_no_sandbox_routes_and_asks_for_tls(production: Client) -> None:
    assert (await production.get("/sandbox/messages", params={"to": walk.PHONE})).status == 404
    assert "max-age" in (await production.get("/healthz")).headers["Strict-Transport-Security"]
