"""Two ends against each other in memory: frames in, guidance out, and what a phone may not do."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from media.webrtc import CheckedOffer, IntakeEnd, OfferRefusal, VideoPeer, examine
from media.webrtc import intake as intake_module
from media.webrtc.guidance import MAX_MESSAGE_BYTES, MAX_STRANGE, parse
from media.webrtc.phone import PhonePeer
from tests.media.webrtc.people import Heard, Showing, until

SECONDS = 15


@asynccontextmanager
async def connected(camera: Showing, **options: float) -> AsyncIterator[tuple[PhonePeer, VideoPeer, Heard]]:
    heard = Heard()
    phone = PhonePeer(camera, heard.append, **options)  # type: ignore[arg-type]
    offer = examine(await phone.offer())
    assert isinstance(offer, CheckedOffer)
    answered = await VideoPeer.answer(offer)
    assert not isinstance(answered, OfferRefusal)
    peer, answer = answered
    await phone.accept(answer)
    try:
        await asyncio.wait_for(peer.ready.wait(), SECONDS)
        yield phone, peer, heard
    finally:
        await peer.close()
        await phone.close()


async def test_frames_arrive_whole_and_in_time() -> None:
    async with connected(Showing(120, noise=0)) as (_, peer, _heard):
        assert peer.intake is not None
        times = []
        for _ in range(5):
            frame = await peer.intake.next(SECONDS)
            assert frame is not None
            pixels = frame.pixels()
            assert pixels.shape == (240, 320, 3)
            assert abs(float(pixels.mean()) - 120) < 4
            times.append(frame.t_ms)
        assert times == sorted(set(times))
        assert peer.intake.counts.sizes == ((320, 240),)


async def test_a_slow_consumer_gets_the_newest_frame_only() -> None:
    camera = Showing(60)
    async with connected(camera) as (_, peer, _heard):
        assert peer.intake is not None
        first = await peer.intake.next(SECONDS)
        before = peer.intake.counts.frames
        intake = peer.intake
        await until(lambda: intake.counts.frames >= before + 6)
        newest = await peer.intake.next(SECONDS)
        assert first is not None
        assert newest is not None
        assert newest.number >= before + 6
        assert peer.intake._track._queue.qsize() <= 2  # type: ignore[attr-defined]


async def test_a_camera_that_ends_is_noticed_and_a_silent_one_gives_none() -> None:
    camera = Showing(60)
    async with connected(camera) as (_, peer, _heard):
        assert peer.intake is not None
        assert await peer.intake.next(SECONDS) is not None
        camera.level = None
        while await peer.intake.next(1.0) is not None:
            pass
        assert await peer.intake.next(0.2) is None


async def test_too_many_frames_end_the_intake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_module, "FRAMES_PER_SECOND", 2)
    monkeypatch.setattr(intake_module, "FRAMES_AT_ONCE", 4)
    async with connected(Showing(60)) as (_, peer, _heard):
        assert peer.intake is not None
        intake = peer.intake
        await until(lambda: intake.ended is not None)
        assert peer.intake.ended is IntakeEnd.FLOOD


async def test_a_picture_too_small_for_a_face_is_dropped_and_a_change_of_size_is_noted() -> None:
    camera = Showing(60, size=(160, 120))
    async with connected(camera) as (_, peer, _heard):
        assert peer.intake is not None
        intake = peer.intake
        await until(lambda: intake.counts.too_small >= 2)
        camera.size = (320, 240)
        frame = await peer.intake.next(SECONDS)
        assert frame is not None
        assert (frame.width, frame.height) == (320, 240)
        assert peer.intake.counts.size_changes == 1


async def test_guidance_is_heard_and_a_ping_answered() -> None:
    async with connected(Showing(60)) as (phone, peer, heard):
        assert peer.guidance is not None
        assert peer.guidance.send({"type": "hello", "text": "请将面部放入框内"})
        phone.send({"type": "ping", "t": 17})
        await until(lambda: bool(heard.of("pong")))
        assert heard.of("hello")[0]["text"] == "请将面部放入框内"
        assert heard.of("pong") == [{"type": "pong", "t": 17}]


async def test_cancelling_ends_the_peer() -> None:
    async with connected(Showing(60)) as (phone, peer, _heard):
        phone.send({"type": "cancel"})
        await asyncio.wait_for(peer.gone.wait(), SECONDS)
        assert peer.cancelled


@pytest.mark.parametrize("nonsense", ["{", "[]", '"x"', "x" * (MAX_MESSAGE_BYTES + 1), '{"type":"activate"}'])
async def test_nonsense_is_counted_and_too_much_of_it_ends_the_peer(nonsense: str) -> None:
    async with connected(Showing(60)) as (phone, peer, _heard):
        assert peer.guidance is not None
        phone.send(nonsense)
        guidance = peer.guidance
        await until(lambda: guidance.strange == 1)
        assert not peer.gone.is_set()
        for _ in range(MAX_STRANGE):
            phone.send(nonsense)
        await asyncio.wait_for(peer.gone.wait(), SECONDS)
        assert peer.noisy
        assert not peer.cancelled


async def test_even_good_messages_are_too_much_when_they_never_stop() -> None:
    async with connected(Showing(60)) as (phone, peer, _heard):
        for number in range(200):
            phone.send({"type": "ping", "t": number})
        await asyncio.wait_for(peer.gone.wait(), SECONDS)
        assert peer.noisy


async def test_a_phone_that_leaves_is_noticed() -> None:
    async with connected(Showing(60)) as (phone, peer, _heard):
        await phone.close()
        await asyncio.wait_for(peer.gone.wait(), SECONDS)
        assert not peer.cancelled


async def test_closing_a_busy_peer_ends_its_threads() -> None:
    async with connected(Showing(60)) as (_, peer, _heard):
        assert peer.intake is not None
        await peer.intake.next(SECONDS)
        decoders = [t for t in threading.enumerate() if t.name == "video-decoder"]
        await peer.close()
    assert not any(thread.is_alive() for thread in decoders)


def test_a_message_is_a_small_json_object() -> None:
    assert parse('{"type":"ready"}') == {"type": "ready"}
    assert parse(b'{"type":"ready"}') is None
    assert parse("[" * 3000) is None
    assert parse('{"a":"' + "身" * 1400 + '"}') is None
