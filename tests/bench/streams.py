"""Video checks at the same time, against the same streams only received and decoded by aiortc."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from activation.ids import CheckId, OrderId
from media.faces import open_beside_event_loop
from media.liveness import Movement, Script
from media.videocheck import (
    CheckMeasured,
    CheckRequest,
    DeskRefusal,
    Ending,
    VideoChecks,
    open_instruments,
)
from media.webrtc import IceSettings, OfferRefusal
from tests.bench import table

#: One movement that the film never makes: the check stays in its challenge, where every look counts.
ENDLESS = Script("bench", (Movement.COME_CLOSER,), (300,), window_ms=170_000, position_ms=170_000)

CONNECT_SECONDS = 120.0

Answer = Callable[[str], Awaitable[str]]


@dataclass
class Bare:
    """Receives and decodes, and does nothing else."""

    expected: int
    frames: int = 0
    all_there: asyncio.Event = field(default_factory=asyncio.Event)
    connections: list[RTCPeerConnection] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def answer(self, sdp: str) -> str:
        connection = RTCPeerConnection()
        self.connections.append(connection)
        connection.on("track", lambda track: self.tasks.append(asyncio.create_task(self._drain(track))))
        await connection.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        if len(self.connections) == self.expected:
            self.all_there.set()
        return str(connection.localDescription.sdp)

    async def _drain(self, track: object) -> None:
        try:
            while True:
                await track.recv()  # type: ignore[attr-defined]
                self.frames += 1
        except MediaStreamError:
            return

    async def close(self) -> None:
        await asyncio.gather(*(connection.close() for connection in self.connections))


@asynccontextmanager
async def listening(answer: Answer) -> AsyncIterator[str]:
    """An address that answers offers."""

    async def handle(request: web.Request) -> web.Response:
        return web.json_response({"sdp": await answer((await request.json())["sdp"])})

    application = web.Application()
    application.router.add_post("/offer", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}/offer"
    finally:
        await runner.cleanup()


async def phones(address: str, count: int, seconds: float) -> None:
    """So many phones in a process of their own, until they have sent for so long."""
    words = (sys.executable, "-m", "tests.bench.senders", address, str(count), str(seconds))
    process = await asyncio.create_subprocess_exec(*words)
    if await process.wait() != 0:
        raise RuntimeError("the phones ended with a fault")


async def bare(count: int, seconds: float) -> tuple[float, float]:
    """Frames decoded per second, and CPU seconds per second of this process."""
    receiver = Bare(count)
    async with listening(receiver.answer) as address:
        sending = asyncio.create_task(phones(address, count, seconds))
        await asyncio.wait_for(receiver.all_there.wait(), CONNECT_SECONDS)
        frames, cpu, began = receiver.frames, time.process_time(), time.monotonic()
        await sending
        took = time.monotonic() - began
        rates = (receiver.frames - frames) / took, (time.process_time() - cpu) / took
    await receiver.close()
    return rates


@dataclass(frozen=True)
class Checked:
    """What the checks of one round did; delays in milliseconds."""

    analysed_per_second: float
    received_per_second: float
    delay_p95: float
    dropped: int
    cpu: float


async def checks(count: int, seconds: float, recogniser: str, models: Path) -> Checked:
    """The same streams, conducted and measured."""
    measured: list[CheckMeasured] = []

    async def keep(_request: CheckRequest, result: CheckMeasured) -> bool:
        measured.append(result)
        return True

    async def claim(_dtls: str) -> bool:
        return True

    instruments = open_instruments(open_beside_event_loop(recogniser, models))
    desk = VideoChecks(instruments, threads=2, most=count, ice=IceSettings(), on_measured=keep)

    async def answer(sdp: str) -> str:
        answered = await desk.answer(CheckRequest(CheckId.new(), OrderId.new(), ENDLESS), sdp, claim)
        if isinstance(answered, OfferRefusal | DeskRefusal):
            raise RuntimeError(f"an offer was refused: {answered}")
        return answered

    cpu, began = time.process_time(), time.monotonic()
    async with listening(answer) as address:
        await phones(address, count, seconds)
        took = time.monotonic() - began
        await desk.close()
    return Checked(
        sum(each.pace.analysed / each.seconds for each in measured),
        sum(each.pace.received.frames / each.seconds for each in measured if each.pace.received),
        table.percentile([float(each.pace.delay_p95_ms or 0) for each in measured], 95),
        count - sum(each.ending in (Ending.CONNECTION_LOST, Ending.SERVER_STOPPED) for each in measured),
        (time.process_time() - cpu) / took,
    )


async def run(quick: bool, recogniser: str, models: Path) -> None:
    seconds = 8.0 if quick else 25.0
    table.heading(
        f"Video checks at the same time ({recogniser})",
        "Frames analysed per second against the same 15 frames a second of each phone only received and\n"
        "decoded by aiortc. A check looks at 10 frames a second by design, so 0.67 is the most.",
    )
    for count in (4,) if quick else (8, 16, 24):
        decoded, bare_cpu = await bare(count, seconds)
        ours = await checks(count, seconds, recogniser, models)
        note = (
            f"received {ours.received_per_second:.0f}/s, guidance p95 {ours.delay_p95:.0f} ms, "
            f"dropped {ours.dropped}, cores {ours.cpu:.2f} (bare {bare_cpu:.2f})"
        )
        table.line(f"{count} checks, frames analysed", ours.analysed_per_second, decoded, "1/s", note)
