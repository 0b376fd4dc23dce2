"""The applicant's page in real Chromium when something is not as it should be; grey pictures for people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application
from playwright.async_api import Page, Route, expect
from sqlalchemy.ext.asyncio import AsyncEngine

from activation.adapters.sql.engine import open_engine
from activation.adapters.sql.tables import OrderRow, VideoCheckRow
from activation.ids import OrderId
from activation.order import OrderState
from app.checks import Checks
from app.server import build_app
from media.videocheck import Ending
from tests.acceptance.browser import LiveCamera, chromium, listen, needs_chromium, phone_page
from tests.activation.stand_ins import until
from tests.app import checking
from tests.app.ground import Ground
from tests.app.http import walking as walk
from tests.media.videocheck.stage import PERSON, Person
from tests.media.webrtc.people import Showing

pytestmark = [*needs_chromium, pytest.mark.timeout(120)]

PACKAGE = "TESTCODETESTCODE234567"
SIZE = (320, 240)
RESULT_MS = 40_000


@pytest.fixture
async def engine(sqlite_url: str) -> AsyncIterator[AsyncEngine]:
    """One database is enough for what is seen on the page."""
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


@dataclass
class Place:
    """A server with one delivered order."""

    base: str
    ground: Ground
    checks: Checks
    order: str

    async def attempts(self) -> int:
        async with self.ground.services.readers() as session:
            return int(await session.scalar(sa.select(sa.func.count()).select_from(VideoCheckRow)) or 0)

    async def open(self, page: Page) -> None:
        """To the screen that asks for the camera."""
        await page.goto(f"{self.base}/activate#{PACKAGE}")
        await page.locator("#package button").click()
        await expect(page.locator("#one-time-code")).to_be_visible()
        code = (await walk.codes_sent(self.ground))[-1]
        await page.locator("#one-time-code").fill(code)
        await page.locator("#code button[type=submit]").click()
        await expect(page.locator("#prepare")).to_be_visible()


@pytest.fixture
async def place(ground: Ground, application: Application, checks: Checks) -> AsyncIterator[Place]:
    async with TestClient(TestServer(application)) as client:
        order = await walk.open_order(client, ground)
        await walk.consent(client, order, walk.bearer(ground.applicant_token(order)))
        await checking.put_state(ground, order)
        digest = ground.services.keys.fields.digest("activation", PACKAGE)
        async with ground.services.sessions.begin() as session:
            await session.execute(sa.update(OrderRow).values(activation_digest=digest))
        yield Place(str(client.make_url("")).rstrip("/"), ground, checks, order)


async def wide(page: Page) -> int:
    return int(await page.evaluate("document.documentElement.scrollWidth"))


async def test_a_denied_camera_is_explained_and_uses_no_attempt(place: Place) -> None:
    async with chromium(None, allow=False) as browser, phone_page(browser) as (page, _):
        await place.open(page)
        await page.locator("#start").click()
        await expect(page.locator("#trouble")).to_contain_text("摄像头未被允许")
        await expect(page.locator("#start")).to_be_enabled()
        assert await place.attempts() == 0


async def test_a_missing_camera_is_explained(place: Place) -> None:
    async with chromium(None, camera=False) as browser, phone_page(browser, "en-GB") as (page, _):
        await place.open(page)
        await page.locator("#start").click()
        await expect(page.locator("#trouble")).to_contain_text("No camera was found")
        assert await place.attempts() == 0


async def test_a_lost_connection_leads_to_a_new_attempt_that_passes(place: Place, tmp_path: Path) -> None:
    person = Person()
    person.size = SIZE
    with LiveCamera(person, tmp_path / "camera.y4m", SIZE) as camera:
        async with chromium(camera.path) as browser, phone_page(browser) as (page, wrong):
            await place.open(page)
            seen = await listen(page, person.hear)
            await page.locator("#start").click()
            await expect(page.locator(".stage")).to_have_attribute("data-prompt", "nod_up", timeout=RESULT_MS)
            place.checks.desk.stop_order(OrderId(place.order), Ending.SERVER_STOPPED)
            await expect(page.locator("body")).to_have_attribute("data-result", "lost", timeout=RESULT_MS)
            await page.locator("#again").click()
            seen.clear()
            person.hear({"type": "step", "prompt": "face_oval"})
            await page.locator("#start").click()
            await expect(page.locator("body")).to_have_attribute("data-result", "received", timeout=RESULT_MS)
            assert seen == ["face_oval", "turn_left", "nod_up", "show_id_front", "show_iccid"]
            assert await place.attempts() == 2
            await checking.put_state(place.ground, place.order, OrderState.ACTIVE)
            await expect(page.locator("#number")).to_have_text(walk.MSISDN)
            assert await page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
            assert await page.evaluate("document.cookie") == ""
            assert wrong == []


async def test_cancelling_counts_and_offers_another_attempt(place: Place, tmp_path: Path) -> None:
    person = Person()
    person.size = SIZE
    with LiveCamera(person, tmp_path / "camera.y4m", SIZE) as camera:
        async with chromium(camera.path) as browser, phone_page(browser, "en-GB") as (page, _):
            await place.open(page)
            await page.locator("#start").click()
            await expect(page.locator("#prompt")).to_contain_text("to your left", timeout=RESULT_MS)
            await expect(page.locator("#cancel")).to_be_visible()
            await page.locator("#cancel").click()
            await expect(page.locator("#result-title")).to_have_text("Cancelled")
            await expect(page.locator("#again")).to_be_enabled()
            assert await page.evaluate("document.getElementById('self').srcObject") is None

            async def recorded() -> bool:
                return len(await checking.check_facts(place.ground, place.order)) == 1

            await until(recorded)


async def test_cancelling_while_it_connects_is_no_trouble_and_leaves_no_attempt_open(place: Place) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def late(route: Route) -> None:
        asked.set()
        await answered.wait()
        await route.continue_()

    async with chromium(None) as browser, phone_page(browser, "en-GB") as (page, wrong):
        await place.open(page)
        await page.route("**/v1/orders/*/checks", late)
        await page.locator("#start").click()
        await asyncio.wait_for(asked.wait(), RESULT_MS / 1000)
        await page.locator("#cancel").click()
        await expect(page.locator("#result-title")).to_have_text("Cancelled")
        async with page.expect_response("**/abort"):
            answered.set()
        await expect(page.locator("#again")).to_be_enabled()
        await expect(page.locator("#result-title")).to_have_text("Cancelled")
        await expect(page.locator("#trouble")).to_be_hidden()
        assert await place.attempts() == 1
        assert len(await checking.check_facts(place.ground, place.order)) == 1
        assert wrong == []


async def test_a_full_house_is_waited_for_with_the_same_attempt_and_the_screen_on(
    place: Place, tmp_path: Path
) -> None:
    offers = 0

    async def full_at_first(route: Route) -> None:
        nonlocal offers
        offers += 1
        if offers > 1:
            return await route.continue_()
        await route.fulfill(status=503, json={"code": "checks_full", "detail": "Try again in a moment."})

    still = Showing(PERSON, SIZE)
    with LiveCamera(still, tmp_path / "camera.y4m", SIZE) as camera:
        async with chromium(camera.path) as browser, phone_page(browser) as (page, _):
            await page.add_init_script(
                """window.locks = []; navigator.wakeLock.request = async (kind) => {
                 window.locks.push(kind); return { release: () => window.locks.push("released") }; };"""
            )
            await place.open(page)
            await page.route("**/v1/checks/*/offer", full_at_first)
            await page.locator("#start").click()
            await expect(page.locator("#prompt")).to_contain_text("正在排队", timeout=RESULT_MS)
            await expect(page.locator("#prompt")).to_contain_text("请慢慢", timeout=RESULT_MS)
            assert (offers, await place.attempts()) == (2, 1)
            assert await page.evaluate("window.locks") == ["screen"]
            await page.locator("#cancel").click()
            await expect(page.locator("#result-title")).to_have_text("已取消")
            assert await page.evaluate("window.locks") == ["screen", "released"]


async def test_who_gives_up_before_a_full_house_has_the_same_attempt_when_trying_again(
    place: Place, tmp_path: Path
) -> None:
    offers = 0

    async def full_eight_times(route: Route) -> None:
        nonlocal offers
        offers += 1
        if offers > 8:
            return await route.continue_()
        await route.fulfill(status=503, json={"code": "checks_full", "detail": "Try again in a moment."})

    with LiveCamera(Showing(PERSON, SIZE), tmp_path / "camera.y4m", SIZE) as camera:
        async with chromium(camera.path) as browser, phone_page(browser) as (page, _):
            await page.add_init_script(
                """const wait = window.setTimeout;
                 window.setTimeout = (work, ms) => wait(work, ms === 5000 ? 10 : ms);"""
            )
            await place.open(page)
            await page.route("**/v1/checks/*/offer", full_eight_times)
            await page.locator("#start").click()
            await expect(page.locator("#trouble")).to_have_text("Try again in a moment.", timeout=RESULT_MS)
            await page.locator("#start").click()
            await expect(page.locator("#prompt")).to_contain_text("请慢慢", timeout=RESULT_MS)
            assert (offers, await place.attempts()) == (9, 1)
            assert await checking.check_facts(place.ground, place.order) == []


async def test_an_attempt_whose_answer_was_lost_is_the_one_that_goes_on(place: Place, tmp_path: Path) -> None:
    keys: list[str] = []

    async def lost_at_first(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) > 1:
            return await route.continue_()
        await route.fetch()
        await route.abort()

    with LiveCamera(Showing(PERSON, SIZE), tmp_path / "camera.y4m", SIZE) as camera:
        async with chromium(camera.path) as browser, phone_page(browser) as (page, _):
            await place.open(page)
            await page.route("**/v1/orders/*/checks", lost_at_first)
            await page.locator("#start").click()
            await expect(page.locator("#trouble")).to_be_visible(timeout=RESULT_MS)
            await page.locator("#start").click()
            await expect(page.locator("#prompt")).to_contain_text("请慢慢", timeout=RESULT_MS)
            assert (len({*keys}), len(keys), await place.attempts()) == (1, 2, 1)


async def test_a_page_that_comes_back_from_memory_offers_a_new_check(place: Place, tmp_path: Path) -> None:
    with LiveCamera(Showing(PERSON, SIZE), tmp_path / "camera.y4m", SIZE) as camera:
        async with chromium(camera.path) as browser, phone_page(browser) as (page, _):
            await place.open(page)
            await page.locator("#start").click()
            await expect(page.locator("#prompt")).to_contain_text("请慢慢", timeout=RESULT_MS)
            for name in ("pagehide", "pageshow"):
                await page.evaluate(
                    "name => dispatchEvent(new PageTransitionEvent(name, { persisted: true }))", name
                )
            await expect(page.locator("body")).to_have_attribute("data-result", "away")
            await expect(page.locator("#again")).to_be_visible()


async def test_a_challenge_that_is_not_answered_may_be_tried_again(place: Place, tmp_path: Path) -> None:
    still = Showing(PERSON, SIZE)
    with LiveCamera(still, tmp_path / "camera.y4m", SIZE) as camera:
        async with chromium(camera.path) as browser, phone_page(browser) as (page, _):
            await place.open(page)
            await page.locator("#start").click()
            await expect(page.locator("body")).to_have_attribute(
                "data-result", "try_again", timeout=RESULT_MS
            )
            await expect(page.locator("#result-text")).to_contain_text("4")
            await expect(page.locator("#again")).to_be_enabled()


async def test_a_consent_that_was_taken_back_is_asked_for_again(place: Place) -> None:
    token = place.ground.applicant_token(place.order)
    async with TestClient(TestServer(build_app(place.ground.services))) as client:
        body = {"kind": "face_recognition", "version": "2026-1", "given": False}
        headers = {**walk.bearer(token), **walk.key()}
        await client.post(f"/v1/orders/{place.order}/consents", json=body, headers=headers)
    async with chromium(None) as browser, phone_page(browser) as (page, _):
        await place.open(page)
        await page.locator("#start").click()
        await expect(page.locator("#consent")).to_be_visible()
        await expect(page.locator("#consent .note")).to_contain_text("营业厅")
        await page.locator("#agree").click()
        await expect(page.locator("#prepare")).to_be_visible()


async def test_every_screen_fits_a_narrow_phone_in_both_languages_and_can_be_used_without_eyes(
    place: Place,
) -> None:
    async with chromium(None) as browser, phone_page(browser) as (page, wrong):
        await place.open(page)
        for language in ("zh-CN", "en"):
            assert await page.evaluate("document.documentElement.lang") == language
            for screen in ("package", "code", "consent", "prepare", "check", "result"):
                await page.evaluate(
                    """(screen) => { for (const section of document.querySelectorAll("main > section"))
                         section.hidden = section.id !== screen; }""",
                    screen,
                )
                assert await wide(page) <= 360, (language, screen)
            unnamed = await page.evaluate(
                """() => [...document.querySelectorAll("input, select, button")]
                     .filter((each) => !(each.labels?.length || each.textContent)).map((each) => each.id)"""
            )
            assert unnamed == []
            await page.locator("#language").click()
        assert await page.locator("[aria-live=assertive]").count() == 1
        small = await page.evaluate(
            """() => [...document.querySelectorAll("button, input, select")]
                 .filter((each) => each.offsetParent && each.offsetHeight < 44).map((each) => each.id)"""
        )
        assert small == []
        assert wrong == []


async def test_the_page_runs_only_its_own_scripts(place: Place) -> None:
    async with TestClient(TestServer(build_app(place.ground.services))) as client:
        answer = await client.get("/activate")
        html = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "style=" not in html
        assert " onclick" not in html
        assert html.count("<script") == html.count('<script type="module" src="/web/')
        again = await client.get("/activate", headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status == 304
        for name in ("nothing.js", "..%2f..%2fpyproject.toml", "%2e%2e", "activate.html%00"):
            assert (await client.get(f"/web/{name}")).status == 404
