"""The applicant's page in real Chromium, from the link in the package to ACTIVE."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.acceptance.browser import LiveCamera, chromium, listen, needs_chromium, phone_page
from tests.acceptance.town import Town, town

pytestmark = [*needs_chromium, pytest.mark.slow, pytest.mark.timeout(300)]

CHECK_MS = 120_000
STEP_MS = 30_000


async def open_package(page: Page, place: Town) -> None:
    """From the QR code's link to the screen that asks for the camera."""
    code = await place.inbox.activation_code()
    await page.goto(f"{place.base}/activate#{code}")
    await expect(page.locator("#activation-code")).to_have_value(code)
    assert code not in page.url
    await page.locator("#package button").click()
    await page.locator("#one-time-code").fill(await place.inbox.digits("one_time_code"))
    await page.locator("#code button[type=submit]").click()
    await expect(page.locator("#prepare")).to_be_visible(timeout=STEP_MS)


async def test_from_the_link_to_active(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        person = place.applicant.actor(iccid=place.iccid)
        with LiveCamera(person, tmp_path / "camera.y4m") as camera:
            async with chromium(camera.path) as browser, phone_page(browser) as (page, wrong):
                elsewhere: list[str] = []
                page.on(
                    "request",
                    lambda asked: None if asked.url.startswith(place.base) else elsewhere.append(asked.url),
                )
                await open_package(page, place)
                seen = await listen(page, person.hear)
                await page.locator("#start").click()
                await expect(page.locator("body")).to_have_attribute(
                    "data-result", "active", timeout=CHECK_MS
                )
                await expect(page.locator("#number")).to_have_text(place.journey.msisdn)
                assert (seen[0], len(seen), seen[-2:]) == ("face_oval", 6, ["show_id_front", "show_iccid"])
                assert wrong == []
                assert elsewhere == []
        assert await place.is_on()
