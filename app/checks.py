"""Attempts at the video check (R4.2): made, answered, recorded, and closed whatever becomes of them.

A new single-use script for each attempt; five an hour; every way of ending writes its fact, so that attempts
count. What was measured becomes evidence here: personal data as keyed hashes, pictures in the vault.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from prometheus_client import Counter, Gauge
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.checks import CheckView, TooManyAttempts
from activation.adapters.sql.store import Store
from activation.adapters.sql.tables import VideoCheckRow
from activation.check import OPEN, CheckState
from activation.evidence import CheckOutcome, VideoCheckMeasured
from activation.flow import Flow
from activation.ids import CheckId, OrderId
from activation.order import OrderState
from activation.weighing import captures_let_go
from app.check_answers import CheckMade, CheckRefusal
from app.check_evidence import CheckEvidence, left_unfinished
from app.check_scripts import read_script, write_script
from app.check_standing import new_check_wanted
from app.preselection.consents import ConsentKind, given_consents
from app.preselection.stored import load_captures
from media.liveness import Profile, Script, new_script
from media.videocheck import CheckMeasured, CheckRequest, DeskRefusal, Ending, Instruments, VideoChecks
from media.webrtc import IceSettings, OfferRefusal

#: From being made to its end, connecting included.
ATTEMPT_SECONDS = 200
#: A session of three minutes; the desk bounds it as well.
SESSION_SECONDS = 180
#: After its end an attempt is swept; the process that ran it, which may be another, has longer to record it
#: than its threads, its last pictures, the vault and the database may take together.
SWEEP_GRACE, RECORDED_WITHIN = timedelta(seconds=30), timedelta(minutes=5)
SWEEP_SECONDS = 15.0
SWEPT_AT_ONCE = 100

#: Every session that ended in this process, by its reason; and those that run.
ENDED = Counter("kaika_video_checks", "Video checks that ended", ("ending",))
RUNNING = Gauge("kaika_video_checks_running", "Video checks that run now")
LOST = Gauge("kaika_video_check_threads_lost", "Threads that hang in the frames of a video check")

_ENDS = {
    CheckOutcome.MEASURED: CheckState.CLOSED,
    CheckOutcome.EXPIRED: CheckState.EXPIRED,
    CheckOutcome.ABORTED: CheckState.ABORTED,
}
_MAY_CHECK = frozenset({OrderState.SHIPPED, OrderState.DELIVERED})
_log = logging.getLogger(__name__)


class Checks:
    """The use cases around the desk of this process. `start` it, and `close` it before the database."""

    def __init__(
        self,
        *,
        sessions: async_sessionmaker[AsyncSession],
        readers: async_sessionmaker[AsyncSession],
        clock: Callable[[], datetime],
        flow: Flow,
        evidence: CheckEvidence,
        instruments: Instruments,
        ice: IceSettings,
        threads: int,
        most: int,
        executor: str,
        per_address: int | None = None,
        make_script: Callable[[Profile], Script] = new_script,
    ) -> None:
        self._sessions = sessions
        self._readers = readers
        self._clock = clock
        self._flow = flow
        self._evidence = evidence
        self._executor = executor
        self._make_script = make_script
        self._store = Store()
        self._sweeper: asyncio.Task[None] | None = None
        self.desk = desk = VideoChecks(
            instruments,
            threads=threads,
            most=most,
            per_address=per_address,
            ice=ice,
            on_measured=self._measured,
            on_state=self._entered,
        )
        RUNNING.set_function(lambda: desk.running)
        LOST.set_function(lambda: desk.lost_threads)

    def start(self) -> None:
        """From now on attempts that nobody ends are ended."""
        self._sweeper = asyncio.create_task(self._sweep_for_ever(), name="video check sweep")

    async def close(self) -> None:
        """Ends what runs here and records it."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        await self.desk.close()

    async def create(
        self, order_id: OrderId, profile: Profile = Profile.STANDARD
    ) -> CheckMade | CheckRefusal | TooManyAttempts:
        """A new attempt with a script of its own; one that still runs is aborted, and counts if it was taken.

        One that runs in another process ends by itself, or where it does not, by the sweep.
        """
        now, check = self._clock(), CheckId.new()
        script = write_script(self._make_script(profile))
        expires_at = now + timedelta(seconds=ATTEMPT_SECONDS)
        async with self._sessions.begin() as session:
            refusal = await self._refusal(session, order_id)
            if refusal is not None:
                return refusal
            made = await self._store.checks.create(session, order_id, check, script, now, expires_at)
            if isinstance(made, TooManyAttempts):
                return made
            formers = await self._abandoned(session, order_id, VideoCheckRow.attempt < made.attempt)
            for former in formers:
                await self._finish(session, former, left_unfinished(former, CheckOutcome.ABORTED, now))
            left = await self._store.checks.attempts_left(session, order_id, now) - 1  # beside this one
        self.desk.stop_order(order_id)
        return CheckMade(check, expires_at, left, self.desk.ice_servers(check))

    async def answer(
        self, order_id: OrderId, check_id: CheckId, sdp: str, client: str = ""
    ) -> str | CheckRefusal | OfferRefusal | DeskRefusal:
        """The answer to the attempt's one offer. Nothing is used up by an offer that is refused.

        client: network address, for limits only.
        """
        check = await self._of_order(order_id, check_id)
        if check is None:
            return CheckRefusal.NOT_FOUND
        seconds = (check.expires_at - self._clock()).total_seconds()
        if check.state is not CheckState.CREATED or seconds <= 0:
            return CheckRefusal.OFFER_ALREADY_ANSWERED
        request = CheckRequest(check_id, order_id, read_script(check.script), min(seconds, SESSION_SECONDS))
        answer = await self.desk.answer(request, sdp, lambda dtls: self._claim(check_id, dtls), client)
        return CheckRefusal.OFFER_ALREADY_ANSWERED if answer is DeskRefusal.NOT_CLAIMED else answer

    async def abort(self, order_id: OrderId, check_id: CheckId) -> CheckView | None:
        """Ends an attempt at the applicant's wish, unless it is over; None: no such attempt.

        What was seen until then is evidence: nobody wipes an attack out by cancelling it. Where it takes long
        to be recorded, or runs in another process, the attempt is returned still open.
        """
        check = await self._of_order(order_id, check_id)
        if check is None:
            return None
        await self.desk.end(check_id, Ending.CANCELLED)
        now = self._clock()
        async with self._sessions.begin() as session:
            await self._store.orders.lock(session, order_id)
            for abandoned in await self._abandoned(session, order_id, VideoCheckRow.id == check_id):
                await self._finish(session, abandoned, left_unfinished(abandoned, CheckOutcome.ABORTED, now))
        return await self._of_order(order_id, check_id)

    async def read(self, order_id: OrderId, check_id: CheckId) -> CheckView | None:
        """One attempt of this order."""
        return await self._of_order(order_id, check_id)

    async def attempts_left(self, session: AsyncSession, order_id: OrderId) -> int:
        """Of the five within the hour."""
        return await self._store.checks.attempts_left(session, order_id, self._clock())

    async def sweep(self) -> int:
        """Ends attempts that were abandoned or whose process died; how many."""
        now = self._clock()
        async with self._readers() as session:
            overdue = await self._store.checks.overdue(
                session, now - SWEEP_GRACE, now - RECORDED_WITHIN, self._executor, SWEPT_AT_ONCE
            )
        ended = 0
        for check in overdue:
            if self.desk.runs(check.id):
                continue  # it records what it has seen
            try:
                ended += await self._expire(check, now)
            except Exception:  # one that cannot be ended keeps no other one open
                _log.exception("video check %s was not swept", check.id)
        return ended

    async def _expire(self, check: CheckView, now: datetime) -> bool:
        async with self._sessions.begin() as session:
            await self._store.orders.lock(session, check.order_id)
            return await self._finish(session, check, left_unfinished(check, CheckOutcome.EXPIRED, now))

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except Exception:
                _log.exception("abandoned video checks were not swept")

    async def _refusal(self, session: AsyncSession, order_id: OrderId) -> CheckRefusal | None:
        """R9.4: the consent may have been taken back since the captures."""
        order = await self._store.orders.lock(session, order_id)
        if order.state not in _MAY_CHECK and not await new_check_wanted(session, order):
            return CheckRefusal.WRONG_STATE
        if ConsentKind.FACE_RECOGNITION not in await given_consents(session, order_id):
            return CheckRefusal.CONSENT_WANTED
        # Given anew after shipping, it brings back no picture to compare with: there are the other ways.
        let_go = captures_let_go(await self._store.facts.load(session, order_id))
        return CheckRefusal.WRONG_STATE if let_go else None

    async def _abandoned(
        self, session: AsyncSession, order_id: OrderId, which: sa.ColumnElement[bool]
    ) -> list[CheckView]:
        """Open attempts, their rows held, of which no session will record what it has seen.

        One that another process has taken is left to it, or to the sweep.
        """
        ids = await session.scalars(
            sa.select(VideoCheckRow.id)
            .where(VideoCheckRow.order_id == order_id, VideoCheckRow.state.in_(OPEN), which)
            .with_for_update()
        )
        found = [await self._store.checks.read(session, CheckId(each)) for each in ids]
        return [check for check in found if check is not None and self._is_abandoned(check)]

    def _is_abandoned(self, check: CheckView) -> bool:
        mine = check.executor == self._executor and not self.desk.runs(check.id)
        return mine or check.state is CheckState.CREATED

    async def _of_order(self, order_id: OrderId, check_id: CheckId) -> CheckView | None:
        async with self._readers() as session:
            check = await self._store.checks.read(session, check_id)
        return check if check is not None and check.order_id == order_id else None

    async def _claim(self, check_id: CheckId, fingerprint: str) -> bool:
        """Of two offers for one attempt only one is answered, in whichever process.

        From then on the attempt belongs to the phone whose DTLS certificate has this fingerprint.
        """
        async with self._sessions.begin() as session:
            return await self._store.checks.move(
                session, check_id, CheckState.CONNECTED, self._clock(), self._executor, fingerprint
            )

    async def _entered(self, check_id: CheckId, state: CheckState) -> None:
        if state is CheckState.CONNECTED:
            return  # claimed already
        async with self._sessions.begin() as session:
            await self._store.checks.move(session, check_id, state, self._clock())

    async def _measured(self, request: CheckRequest, measured: CheckMeasured) -> bool:
        """Pictures first, then fact and end of the attempt in one transaction: nothing points to nowhere.

        False: somebody else has closed the attempt.
        """
        recorded = False
        async with self._readers() as session:
            check = await self._store.checks.read(session, request.check)
            captures = await load_captures(session, request.order)
        if check is not None and check.state in OPEN:
            fact = await self._evidence.of(check, measured, captures.faces, self._clock())
            async with self._sessions.begin() as session:
                await self._store.orders.lock(session, request.order)
                agreed = ConsentKind.FACE_RECOGNITION in await given_consents(session, request.order)
                # Taken back meanwhile (R9.4): nothing of the face is kept, whichever process saw it.
                told = fact if agreed else left_unfinished(check, CheckOutcome.ABORTED, self._clock())
                recorded = await self._finish(session, check, told)
            if not agreed:
                await self._evidence.let_go(request.order, fact)
        if not recorded:
            _log.error("video check %s was closed before it was recorded: evidence is lost", request.check)
        ENDED.labels(measured.ending.value).inc()
        return recorded

    async def _finish(self, session: AsyncSession, check: CheckView, fact: VideoCheckMeasured) -> bool:
        """Closes the attempt and records the fact, unless it was closed before. The order is held."""
        now = self._clock()
        if fact.outcome is CheckOutcome.MEASURED and not await self._store.checks.move(
            session, check.id, CheckState.MEASURED, now
        ):
            return False
        if not await self._store.checks.move(session, check.id, _ENDS[fact.outcome], now):
            return False
        await self._flow.record(session, check.order_id, fact)
        return True
