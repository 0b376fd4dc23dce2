"""Takes the picture of the applicant's page for the README: `python -m tests.acceptance.screenshot [FILE]`.

A real journey with a studio applicant; four moments of it beside each other.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.async_api import Page, expect

from tests.acceptance.browser import LiveCamera, chromium, listen, phone_page
from tests.acceptance.test_browser_activation import open_package
from tests.acceptance.town import town

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "activate.png"
GAP = 24
STEP_MS = 60_000
CARD_RAISED_S = 1.6
#: The studio borrows a real face; the README need not show whose.
PORTRAIT, VEIL = "pilot", "picture => { picture.style.filter = 'blur(12px)' }"


async def take(folder: Path) -> list[bytes]:
    """PNG of the preparation, a movement, the document, and the end."""
    shots = []
    async with town(folder, portrait=PORTRAIT) as place:
        person = place.applicant.actor(iccid=place.iccid)
        with LiveCamera(person, folder / "camera.y4m") as camera:
            async with chromium(camera.path) as browser, phone_page(browser) as (page, _):
                await open_package(page, place)
                await listen(page, person.hear)
                shots.append(await page.screenshot())
                await page.locator("#start").click()
                await _at(page, "movement")
                await page.locator("video").evaluate(VEIL)
                shots.append(await page.screenshot())
                await _at(page, "document")
                await asyncio.sleep(CARD_RAISED_S)
                await expect(page.locator("#hint")).to_be_empty()
                shots.append(await page.screenshot())
                await expect(page.locator("body")).to_have_attribute("data-result", "active", timeout=STEP_MS)
                shots.append(await page.screenshot())
    return shots


async def _at(page: Page, stage: str) -> None:
    await expect(page.locator(".stage")).to_have_attribute("data-stage", stage, timeout=STEP_MS)


def beside(shots: list[bytes]) -> NDArray[np.uint8]:
    """The pictures in one row on white, at half their size."""
    small = [_half(shot) for shot in shots]
    gap = np.full((small[0].shape[0], GAP, 3), 255, np.uint8)
    row = [piece for each in small for piece in (each, gap)][:-1]
    return np.asarray(np.hstack(row), dtype=np.uint8)


def _half(shot: bytes) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.asarray(half, dtype=np.uint8)


def main() -> None:
    """Writes the picture and says where."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    with tempfile.TemporaryDirectory() as folder:
        shots = asyncio.run(take(Path(folder)))
    target.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(target), beside(shots))
    print(target)


if __name__ == "__main__":
    main()
