"""`python -m tests.bench.senders ADDRESS COUNT SECONDS`: phones that send one encoded film.

Encoding live would cost more than what is measured; a packet that is sent again costs only its encryption.
"""

from __future__ import annotations

import asyncio
import sys
import time
from fractions import Fraction
from typing import Any

import aiohttp
import av
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from app.studio import make_applicant
from media.webrtc.guidance import LABEL

FRAMES_PER_SECOND = 15
FILM_SECONDS = 6
BITRATE = 1_000_000
SIZE = (640, 480)
CLOCK = 90_000
APART_SECONDS = 0.15
"""Between two phones that connect."""


def encoded_film() -> list[bytes]:
    """VP8 frames of a person who looks into the camera; a key frame each second."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height = SIZE
    encoder.pix_fmt = "yuv420p"
    encoder.bit_rate = BITRATE
    encoder.time_base = Fraction(1, FRAMES_PER_SECOND)
    encoder.gop_size = FRAMES_PER_SECOND
    encoder.options = {"deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0"}
    performer = make_applicant(1).actor(size=SIZE)
    packets: list[bytes] = []
    for number in range(FRAMES_PER_SECOND * FILM_SECONDS):
        pixels = performer.frame(number * 1000 // FRAMES_PER_SECOND)
        assert pixels is not None
        frame = av.VideoFrame.from_ndarray(pixels, format="bgr24").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, encoder.time_base
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets


class Film(MediaStreamTrack):
    """Sends the packets over and over at their pace."""

    kind = "video"

    def __init__(self, packets: list[bytes]) -> None:
        super().__init__()
        self._packets = packets
        self._number = 0
        self._began = 0.0

    async def recv(self) -> av.Packet[Any]:
        if self.readyState != "live":
            raise MediaStreamError
        self._began = self._began or time.monotonic()
        due = self._began + self._number / FRAMES_PER_SECOND
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        packet = av.Packet(self._packets[self._number % len(self._packets)])
        packet.pts = self._number * CLOCK // FRAMES_PER_SECOND
        packet.time_base = Fraction(1, CLOCK)
        self._number += 1
        return packet


async def phone(session: aiohttp.ClientSession, address: str, packets: list[bytes]) -> RTCPeerConnection:
    """Connects one phone."""
    connection = RTCPeerConnection()
    channel = connection.createDataChannel(LABEL)
    channel.on("open", lambda: channel.send('{"type":"ready"}'))
    sending = connection.addTransceiver(Film(packets), direction="sendonly")
    vp8 = [c for c in RTCRtpSender.getCapabilities("video").codecs if c.mimeType == "video/VP8"]
    sending.setCodecPreferences(vp8)
    await connection.setLocalDescription(await connection.createOffer())
    async with session.post(address, json={"sdp": connection.localDescription.sdp}) as answered:
        answered.raise_for_status()
        sdp = (await answered.json())["sdp"]
    await connection.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="answer"))
    return connection


async def main(address: str, count: int, seconds: float) -> None:
    packets = encoded_film()
    async with aiohttp.ClientSession() as session:
        connections = []
        for _ in range(count):
            connections.append(await phone(session, address, packets))
            await asyncio.sleep(APART_SECONDS)
        await asyncio.sleep(seconds)
        await asyncio.gather(*(connection.close() for connection in connections))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
