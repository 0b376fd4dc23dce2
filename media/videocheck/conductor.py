"""Conducts a check: challenge (position, then movements) → document → sim. Goes on with what it sees.

Each frame is looked at in one pool, so that guidance is quick; cards and embeddings are read behind it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from activation.check import CheckState
from media.liveness import Script
from media.videocheck import limits
from media.videocheck.gallery import Gallery
from media.videocheck.guide import Guide
from media.videocheck.instruments import Instruments
from media.videocheck.jobs import Jobs
from media.videocheck.measured import Ending
from media.videocheck.reader import CheckReader
from media.videocheck.watch import Look, Watch
from media.webrtc import FrameIntake, IntakeEnd, ReceivedFrame


class Over(Exception):
    """The programme cannot go on."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.value)
        self.ending = ending


class Conductor:
    """One for each check. Raises Over where a stage is not passed in its time or no more frames come."""

    def __init__(
        self, instruments: Instruments, jobs: Jobs, guide: Guide, enter: Callable[[CheckState], None]
    ) -> None:
        self.gallery = Gallery()
        self.reader = CheckReader(instruments, self.gallery)
        self.watch: Watch | None = None
        self.analysed = 0
        self._instruments = instruments
        self._jobs = jobs
        self._guide = guide
        self._enter = enter
        self._due = 0.0
        self._read_at_ms = -limits.CARD_INTERVAL_MS
        self._sampled_at_ms = -limits.EMBEDDING_INTERVAL_MS
        self._sampled = 0

    async def conduct(self, intake: FrameIntake, script: Script) -> None:
        """The whole programme."""
        self._enter(CheckState.CHALLENGE)
        watch = await self._jobs.look(lambda: self._open_watch(script))
        await self._challenge(intake, watch)
        self._enter(CheckState.DOCUMENT)
        await self._document(intake, watch)
        self._enter(CheckState.SIM)
        await self._sim(intake, watch)
        await self._jobs.last_reading()

    def _open_watch(self, script: Script) -> Watch:
        self.watch = Watch(self._instruments, script, self.gallery)
        return self.watch

    async def _challenge(self, intake: FrameIntake, watch: Watch) -> None:
        finished = False
        while not finished:
            frame = await self._next(intake, limits.ANALYSED_PER_SECOND)
            look = await self._look(watch.challenge, frame)
            self._guide.challenge(look.view, look.hint, look.t_ms, intake.age_ms(frame))
            if look.view.moved and look.face is not None:
                self.reader.owe(look.bgr, look.face)
            self._sample(look, self._challenge_interval_ms, of_challenge=True)
            finished = look.view.finished
        if not watch.answered:
            raise Over(Ending.CHALLENGE_NOT_DONE)

    async def _document(self, intake: FrameIntake, watch: Watch) -> None:
        ends = time.monotonic() + limits.DOCUMENT_SECONDS
        while not self.reader.card_complete:
            self._tell("document", "show_id_front", self.reader.card_fraction, ends, Ending.DOCUMENT_NOT_SEEN)
            look = await self._look(watch.cards, await self._next(intake, limits.ANALYSED_PER_SECOND / 2))
            self._read(look, self.reader.read_card)
        await self._jobs.last_reading()
        self._jobs.read(self.reader.embed_portrait)

    async def _sim(self, intake: FrameIntake, watch: Watch) -> None:
        self.reader.hint = None
        ends = time.monotonic() + limits.SIM_SECONDS
        while self.reader.iccid is None:
            self._tell("sim", "show_iccid", self.reader.sim_fraction, ends, Ending.SIM_NOT_SEEN)
            look = await self._look(watch.cards, await self._next(intake, limits.ANALYSED_PER_SECOND / 2))
            self._read(look, self.reader.read_sim)

    def _tell(self, stage: str, prompt: str, fraction: float, ends: float, too_late: Ending) -> None:
        left = ends - time.monotonic()
        if left <= 0:
            raise Over(too_late)
        self._guide.card(stage, prompt, int(left * 1000), fraction, self.reader.hint)

    async def _next(self, intake: FrameIntake, per_second: float) -> ReceivedFrame:
        """The newest frame, no sooner than the pace allows."""
        await asyncio.sleep(max(0.0, self._due - time.monotonic()))
        frame = await intake.next(limits.NO_FRAMES_SECONDS)
        if frame is None:
            flood = intake.ended is IntakeEnd.FLOOD
            raise Over(Ending.STREAM_TOO_FAST if flood else Ending.STREAM_STOPPED)
        # From the last one's time, so that the pace holds; never to catch up.
        self._due = max(self._due + 1 / per_second, time.monotonic())
        return frame

    async def _look(self, work: Callable[[ReceivedFrame], Look], frame: ReceivedFrame) -> Look:
        look = await self._jobs.look(lambda: work(frame))
        self.analysed += 1
        return look

    def _read(self, look: Look, work: Callable[..., None]) -> None:
        """Now and then the person, else the card; whichever is not read now has another frame soon."""
        if self._sample(look, limits.CARD_STAGE_EMBEDDING_INTERVAL_MS, of_challenge=False):
            return
        if look.t_ms - self._read_at_ms < limits.CARD_INTERVAL_MS:
            return
        if self._jobs.read(lambda: work(look.bgr, look.t_ms)):
            self._read_at_ms = look.t_ms

    @property
    def _challenge_interval_ms(self) -> int:
        early = self._sampled < limits.FIRST_EMBEDDINGS
        return limits.FIRST_EMBEDDING_INTERVAL_MS if early else limits.EMBEDDING_INTERVAL_MS

    def _sample(self, look: Look, interval_ms: int, *, of_challenge: bool) -> bool:
        """Starts the embedding of this frame's face, if it is time for one; what is owed comes first."""
        if self.reader.owes:
            return self._jobs.read(self.reader.embed_owed)
        face = look.face
        if face is None or self._sampled >= limits.MAX_EMBEDDINGS:
            return False
        if look.t_ms - self._sampled_at_ms < interval_ms:
            return False
        if not self._jobs.read(lambda: self.reader.embed_person(look.bgr, face, of_challenge=of_challenge)):
            return False
        self._sampled += 1
        self._sampled_at_ms = look.t_ms
        return True
