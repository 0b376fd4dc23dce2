"""One attempt at the video check, from its connection to what was measured (R4.2).

It ends with a reason however it ends, and nothing here decides whether the person passed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from activation.check import CheckState, may_follow
from activation.evidence import LivenessMeasured
from activation.ids import CheckId, OrderId
from media.liveness import Script
from media.videocheck import limits, words
from media.videocheck.conductor import Conductor, Over
from media.videocheck.guide import Guide
from media.videocheck.instruments import Instruments
from media.videocheck.jobs import Jobs
from media.videocheck.measured import CheckMeasured, Ending, Pace
from media.videocheck.pools import AnalysisPools
from media.webrtc import VideoPeer

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CheckRequest:
    """One attempt: its single-use script, and how many seconds it may last."""

    check: CheckId
    order: OrderId
    script: Script
    seconds: float = limits.SESSION_SECONDS


class CheckSession:
    """Runs one attempt on one peer; the peer is left open, so that the result can still be told."""

    def __init__(
        self,
        request: CheckRequest,
        peer: VideoPeer,
        instruments: Instruments,
        pools: AnalysisPools,
        on_state: Callable[[CheckState], None] = lambda _state: None,
    ) -> None:
        self.request = request
        self.state = CheckState.CREATED
        self.recorded = asyncio.Event()
        """Set by the desk when what was measured is recorded, or could not be."""
        self._peer = peer
        self._instruments = instruments
        self._pools = pools
        self._on_state = on_state
        self._guide = Guide(peer)
        self._jobs = Jobs(pools)
        self._conductor = Conductor(instruments, self._jobs, self._guide, self._enter)
        self._stopped = asyncio.Event()
        self._stopped_for = Ending.SERVER_STOPPED
        self._began = time.monotonic()
        self._seconds = min(request.seconds, limits.SESSION_SECONDS)

    def stop(self, ending: Ending) -> None:
        """Ends the session for a reason from outside."""
        if not self._stopped.is_set():
            self._stopped_for = ending
            self._stopped.set()

    async def run(self) -> CheckMeasured:
        """Conducts the attempt and measures as it stands."""
        self._enter(CheckState.CONNECTED)
        ending = await self._until_over()
        if await self._jobs.settle():
            return await self._measure(ending)
        # What that thread works with cannot be closed under it.
        _log.error("a thread of video check %s does not come back", self.request.check)
        return self._measured(Ending.FAULT, None, None)

    def tell_result(self, word: words.ResultWord) -> None:
        """The last message to the phone."""
        self._guide.say(words.result(word))

    async def _until_over(self) -> Ending:
        """Whatever comes first: the programme's end, the connection's, the time's, or an order to stop."""
        work = asyncio.create_task(self._work(), name=f"conduct {self.request.check}")
        gone = asyncio.create_task(self._peer.gone.wait())
        stopped = asyncio.create_task(self._stopped.wait())
        tasks: set[asyncio.Task[Ending] | asyncio.Task[bool]] = {work, gone, stopped}
        try:
            await asyncio.wait(tasks, timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            if stopped.done():
                return self._stopped_for
            return self._why_gone() if gone.done() else Ending.TIME_UP
        except Exception:
            _log.exception("video check %s broke off", self.request.check)
            return Ending.FAULT
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self) -> Ending:
        try:
            async with asyncio.timeout(limits.CONNECT_SECONDS):
                await self._peer.ready.wait()
        except TimeoutError:
            return Ending.NEVER_CONNECTED
        left = self._seconds - (time.monotonic() - self._began)
        self._guide.say(words.hello(self.request.check, max(0, int(left))))
        intake = self._peer.intake
        if intake is None:
            return Ending.NEVER_CONNECTED
        try:
            await self._conductor.conduct(intake, self.request.script)
        except Over as over:
            return over.ending
        return Ending.COMPLETE

    def _why_gone(self) -> Ending:
        if self._peer.cancelled:
            return Ending.CANCELLED
        if self._peer.noisy:
            return Ending.TOO_MUCH_NOISE
        return Ending.CONNECTION_LOST if self._peer.ready.is_set() else Ending.NEVER_CONNECTED

    def _enter(self, state: CheckState) -> None:
        if not may_follow(self.state, state):
            raise RuntimeError(f"a video check cannot go from {self.state} to {state}")
        self.state = state
        self._on_state(state)

    async def _measure(self, ending: Ending) -> CheckMeasured:
        finishing = self._pools.read(self._finish)
        try:
            async with asyncio.timeout(limits.FINISH_SECONDS):
                whole, liveness, clip = await asyncio.shield(finishing)
        except Exception:
            self._pools.give_up(finishing)
            _log.exception("video check %s could not be measured", self.request.check)
            return self._measured(Ending.FAULT, None, None)
        return self._measured(ending if whole else Ending.FAULT, liveness, clip)

    def _measured(
        self, ending: Ending, liveness: LivenessMeasured | None, clip: bytes | None
    ) -> CheckMeasured:
        reader, gallery = self._conductor.reader, self._conductor.gallery
        vote = reader.card
        return CheckMeasured(
            check=self.request.check,
            ending=ending,
            seconds=round(time.monotonic() - self._began, 2),
            liveness=liveness,
            document_name=vote.name,
            document_number=vote.number,
            document_frames=vote.number_frames,
            iccid=reader.iccid,
            live=gallery.live,
            portrait=reader.portrait,
            recogniser=self._instruments.recogniser.model,
            tracker=self._instruments.tracker_model,
            keyframes=gallery.keyframes,
            clip=clip,
            pace=self._pace(),
        )

    def _finish(self) -> tuple[bool, LivenessMeasured | None, bytes | None]:
        """In a worker: the faces that were not embedded yet, and what the watch has seen.

        False: a face could not be embedded; what was seen stands nevertheless.
        """
        whole, watch = True, self._conductor.watch
        try:
            self._conductor.reader.embed_owed()
            self._conductor.reader.embed_portrait()
        except Exception:
            _log.exception("a face of video check %s could not be embedded", self.request.check)
            whole = False
        return (whole, *watch.finish()) if watch is not None else (whole, None, None)

    def _pace(self) -> Pace:
        intake, guidance = self._peer.intake, self._peer.guidance
        median, p95 = self._guide.delays
        return Pace(
            received=intake.counts if intake is not None else None,
            analysed=self._conductor.analysed,
            delay_median_ms=median,
            delay_p95_ms=p95,
            strange_messages=guidance.strange if guidance is not None else 0,
        )
