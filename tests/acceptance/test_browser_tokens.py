"""The page's tokens in a real browser: renewed over hours, on this device, out of reach of scripts."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from playwright.async_api import Page, Request

from tests.acceptance.browser import chromium, needs_chromium, phone_page
from tests.acceptance.test_browser_troubles import Place, application, checks, engine, place
from tests.app.http.conftest import ground

__all__ = ["application", "checks", "engine", "ground", "place"]

pytestmark = [*needs_chromium, pytest.mark.timeout(120)]

ASK = "async (order) => (await (await import('/web/api.js')).readOrder(order)).order_id"
ASK_TWICE = f"async (order) => Promise.all([({ASK})(order), ({ASK})(order)])"
REFUSED = f"async (order) => ({ASK})(order).catch((error) => error.code)"
LATER = "(ms) => { const now = Date.now; Date.now = () => now() + ms; }"


def _refreshes(page: Page) -> list[Request]:
    """Every refresh that the page asks for from now on."""
    seen: list[Request] = []
    page.on("request", lambda request: seen.append(request) if "/tokens/refresh" in request.url else None)
    return seen


async def test_an_activation_over_hours_stays_signed_in(place: Place) -> None:
    async with chromium(None) as browser, phone_page(browser) as (page, _):
        await place.open(page)
        refreshes, step = _refreshes(page), timedelta(minutes=14, seconds=30)
        for round_ in range(1, 9):
            place.ground.clock.forward(step)
            await page.evaluate(LATER, step.total_seconds() * 1000)
            assert await page.evaluate(ASK_TWICE, place.order) == [place.order] * 2
            assert len(refreshes) == round_


async def test_a_page_whose_clock_stood_still_renews_when_it_is_refused(place: Place) -> None:
    async with chromium(None) as browser, phone_page(browser) as (page, _):
        await place.open(page)
        refreshes = _refreshes(page)
        place.ground.clock.forward(timedelta(minutes=40))
        assert await page.evaluate(ASK, place.order) == place.order
        assert len(refreshes) == 1
        place.ground.clock.forward(timedelta(hours=4))
        assert await page.evaluate(REFUSED, place.order) == "not_signed_in"


@pytest.mark.parametrize(
    ("status", "code"), [(429, "too_many_requests"), (503, "paused"), (500, "internal_error")]
)
async def test_what_is_over_in_a_moment_signs_nobody_out(place: Place, status: int, code: str) -> None:
    async with chromium(None) as browser, phone_page(browser) as (page, _):
        await place.open(page)
        place.ground.clock.forward(timedelta(minutes=40))
        busy = json.dumps({"code": code, "status": status, "title": code, "detail": code})
        await page.route("**/tokens/refresh", lambda route: route.fulfill(status=status, body=busy), times=1)
        assert await page.evaluate(REFUSED, place.order) == code
        assert await page.evaluate(ASK, place.order) == place.order


async def test_without_cookies_the_page_itself_is_the_device(place: Place) -> None:
    async with chromium(None) as browser, phone_page(browser) as (page, _):
        off = "Object.defineProperty(Navigator.prototype, 'cookieEnabled', { get: () => false });"
        await page.add_init_script(off)
        await place.open(page)
        assert await page.context.cookies() == []
        assert await page.evaluate(ASK, place.order) == place.order
        place.ground.clock.forward(timedelta(minutes=40))
        assert await page.evaluate(ASK, place.order) == place.order
        assert await page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]


async def test_no_script_sees_the_device_and_nothing_is_stored(place: Place) -> None:
    async with chromium(None) as browser, phone_page(browser) as (page, _):
        await place.open(page)
        assert await page.evaluate("document.cookie") == ""
        stored = await page.evaluate("[localStorage.length, sessionStorage.length, location.href]")
        assert stored[:2] == [0, 0]
        assert stored[2].endswith("/activate")
        (cookie,) = await page.context.cookies()
        assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("kaika-device", True, "Strict")
        await page.context.clear_cookies()
        assert await page.evaluate(REFUSED, place.order) == "not_signed_in"
