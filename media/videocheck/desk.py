"""The running sessions of this process: lets them in, bounds them, hands over what they measured."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum

from activation.check import CheckState
from activation.evidence import CheckOutcome
from activation.ids import CheckId, OrderId
from media.videocheck import limits
from media.videocheck.instruments import Instruments
from media.videocheck.measured import CheckMeasured, Ending
from media.videocheck.pools import AnalysisPools
from media.videocheck.session import CheckRequest, CheckSession
from media.videocheck.words import ResultWord
from media.webrtc import CREDENTIAL_SECONDS, IceServer, IceSettings, OfferRefusal, VideoPeer, examine

_log = logging.getLogger(__name__)

#: Records what was measured; then the phone is told. An exception means that nothing was recorded and another
#: try may help; False, that the attempt was closed by somebody else.
OnMeasured = Callable[[CheckRequest, CheckMeasured], Awaitable[bool]]
OnState = Callable[[CheckId, CheckState], Awaitable[None]]


class DeskRefusal(StrEnum):
    FULL = "full"
    ADDRESS_FULL = "address_full"
    NOT_CLAIMED = "not_claimed"
    CLOSED = "closed"


class VideoChecks:
    """At most `most` sessions at once, `per_address` of one address, and one of each order."""

    def __init__(
        self,
        instruments: Instruments,
        *,
        threads: int,
        most: int,
        ice: IceSettings,
        on_measured: OnMeasured,
        on_state: OnState | None = None,
        per_address: int | None = None,
    ) -> None:
        self._instruments = instruments
        self._pools = AnalysisPools(threads)
        self._most = most
        self._per_address = per_address or most
        self._addresses: dict[CheckId, str] = {}
        self._ice = ice
        self._on_measured = on_measured
        self._on_state = on_state
        self._sessions: dict[CheckId, CheckSession] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._coming: set[CheckId] = set()
        self._closing = asyncio.Event()

    @property
    def running(self) -> int:
        """Sessions now."""
        return len(self._sessions)

    @property
    def lost_threads(self) -> int:
        """Threads that hang in somebody's frames; others have taken their places."""
        return self._pools.lost

    def ice_servers(self, check: CheckId, seconds: int = CREDENTIAL_SECONDS) -> Sequence[IceServer]:
        """Fresh servers for the phone of one check, and credentials that are good for so long."""
        return self._ice.servers(check, datetime.now(UTC), seconds)

    async def answer(
        self, request: CheckRequest, sdp: str, claim: Callable[[str], Awaitable[bool]], address: str = ""
    ) -> str | OfferRefusal | DeskRefusal:
        """Answers an offer and starts the session. `claim` takes the attempt for it, once, for the phone
        with the certificate of this fingerprint.

        address: where the offer came from; one address holds a few places. Of two offers at once for one
        attempt the second is refused: each would hold a place.
        """
        if self._closing.is_set():
            return DeskRefusal.CLOSED
        if request.check in self._coming or request.check in self._sessions:
            return DeskRefusal.NOT_CLAIMED
        if (full := self.is_full(address)) is not None:
            return full
        offer = examine(sdp, private_candidates=self._ice.private_candidates)
        if isinstance(offer, OfferRefusal):
            return offer
        self._coming.add(request.check)
        self._addresses[request.check] = address
        try:
            servers = self._ice.servers(request.check, datetime.now(UTC))
            answered = await VideoPeer.answer(offer, servers, self._ice.relay_only)
            if isinstance(answered, OfferRefusal):
                return answered
            peer, answer = answered
            claimed = False
            try:
                claimed = not self._closing.is_set() and await claim(peer.fingerprint)
            finally:
                if not claimed:
                    await peer.close()
            if not claimed:
                return DeskRefusal.NOT_CLAIMED
            self._begin(request, peer)
            return answer
        finally:
            self._coming.discard(request.check)
            if request.check not in self._sessions:
                self._addresses.pop(request.check, None)

    def is_full(self, address: str = "") -> DeskRefusal | None:
        """Why there is no place for one more session now; None: there is one."""
        if len(self._sessions) + len(self._coming) >= self._most:
            return DeskRefusal.FULL
        if address and [*self._addresses.values()].count(address) >= self._per_address:
            return DeskRefusal.ADDRESS_FULL
        return None

    def stop(self, check: CheckId, ending: Ending = Ending.CANCELLED) -> bool:
        """Ends a session of this process; False where it does not run here."""
        session = self._sessions.get(check)
        if session is not None:
            session.stop(ending)
        return session is not None

    def runs(self, check: CheckId) -> bool:
        """Whether its session is here, or about to be, and will still be recorded."""
        session = self._sessions.get(check)
        return check in self._coming or (session is not None and not session.recorded.is_set())

    async def end(self, check: CheckId, ending: Ending = Ending.CANCELLED) -> None:
        """Stops a session of this process, if it runs here, and lets what it has measured be recorded."""
        session = self._sessions.get(check)
        if session is None:
            return
        session.stop(ending)
        try:
            await asyncio.wait_for(session.recorded.wait(), limits.ENDING_SECONDS)
        except TimeoutError:
            _log.warning("video check %s was not recorded in time", check)

    def stop_order(self, order: OrderId, ending: Ending = Ending.SUPERSEDED) -> None:
        """Ends every session of an order."""
        for session in self._sessions.values():
            if session.request.order == order:
                session.stop(ending)

    async def close(self) -> None:
        """Ends all sessions, lets them be recorded, frees the threads."""
        self._closing.set()
        for session in self._sessions.values():
            session.stop(Ending.SERVER_STOPPED)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=limits.CLOSING_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._pools.close)

    def _begin(self, request: CheckRequest, peer: VideoPeer) -> None:
        self.stop_order(request.order)
        session = CheckSession(request, peer, self._instruments, self._pools, self._teller(request.check))
        self._sessions[request.check] = session
        task = asyncio.create_task(self._run(session, peer), name=f"check {request.check}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, session: CheckSession, peer: VideoPeer) -> None:
        check = session.request.check
        try:
            measured = await session.run()
            recorded = await self._record(session.request, measured)
            session.tell_result(_word(measured) if recorded else ResultWord.TRY_AGAIN)
        finally:
            session.recorded.set()
            self._sessions.pop(check, None)
            self._addresses.pop(check, None)
            await self._farewell(peer)

    async def _record(self, request: CheckRequest, measured: CheckMeasured) -> bool:
        for attempt in range(1, limits.RECORDING_TRIES + 1):
            try:
                return await self._on_measured(request, measured)
            except Exception:
                _log.exception("video check %s was not recorded, try %d", request.check, attempt)
            if attempt < limits.RECORDING_TRIES:
                await asyncio.sleep(limits.RECORDING_PAUSE_SECONDS)
        return False

    async def _farewell(self, peer: VideoPeer) -> None:
        try:
            await asyncio.wait_for(peer.gone.wait(), limits.FAREWELL_SECONDS)
        except TimeoutError:
            pass
        finally:
            await peer.close()

    def _teller(self, check: CheckId) -> Callable[[CheckState], None]:
        """Tells states in their order without holding the session up."""
        on_state = self._on_state
        if on_state is None:
            return lambda _state: None
        before: list[asyncio.Task[None]] = []

        async def after(former: list[asyncio.Task[None]], state: CheckState) -> None:
            await asyncio.gather(*former, return_exceptions=True)
            await on_state(check, state)

        def tell(state: CheckState) -> None:
            task = asyncio.create_task(after(before.copy(), state))
            before[:] = [task]
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return tell


def _word(measured: CheckMeasured) -> ResultWord:
    match measured.outcome:
        case CheckOutcome.MEASURED if measured.ending is Ending.COMPLETE:
            return ResultWord.RECEIVED
        case CheckOutcome.MEASURED:
            return ResultWord.TRY_AGAIN
        case CheckOutcome.EXPIRED:
            return ResultWord.EXPIRED
        case CheckOutcome.ABORTED:
            return ResultWord.ABORTED
