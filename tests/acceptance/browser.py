"""Real Chromium as a phone: mobile viewport, and a camera that films the studio live.

Chromium's fake camera plays a file and reads every frame from it anew, so a file of one frame that is written
over fifteen times a second is a live camera. The person in front of it sees what the page asks for.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import pytest
from playwright.async_api import Browser, Page, async_playwright

from media.webrtc.phone import FrameSource

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
MISSING = "Chromium is not installed (Debian package chromium)"
FRAMES_PER_SECOND = 15
VIEWPORT = {"width": 360, "height": 740}
_FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
)

needs_chromium = [
    pytest.mark.chromium,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=MISSING),
]


class LiveCamera:
    """Context manager: films `source` into `path` until it is left."""

    def __init__(self, source: FrameSource, path: Path, size: tuple[int, int] = (640, 480)) -> None:
        self.path = path
        self._source = source
        self._header = f"YUV4MPEG2 W{size[0]} H{size[1]} F{FRAMES_PER_SECOND}:1 Ip A1:1 C420jpeg\n".encode()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._film, name="live camera")
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        self.path.write_bytes(self._header + b"FRAME\n" + self._frame())
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _frame(self) -> bytes:
        bgr = self._source.frame(int((time.monotonic() - self._began) * 1000))
        assert bgr is not None
        return bytes(cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420).tobytes())

    def _film(self) -> None:
        place = len(self._header) + len(b"FRAME\n")
        file = os.open(self.path, os.O_WRONLY)
        try:
            while not self._ended.wait(1 / FRAMES_PER_SECOND):
                os.pwrite(file, self._frame(), place)
        finally:
            os.close(file)


@asynccontextmanager
async def chromium(film: Path | None, *, allow: bool = True, camera: bool = True) -> AsyncIterator[Browser]:
    """A browser whose camera shows `film`; `allow`: it answers the question for the camera with yes."""
    flags = [*_FLAGS, *(["--use-fake-device-for-media-stream"] if camera else [])]
    flags += ["--use-fake-ui-for-media-stream"] if allow else ["--deny-permission-prompts"]
    flags += [f"--use-file-for-fake-video-capture={film}"] if film else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def phone_page(browser: Browser, locale: str = "zh-CN") -> AsyncIterator[tuple[Page, list[str]]]:
    """A page on a small phone, and everything that went wrong in it: errors, and requests to elsewhere."""
    context = await browser.new_context(
        viewport={"width": VIEWPORT["width"], "height": VIEWPORT["height"]},
        device_scale_factor=2,
        is_mobile=True,
        has_touch=True,
        locale=locale,
    )
    page = await context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"page: {error}"))
    page.on("console", lambda said: wrong.append(f"console: {said.text}") if said.type == "error" else None)
    try:
        yield page, wrong
    finally:
        await context.close()


async def listen(page: Page, hear: Callable[[Mapping[str, Any]], None]) -> list[str]:
    """The person before the camera does what the page shows; the prompts in their order."""
    seen: list[str] = []

    def told(stage: str, prompt: str) -> None:
        seen.append(prompt)
        hear({"type": "step", "stage": stage, "prompt": prompt})

    await page.expose_function("told", told)
    await page.evaluate(
        """() => {
          const stage = document.querySelector(".stage");
          const tell = () => stage.dataset.prompt && window.told(stage.dataset.stage, stage.dataset.prompt);
          new MutationObserver(tell).observe(stage, { attributes: true, attributeFilter: ["data-prompt"] });
        }"""
    )
    return seen
