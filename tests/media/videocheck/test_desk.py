"""The desk: how many sessions, one of each order, and how it closes."""

from __future__ import annotations

import asyncio
import os
import threading
from dataclasses import replace

import pytest

from activation.ids import CheckId
from media.videocheck import CheckMeasured, CheckRequest, DeskRefusal, Ending, VideoChecks, limits
from media.webrtc import IceSettings, OfferRefusal, VideoPeer
from media.webrtc.phone import PhonePeer
from tests.media.videocheck.stage import PERSON, Person, grey_instruments
from tests.media.videocheck.test_session import SECONDS, Booth, request
from tests.media.webrtc.people import Showing, until


async def _yes(_dtls: str) -> bool:
    return True


async def _no(_dtls: str) -> bool:
    return False


async def test_it_is_full_at_its_limit_and_has_room_again() -> None:
    booth = Booth(most=1)
    first, second = PhonePeer(Showing(PERSON)), PhonePeer(Showing(PERSON))
    asked = request(window_ms=60_000)
    await booth.start(first, asked)
    offer = await second.offer()
    assert await booth.desk.answer(request(), offer, _yes) is DeskRefusal.FULL
    assert booth.desk.stop(asked.check)
    await until(lambda: booth.desk.running == 0)
    assert "v=0" in await booth.desk.answer(request(), offer, _yes)
    await asyncio.gather(first.close(), second.close(), booth.desk.close())


async def test_a_second_attempt_of_an_order_ends_the_first() -> None:
    booth = Booth()
    first, second = PhonePeer(Showing(PERSON)), PhonePeer(Showing(PERSON))
    asked = request(window_ms=60_000)
    again = replace(asked, check=CheckId.new())
    await booth.start(first, asked)
    await asyncio.wait_for(first.opened.wait(), SECONDS)
    await booth.start(second, again)
    assert (await booth.over(asked)).ending is Ending.SUPERSEDED
    assert await first.result(SECONDS) == "aborted"
    await asyncio.gather(first.close(), second.close(), booth.desk.close())


async def test_a_bad_offer_does_not_use_the_attempt_up() -> None:
    booth = Booth()
    claimed: list[bool] = []

    async def claim(_dtls: str) -> bool:
        claimed.append(True)
        return True

    assert await booth.desk.answer(request(), "garbage", claim) is OfferRefusal.NOT_SDP
    assert claimed == []
    assert booth.desk.running == 0
    await booth.desk.close()


async def test_an_attempt_that_was_taken_already_is_not_taken_again() -> None:
    booth = Booth()
    phone = PhonePeer(Showing(PERSON))
    assert await booth.desk.answer(request(), await phone.offer(), _no) is DeskRefusal.NOT_CLAIMED
    assert booth.desk.running == 0
    await asyncio.gather(phone.close(), booth.desk.close())


async def test_of_two_offers_at_once_for_one_attempt_the_second_holds_no_place() -> None:
    booth = Booth(most=2)
    asked, claimed = request(), asyncio.Event()

    async def slow(_dtls: str) -> bool:
        await claimed.wait()
        return True

    phones = [PhonePeer(Showing(PERSON)) for _ in range(2)]
    offers = [await phone.offer() for phone in phones]
    first = asyncio.create_task(booth.desk.answer(asked, offers[0], slow))
    await asyncio.sleep(0)
    assert await booth.desk.answer(asked, offers[1], _yes) is DeskRefusal.NOT_CLAIMED
    claimed.set()
    assert "v=0" in await first
    await asyncio.gather(*(phone.close() for phone in phones), booth.desk.close())


async def test_a_claim_that_fails_leaves_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    booth, closed = Booth(most=1), []
    close = VideoPeer.close

    async def noted(peer: VideoPeer) -> None:
        closed.append(peer)
        await close(peer)

    async def away(_dtls: str) -> bool:
        raise ConnectionError("the database is away")

    monkeypatch.setattr(VideoPeer, "close", noted)
    phone = PhonePeer(Showing(PERSON))
    with pytest.raises(ConnectionError):
        await booth.desk.answer(request(), await phone.offer(), away)
    assert len(closed) == 1
    await asyncio.gather(phone.close(), booth.desk.close())


async def test_what_was_not_recorded_at_first_is_recorded_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RECORDING_PAUSE_SECONDS", 0.0)
    booth, failures = Booth(), 2
    record = booth.desk._on_measured

    async def stumbling(asked: CheckRequest, measured: CheckMeasured) -> bool:
        nonlocal failures
        if failures:
            failures -= 1
            raise ConnectionError("the database is away")
        return await record(asked, measured)

    booth.desk._on_measured = stumbling
    phone = PhonePeer(Showing(PERSON))
    asked = request(window_ms=60_000)
    await booth.start(phone, asked)
    await asyncio.wait_for(phone.opened.wait(), SECONDS)
    await booth.desk.end(asked.check)
    assert booth.measured[asked.check].ending is Ending.CANCELLED
    assert await phone.result(SECONDS) == "aborted"
    await asyncio.gather(phone.close(), booth.desk.close())


def _held() -> tuple[int, int]:
    """Threads of decoders and cameras, and open files, of this process."""
    names = [thread.name for thread in threading.enumerate()]
    busy = sum(name.startswith(("video-decoder", "camera")) for name in names)
    return busy, len(os.listdir("/proc/self/fd"))


async def _one(booth: Booth) -> None:
    person = Person()
    phone = PhonePeer(person, person.hear)
    await booth.start(phone, request())
    await asyncio.wait_for(phone.opened.wait(), SECONDS)
    await phone.close()


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs Linux's /proc")
async def test_sessions_leave_nothing_behind() -> None:
    booth = Booth(most=8)
    await _one(booth)
    await until(lambda: not booth.desk._tasks)
    before = _held()
    for _ in range(3):
        await asyncio.gather(*(_one(booth) for _ in range(4)))
        await until(lambda: not booth.desk._tasks, SECONDS)
    assert len(booth.measured) == 13
    await until(lambda: _held()[0] == 0, SECONDS)
    assert _held()[1] <= before[1] + 2
    await booth.desk.close()


async def test_closing_records_what_was_running() -> None:
    booth = Booth()
    phone = PhonePeer(Showing(PERSON))
    asked = request(window_ms=60_000)
    await booth.start(phone, asked)
    await asyncio.wait_for(phone.opened.wait(), SECONDS)
    await booth.desk.close()
    assert booth.measured[asked.check].ending is Ending.SERVER_STOPPED
    assert await booth.desk.answer(request(), "v=0", _yes) is DeskRefusal.CLOSED
    await phone.close()


async def test_one_address_holds_so_many_places_and_others_have_theirs() -> None:
    booth = Booth()
    booth.desk = VideoChecks(
        grey_instruments(), threads=2, most=4, ice=IceSettings(), on_measured=booth._record, per_address=1
    )
    phones = [PhonePeer(Showing(PERSON)) for _ in range(3)]
    offers = [await phone.offer() for phone in phones]
    asked = request(window_ms=60_000)
    here, elsewhere = "192.0.2.1", "192.0.2.2"
    assert "v=0" in await booth.desk.answer(asked, offers[0], _yes, here)
    assert await booth.desk.answer(request(), offers[1], _yes, here) is DeskRefusal.ADDRESS_FULL
    assert await booth.desk.answer(request(), "garbage", _yes, elsewhere) is OfferRefusal.NOT_SDP
    assert await booth.desk.answer(request(), offers[1], _no, elsewhere) is DeskRefusal.NOT_CLAIMED
    assert "v=0" in await booth.desk.answer(request(), offers[1], _yes, elsewhere)
    assert booth.desk.stop(asked.check)
    await until(lambda: booth.desk.running == 1)
    assert "v=0" in await booth.desk.answer(request(), offers[2], _yes, here)
    await asyncio.gather(*(phone.close() for phone in phones), booth.desk.close())
