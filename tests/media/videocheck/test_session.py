"""One session with a phone at the other end: the way through, and every way in which it can end early."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from activation.check import CheckState
from activation.evidence import CheckOutcome
from activation.ids import CheckId, OrderId
from media.faces import Face
from media.videocheck import CheckMeasured, CheckRequest, Ending, VideoChecks, limits
from media.videocheck.reader import CheckReader
from media.webrtc import IceSettings
from media.webrtc.phone import PhonePeer
from tests.media.videocheck.stage import (
    ICCID,
    MODEL,
    MOVING,
    NAME,
    NOBODY,
    NUMBER,
    PERSON,
    TWO_PEOPLE,
    GreyRecogniser,
    GreyTracker,
    Person,
    grey_instruments,
    level_of,
    short_script,
)
from tests.media.webrtc.people import Heard, Showing, until

SECONDS = 40


class Booth:
    """A desk and what it handed over."""

    def __init__(self, most: int = 4, threads: int = 2) -> None:
        self.measured: dict[CheckId, CheckMeasured] = {}
        self.states: list[CheckState] = []
        self.fails = False
        self.desk = VideoChecks(
            grey_instruments(),
            threads=threads,
            most=most,
            ice=IceSettings(),
            on_measured=self._record,
            on_state=self._note,
        )

    async def _record(self, request: CheckRequest, measured: CheckMeasured) -> bool:
        if self.fails:
            raise ConnectionError("the database is away")
        self.measured[request.check] = measured
        return True

    async def _note(self, check: CheckId, state: CheckState) -> None:
        self.states.append(state)

    async def start(self, phone: PhonePeer, request: CheckRequest) -> None:
        async def claim(_dtls: str) -> bool:
            return True

        answer = await self.desk.answer(request, await phone.offer(), claim)
        assert answer.startswith("v=0")
        await phone.accept(answer)

    async def over(self, request: CheckRequest) -> CheckMeasured:
        await until(lambda: request.check in self.measured, SECONDS)
        return self.measured[request.check]


@pytest.fixture
async def booth() -> AsyncIterator[Booth]:
    booth = Booth()
    yield booth
    await booth.desk.close()
    assert GreyTracker.open_now == 0


def request(seconds: float = 60, **script: int) -> CheckRequest:
    return CheckRequest(CheckId.new(), OrderId.new(), short_script(**script), seconds)


async def check_with(
    booth: Booth, person: Person, asked: CheckRequest
) -> tuple[CheckMeasured, Heard, str | None]:
    heard = Heard()

    def hear(message: dict[str, object]) -> None:
        heard.append(message)
        person.hear(message)

    phone = PhonePeer(person, hear)  # type: ignore[arg-type]
    try:
        await booth.start(phone, asked)
        outcome = await phone.result(SECONDS)
        return await booth.over(asked), heard, outcome
    finally:
        await phone.close()


async def test_the_whole_way(booth: Booth) -> None:
    measured, heard, outcome = await check_with(booth, Person(), request())
    assert outcome == "received"
    assert measured.ending is Ending.COMPLETE
    assert measured.outcome is CheckOutcome.MEASURED
    assert (measured.document_name, measured.document_number, measured.iccid) == (NAME, NUMBER, ICCID)
    assert measured.document_frames >= 2
    assert measured.liveness is not None
    assert [m.done for m in measured.liveness.movements] == [True, True]
    assert measured.liveness.continuity is not None
    assert measured.liveness.continuity.model == measured.recogniser == MODEL
    assert measured.live is not None
    assert measured.portrait is not None
    assert float(measured.live @ measured.portrait) == pytest.approx(0.6, abs=1e-5)
    kinds = [kept.kind for kept in measured.keyframes]
    assert set(kinds) == {"face", "turn_left", "nod_up", "document", "sim"}
    assert all(kept.jpeg.startswith(b"\xff\xd8") for kept in measured.keyframes)
    assert measured.clip is not None
    assert measured.pace.received is not None
    assert measured.pace.delay_p95_ms is not None
    prompts = [step["prompt"] for step in heard.of("step")]
    assert prompts == ["face_oval", "turn_left", "nod_up", "show_id_front", "show_iccid"]
    assert [step["seq"] for step in heard.of("step")] == [1, 2, 3, 4, 5]
    assert all(set(step["text"]) == {"zh-CN", "en"} for step in heard.of("step"))
    assert heard[0]["type"] == "hello"
    assert "NAME" not in repr(measured)
    assert NAME not in repr(measured)
    assert booth.states == [
        CheckState.CONNECTED,
        CheckState.CHALLENGE,
        CheckState.DOCUMENT,
        CheckState.SIM,
    ]


@pytest.mark.parametrize(("level", "hint"), [(NOBODY, "too_dark"), (TWO_PEOPLE, "two_faces")])
async def test_nobody_or_two_people_are_told_and_end(booth: Booth, level: int, hint: str) -> None:
    measured, heard, outcome = await check_with(
        booth, Person({"face_oval": level}), request(position_ms=1_500)
    )
    assert outcome == "try_again"
    assert measured.ending is Ending.CHALLENGE_NOT_DONE
    assert measured.outcome is CheckOutcome.MEASURED
    assert hint in [told["hint"] for told in heard.of("progress")]
    assert [step["stage"] for step in heard.of("step")] == ["position"]
    assert measured.live is None


async def test_a_frozen_picture_does_not_pass_and_is_measured(booth: Booth) -> None:
    person = Person({"turn_left": PERSON})
    person.noise = 0
    measured, _, outcome = await check_with(booth, person, request(window_ms=2_500))
    assert outcome == "try_again"
    assert measured.ending is Ending.CHALLENGE_NOT_DONE
    assert measured.liveness is not None
    assert measured.liveness.repeated_frames > 0.5


class TellingMoversApart(GreyRecogniser):
    def embed(self, bgr: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
        return np.array([0.0, 1.0], np.float32) if level_of(bgr) == MOVING else super().embed(bgr, face)


async def test_the_frame_that_completes_a_movement_is_always_compared(booth: Booth) -> None:
    """However short it is: nobody does the movements between two samples."""
    booth.desk._instruments = replace(grey_instruments(), recogniser=TellingMoversApart())
    measured, _, outcome = await check_with(booth, Person(), request())
    assert outcome == "received"
    assert measured.live is not None
    assert measured.live[1] > 0.1


async def test_what_was_to_be_compared_is_compared_after_hanging_up(booth: Booth) -> None:
    booth.desk._instruments = replace(grey_instruments(), recogniser=TellingMoversApart())
    asked = request(window_ms=60_000)
    heard = Heard()
    person = Person({"nod_up": PERSON})

    def hear(message: Mapping[str, object]) -> None:
        heard.append(message)
        person.hear(message)

    phone = PhonePeer(person, hear)
    await booth.start(phone, asked)
    await until(lambda: any(step["prompt"] == "nod_up" for step in heard.of("step")), SECONDS)
    assert booth.desk.stop(asked.check)
    measured = await booth.over(asked)
    assert measured.live is not None
    assert measured.live[1] > 0.1
    await phone.close()


async def test_a_card_or_a_sim_that_is_never_shown_ends(
    booth: Booth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DOCUMENT_SECONDS", 1.5)
    monkeypatch.setattr(limits, "SIM_SECONDS", 1.5)
    measured, heard, outcome = await check_with(booth, Person({"show_id_front": PERSON}), request())
    assert (outcome, measured.ending) == ("try_again", Ending.DOCUMENT_NOT_SEEN)
    assert "card_not_seen" in [told["hint"] for told in heard.of("progress")]
    measured, heard, outcome = await check_with(booth, Person({"show_iccid": PERSON}), request())
    assert (outcome, measured.ending) == ("try_again", Ending.SIM_NOT_SEEN)
    assert measured.document_number == NUMBER
    assert "iccid_not_seen" in [told["hint"] for told in heard.of("progress")]


async def test_a_stream_that_stops_half_way_ends(booth: Booth, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "NO_FRAMES_SECONDS", 1)
    measured, _, outcome = await check_with(booth, Person({"nod_up": None}), request())
    assert (outcome, measured.ending) == ("aborted", Ending.STREAM_STOPPED)
    assert measured.outcome is CheckOutcome.ABORTED
    assert measured.liveness is not None


async def test_a_phone_that_connects_and_sends_nothing_ends(
    booth: Booth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "NO_FRAMES_SECONDS", 1)
    person = Person()
    person.level = None
    measured, _, _ = await check_with(booth, person, request())
    assert measured.ending is Ending.STREAM_STOPPED
    assert measured.liveness is None or measured.liveness.frames == 0


async def test_an_answer_that_is_never_used_expires(booth: Booth, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONNECT_SECONDS", 1)
    asked = request()
    phone = PhonePeer(Showing(PERSON))

    async def claim(_dtls: str) -> bool:
        return True

    assert "v=0" in await booth.desk.answer(asked, await phone.offer(), claim)
    measured = await booth.over(asked)
    assert measured.ending is Ending.NEVER_CONNECTED
    assert measured.outcome is CheckOutcome.EXPIRED
    await phone.close()


async def test_time_runs_out(booth: Booth) -> None:
    measured, _, outcome = await check_with(
        booth, Person({"turn_left": PERSON}), request(seconds=3, window_ms=60_000)
    )
    assert (outcome, measured.ending) == ("expired", Ending.TIME_UP)
    assert measured.outcome is CheckOutcome.EXPIRED


async def test_the_applicant_cancels(booth: Booth) -> None:
    asked = request(window_ms=60_000)
    heard = Heard()
    phone = PhonePeer(Person({"turn_left": PERSON}), heard.append)
    await booth.start(phone, asked)
    await until(lambda: bool(heard.of("step")))
    phone.send({"type": "cancel"})
    measured = await booth.over(asked)
    assert measured.ending is Ending.CANCELLED
    assert await phone.result(SECONDS) == "aborted"
    await phone.close()


async def test_oversized_messages_end_it(booth: Booth) -> None:
    asked = request(window_ms=60_000)
    phone = PhonePeer(Showing(PERSON))
    await booth.start(phone, asked)
    await asyncio.wait_for(phone.opened.wait(), SECONDS)
    for _ in range(25):
        phone.send("x" * 60_000)
    assert (await booth.over(asked)).ending is Ending.TOO_MUCH_NOISE
    await phone.close()


async def test_a_dropped_connection_ends_it(booth: Booth) -> None:
    asked = request(window_ms=60_000)
    phone = PhonePeer(Showing(PERSON))
    await booth.start(phone, asked)
    await asyncio.wait_for(phone.opened.wait(), SECONDS)
    await phone.close()
    assert (await booth.over(asked)).ending in (Ending.CONNECTION_LOST, Ending.STREAM_STOPPED)


async def test_an_instrument_that_fails_ends_it_as_a_fault(
    booth: Booth, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no model")

    monkeypatch.setattr("tests.media.videocheck.stage.GreyCard.feed", broken)
    measured, _, outcome = await check_with(booth, Person(), request())
    assert (outcome, measured.ending) == ("aborted", Ending.FAULT)
    assert measured.liveness is not None


async def test_a_portrait_that_cannot_be_embedded_costs_nothing_else(
    booth: Booth, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_reader: object) -> None:
        raise RuntimeError("the recogniser is away")

    monkeypatch.setattr(CheckReader, "embed_portrait", broken)
    measured, _, outcome = await check_with(
        booth, Person({"turn_left": PERSON}), request(seconds=3, window_ms=60_000)
    )
    assert (outcome, measured.ending) == ("aborted", Ending.FAULT)
    assert measured.liveness is not None
    assert measured.clip is not None


async def test_a_thread_that_does_not_come_back_keeps_no_place(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looking, back, track = threading.Event(), threading.Event(), GreyTracker.track

    def hang(tracker: GreyTracker, bgr: NDArray[np.uint8], t_ms: int) -> list[Face]:
        looking.set()
        back.wait(SECONDS)
        return track(tracker, bgr, t_ms)

    monkeypatch.setattr(GreyTracker, "open_now", 0)
    monkeypatch.setattr(GreyTracker, "track", hang)
    monkeypatch.setattr(limits, "SETTLE_SECONDS", 0.1)
    booth, phone, asked = Booth(threads=1), PhonePeer(Showing(PERSON)), request()
    try:
        await booth.start(phone, asked)
        await until(looking.is_set, SECONDS)
        assert booth.desk.stop(asked.check)
        measured = await booth.over(asked)
        assert (measured.ending, measured.liveness) == (Ending.FAULT, None)
        await until(lambda: booth.desk.running == 0)
        assert booth.desk.lost_threads == 1
        monkeypatch.setattr(GreyTracker, "track", track)
        # There is one thread to look with, and it hangs: the next check has another one.
        asked = request(seconds=3, window_ms=60_000)
        measured, _, _ = await check_with(booth, Person({"turn_left": PERSON}), asked)
        assert measured.liveness is not None
        monkeypatch.setattr(limits, "THREADS_CLOSING_SECONDS", 0.1)
        async with asyncio.timeout(SECONDS / 2):
            await booth.desk.close()
    finally:
        back.set()
        await asyncio.gather(phone.close(), booth.desk.close())
    await until(lambda: booth.desk.lost_threads == 0)
    assert any("does not come back" in line.message for line in caplog.records)


async def test_what_cannot_be_recorded_is_to_be_tried_again(booth: Booth) -> None:
    booth.fails = True
    person = Person()
    phone = PhonePeer(person, person.hear)
    await booth.start(phone, request())
    assert await phone.result(SECONDS) == "try_again"
    await phone.close()
