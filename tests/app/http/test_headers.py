"""What a browser is told of every answer: page, data, problem, picture and what could not be read."""

from __future__ import annotations

import re

import pytest

from app.http.headers import headers_for
from tests.app.http.conftest import Client

PAGES = ("/activate", "/docs", "/web/main.js", "/web/style.css", "/web/icon.svg", "/docs/docs.js")
DATA = (
    "/healthz",
    "/openapi.json",
    "/v1/numbers",
    "/v1/orders/ord_1",
    "/nothing",
    "/metrics",
    "/v1/consents",
)
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Server": "kaika",
}


def _policy(header: str) -> dict[str, str]:
    return {name: what for name, _, what in (part.strip().partition(" ") for part in header.split(";"))}


@pytest.mark.parametrize("path", [*PAGES, *DATA])
async def test_every_answer_says_so(client: Client, path: str) -> None:
    answer = await client.get(path)
    assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    policy = _policy(answer.headers["Content-Security-Policy"])
    assert (policy["default-src"], policy["frame-ancestors"], policy["base-uri"]) == ("'none'",) * 3
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert ("sandbox" in policy) == (path in DATA)
    assert "microphone=()" in answer.headers["Permissions-Policy"]
    assert ("no-store" in answer.headers["Cache-Control"]) == (path in DATA)
    assert not [name for name in answer.headers if name.startswith("Access-Control-")]
    assert "Strict-Transport-Security" not in answer.headers  # in production only
    assert answer.headers.get("Cross-Origin-Embedder-Policy") == (None if path in DATA else "require-corp")


@pytest.mark.parametrize("path", ["/activate", "/docs"])
async def test_pages_hold_no_script_or_style_of_their_own(client: Client, path: str) -> None:
    page = await (await client.get(path)).text()
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", page) == []
    assert re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", page) == []


async def test_transport_security_in_production(production: Client) -> None:
    for path in ("/activate", "/healthz", "/nothing"):
        said = (await production.get(path)).headers["Strict-Transport-Security"]
        assert int(said.partition("=")[2].partition(";")[0]) >= 31_536_000
        assert "includeSubDomains" in said


async def test_no_other_site_is_let_in(client: Client) -> None:
    """A browser asks first for whatever carries a bearer token; nobody says yes."""
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = await client.options("/v1/orders", headers=asked)
    assert answer.status == 405
    assert not [name for name in answer.headers if name.startswith("Access-Control-")]


def test_pictures_are_data() -> None:
    for media_type in ("image/jpeg", "video/webm", "application/octet-stream", "text/plain"):
        assert headers_for(media_type, tls_only=False)["Content-Security-Policy"].endswith("sandbox")
