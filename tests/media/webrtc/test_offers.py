"""Offers from strangers: what is answered and what is refused, as values."""

from __future__ import annotations

import pytest
from aiortc import RTCPeerConnection

from media.webrtc import CheckedOffer, OfferRefusal, VideoPeer, examine
from media.webrtc.offers import MAX_CANDIDATES, MAX_OFFER_CHARACTERS
from media.webrtc.phone import PhonePeer
from tests.media.webrtc.people import Showing


async def _offer(*kinds: str, channel: bool = True, direction: str = "sendrecv") -> str:
    connection = RTCPeerConnection()
    for kind in kinds:
        connection.addTransceiver(kind, direction=direction)
    if channel:
        connection.createDataChannel("guidance")
    await connection.setLocalDescription(await connection.createOffer())
    sdp = str(connection.localDescription.sdp)
    await connection.close()
    return sdp


async def test_a_phone_with_one_camera_is_taken() -> None:
    phone = PhonePeer(Showing(80))
    offer = examine(await phone.offer())
    assert isinstance(offer, CheckedOffer)
    await phone.close()


@pytest.mark.parametrize(
    ("kinds", "channel", "direction", "refusal"),
    [
        (("audio",), True, "sendrecv", OfferRefusal.NO_VIDEO),
        ((), True, "sendrecv", OfferRefusal.NO_VIDEO),
        (("video",), True, "recvonly", OfferRefusal.NO_VIDEO),
        (("video",), True, "inactive", OfferRefusal.NO_VIDEO),
        (("video", "video"), True, "sendrecv", OfferRefusal.TOO_MUCH_VIDEO),
        (("video",), False, "sendrecv", OfferRefusal.NO_GUIDANCE_CHANNEL),
        (("video", "audio", "audio"), True, "sendrecv", OfferRefusal.TOO_MANY_SECTIONS),
    ],
)
async def test_the_wrong_sections_are_refused(
    kinds: tuple[str, ...], channel: bool, direction: str, refusal: OfferRefusal
) -> None:
    assert examine(await _offer(*kinds, channel=channel, direction=direction)) is refusal


@pytest.mark.parametrize(
    "sdp",
    [
        "",
        "hello",
        "v=0",
        "v=0\r\n",
        "v=0\r\nm=video\r\n",
        "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF notanumber\r\na=rtpmap:x VP8/90000\r\n",
        "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE\r\na=fingerprint:\r\n",
        "\x00" * 100,
        "v=0 身份证",
    ],
)
def test_garbage_is_refused(sdp: str) -> None:
    assert examine(sdp) in (OfferRefusal.NOT_SDP, OfferRefusal.NO_VIDEO)


async def test_every_cut_of_an_offer_is_refused_or_taken_but_never_a_fault() -> None:
    whole = await _offer("video")
    for end in range(0, len(whole), 97):
        assert isinstance(examine(whole[:end]), (OfferRefusal, CheckedOffer))


async def test_every_line_of_an_offer_may_be_missing() -> None:
    lines = (await _offer("video")).split("\r\n")
    for index in range(len(lines)):
        offer = examine("\r\n".join(lines[:index] + lines[index + 1 :]))
        if isinstance(offer, CheckedOffer):
            answered = await VideoPeer.answer(offer)
            if not isinstance(answered, OfferRefusal):
                await answered[0].close()


async def test_size_and_candidates_are_bounded() -> None:
    whole = await _offer("video")
    assert examine(whole + "a=x:" + "y" * MAX_OFFER_CHARACTERS) is OfferRefusal.TOO_LARGE
    candidate = "a=candidate:1 1 udp 1 192.0.2.9 9 typ host\r\n"
    assert examine(whole + candidate * (MAX_CANDIDATES + 1)) is OfferRefusal.TOO_MANY_CANDIDATES


@pytest.mark.parametrize("ending", ["\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"])
async def test_no_way_to_end_a_line_gets_around_the_bounds(ending: str) -> None:
    lines = (await _offer("video")).splitlines()
    spare = [f"a=candidate:{n} 1 udp 1 192.0.2.{n} 9 typ host" for n in range(1, MAX_CANDIDATES + 2)]
    assert examine("\r\n".join(lines) + "\r\n" + ending.join(spare)) is OfferRefusal.TOO_MANY_CANDIDATES
    audio = ["m=audio 9 UDP/TLS/RTP/SAVPF 0"] * 3
    assert examine("\r\n".join(lines) + ending + ending.join(audio)) is OfferRefusal.TOO_MANY_SECTIONS


async def test_names_are_not_resolved() -> None:
    line = "a=candidate:1 1 udp 1 0b2c.local 9 typ host"
    offer = examine((await _offer("video")) + line + "\r\n")
    assert isinstance(offer, CheckedOffer)
    assert line not in offer.sdp


async def test_the_answer_raises_the_start_bitrate_and_prefers_vp8() -> None:
    offer = examine(await _offer("audio", "video"))
    assert isinstance(offer, CheckedOffer)
    answered = await VideoPeer.answer(offer)
    assert not isinstance(answered, OfferRefusal)
    peer, sdp = answered
    video = next(section for section in sdp.split("m=") if section.startswith("video"))
    first = video.split(" ")[3]
    assert f"a=rtpmap:{first} VP8/90000" in video
    assert f"a=fmtp:{first} x-google-start-bitrate=1500;" in video
    assert "profile-level-id=42e01f;x-google-start-bitrate" in video
    assert "a=recvonly" in video
    audio = next(section for section in sdp.split("m=") if section.startswith("audio"))
    assert "a=inactive" in audio
    assert "x-google" not in audio
    await peer.close()
