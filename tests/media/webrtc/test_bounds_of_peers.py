"""What a peer must prove and may not do: certificate, addresses, bit rate, endless messages, channels."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiortc.rtcsctptransport import SCTP_DATA_FIRST_FRAG, DataChunk

from media.webrtc import CheckedOffer, OfferRefusal, VideoPeer, examine, meter
from media.webrtc.answers import MOST_KBPS
from media.webrtc.candidates import is_spoken_to
from media.webrtc.peer import MAX_STRANGE_CHANNELS
from media.webrtc.phone import PhonePeer
from tests.media.webrtc.people import Showing, until

OTHER = ":".join(["AB"] * 32)
FINGERPRINT = re.compile(r"a=fingerprint:sha-256 [0-9A-F:]+")
PRIVATE = (
    "10.0.0.7",
    "172.16.3.4",
    "192.168.1.1",
    "127.0.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "::1",
    "fd00::1",
    "fe80::1",
    "::ffff:10.0.0.7",
    "::ffff:127.0.0.1",
)
NEVER = ("0.0.0.0", "224.0.0.251", "255.255.255.255", "::", "ff02::fb", "0b2c.local", "metadata.internal", "")


@asynccontextmanager
async def answered(bend: tuple[str, str] | None = None) -> AsyncIterator[tuple[PhonePeer, VideoPeer]]:
    """A phone and the server's end, still to connect. bend: replaced in the offer on its way."""
    phone = PhonePeer(Showing(80))
    sdp = await phone.offer()
    offer = examine(sdp if bend is None else re.sub(*bend, sdp))
    assert isinstance(offer, CheckedOffer)
    made = await VideoPeer.answer(offer)
    assert not isinstance(made, OfferRefusal)
    peer, answer = made
    await phone.accept(answer)
    try:
        yield phone, peer
    finally:
        await peer.close()
        await phone.close()


async def test_the_certificate_of_the_offer_is_the_one_that_must_be_shown() -> None:
    async with answered() as (_, peer):
        await until(peer.ready.is_set)
        assert re.fullmatch(r"[0-9a-f]{64}", peer.fingerprint)
        assert peer._is_the_one_that_offered()
        peer.fingerprint = "0" * 64
        assert not peer._is_the_one_that_offered()


async def test_another_certificate_than_the_offers_never_connects() -> None:
    """Whoever sits between phone and server, or carries another's offer here, has another key."""
    async with answered((FINGERPRINT.pattern, f"a=fingerprint:sha-256 {OTHER}")) as (_, peer):
        await until(peer.gone.is_set)
        assert not peer.ready.is_set()
        assert peer.intake is None or peer.intake.counts.frames == 0
        assert peer.fingerprint == "ab" * 32


async def test_our_own_second_look_gives_up_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the library to let one through."""
    monkeypatch.setattr("media.webrtc.peer._certificate_of", lambda _transport: "0" * 64)
    async with answered() as (_, peer):
        await until(peer.gone.is_set)
        assert not peer.ready.is_set()
        assert peer.noisy


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("a=fingerprint:sha-1 " + ":".join(["AB"] * 20), OfferRefusal.NOT_SDP),
        ("a=fingerprint:md5 " + ":".join(["AB"] * 16), OfferRefusal.NOT_SDP),
        ("a=fingerprint:sha-256 " + ":".join(["AB"] * 31), OfferRefusal.NOT_SDP),
        ("a=fingerprint:sha-256 ", OfferRefusal.NOT_SDP),
        (f"a=fingerprint:sha-256 {OTHER}\r\na=fingerprint:sha-1 AB", OfferRefusal.NOT_SDP),
        (f"a=fingerprint:sha-256 {OTHER}\r\na=fingerprint:sha-256 {OTHER[:-2]}AC", OfferRefusal.NOT_SDP),
    ],
)
async def test_only_one_fingerprint_and_a_good_one(line: str, wanted: OfferRefusal) -> None:
    phone = PhonePeer(Showing(80))
    assert examine(FINGERPRINT.sub(line, await phone.offer())) is wanted
    await phone.close()


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_spoken_to_where_that_is_wanted(address: str) -> None:
    line = f"a=candidate:1 1 udp 2122260223 {address} 50000 typ host"
    assert is_spoken_to(line, private=True)
    assert not is_spoken_to(line, private=False)


@pytest.mark.parametrize("address", NEVER)
def test_what_is_no_address_of_a_phone_is_never_spoken_to(address: str) -> None:
    line = f"a=candidate:1 1 udp 2122260223 {address} 50000 typ host"
    assert not is_spoken_to(line, private=True)


@pytest.mark.parametrize("port", ["22", "53", "0", "65536", "x", "-1"])
def test_no_services_are_spoken_to(port: str) -> None:
    assert not is_spoken_to(f"a=candidate:1 1 udp 1 8.8.8.8 {port} typ host", private=True)
    assert is_spoken_to("a=candidate:1 1 udp 1 8.8.8.8 50000 typ srflx raddr 10.0.0.1 rport 9", private=False)


async def test_an_offer_that_names_hosts_inside_is_answered_without_them() -> None:
    phone = PhonePeer(Showing(80))
    sdp = (await phone.offer()) + "a=candidate:9 1 udp 1 169.254.169.254 8080 typ host\r\n"
    outside = examine(sdp, private_candidates=False)
    assert isinstance(outside, CheckedOffer)
    assert "a=candidate:" not in outside.sdp
    assert "169.254.169.254" in sdp
    await phone.close()


async def test_the_answer_names_the_most_that_is_taken() -> None:
    phone = PhonePeer(Showing(80))
    offer = examine(await phone.offer())
    assert isinstance(offer, CheckedOffer)
    made = await VideoPeer.answer(offer)
    assert not isinstance(made, OfferRefusal)
    peer, sdp = made
    video = next(section for section in sdp.split("m=") if section.startswith("video"))
    assert f"b=AS:{MOST_KBPS}\r\nb=TIAS:{MOST_KBPS}000\r\n" in video
    assert sdp.count("b=AS") == 1
    await peer.close()
    await phone.close()


async def test_too_high_a_bit_rate_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "BITS_PER_SECOND", 1_000)
    monkeypatch.setattr(meter, "LOOK_SECONDS", 0.05)
    async with answered() as (_, peer):
        await until(peer.gone.is_set)
        assert peer.noisy


async def test_a_phone_within_its_rate_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "LOOK_SECONDS", 0.02)
    async with answered() as (_, peer):
        await until(peer.ready.is_set)
        assert peer.intake is not None
        intake = peer.intake
        await until(lambda: intake.counts.frames > 5)
        assert meter.received_bytes(peer._connection) > 0
        assert meter.unfinished_bytes(peer._connection) == 0
        assert not peer.gone.is_set()


async def test_a_message_without_an_end_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "LOOK_SECONDS", 0.05)
    async with answered() as (_, peer):
        await until(peer.ready.is_set)
        sctp = peer._connection.sctp
        assert sctp is not None
        tsn = sctp._last_received_tsn
        assert tsn is not None
        for number in range(1, 70):
            chunk = DataChunk(flags=SCTP_DATA_FIRST_FRAG if number == 1 else 0)
            chunk.tsn, chunk.stream_id, chunk.stream_seq, chunk.user_data = tsn + number, 7, 0, bytes(1000)
            await sctp._receive_data_chunk(chunk)
        assert meter.unfinished_bytes(peer._connection) > meter.MAX_UNFINISHED_BYTES
        await until(peer.gone.is_set)
        assert peer.noisy


async def test_channels_that_nobody_asked_for_end_the_connection() -> None:
    async with answered() as (phone, peer):
        await until(peer.ready.is_set)
        for number in range(MAX_STRANGE_CHANNELS + 1):
            phone._connection.createDataChannel(f"other-{number}")
        await until(peer.gone.is_set)
        assert peer.noisy
