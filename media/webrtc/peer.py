"""The server's end of one video check's connection: one offer, one answer, one camera, one data channel.

aiortc can restart nothing: a dropped connection means a new check with a new challenge.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from cryptography.hazmat.primitives import hashes

from media.webrtc.answers import with_start_bitrate
from media.webrtc.decoders import bound_decoders
from media.webrtc.guidance import LABEL, GuidanceChannel, PhoneMessage
from media.webrtc.ice import IceServer
from media.webrtc.intake import FrameIntake
from media.webrtc.meter import Meter, transports
from media.webrtc.offers import CheckedOffer, OfferRefusal

ANSWER_SECONDS = 10
"""Gathering candidates included; a TURN server that does not reply costs five."""
DECODER_SECONDS = 2
"""How long a decoder may take to finish the frames it holds when the peer is closed."""
MAX_STRANGE_CHANNELS = 4
"""Data channels that nobody asked for, before the connection is given up."""

_ENDED = frozenset({"failed", "closed"})
_log = logging.getLogger(__name__)


class VideoPeer:
    """Made by `answer`. `intake` and `guidance` are None until the phone's camera and channel are there."""

    def __init__(self, connection: RTCPeerConnection, fingerprint: str) -> None:
        self._connection = connection
        self.fingerprint = fingerprint
        """SHA-256 of the certificate that the offer promised, and the handshake has to show."""
        self.intake: FrameIntake | None = None
        self.guidance: GuidanceChannel | None = None
        self.ready = asyncio.Event()
        """Connected and the guidance channel is open."""
        self.gone = asyncio.Event()
        """Cancelled by the phone, lost, or given up for noise."""
        self.cancelled = False
        self.noisy = False
        self._strange_channels = 0
        self._meter = Meter(connection, self._give_up)
        connection.on("track", self._on_track)
        connection.on("datachannel", self._on_channel)
        connection.on("connectionstatechange", self._on_state)

    @classmethod
    async def answer(
        cls, offer: CheckedOffer, servers: Sequence[IceServer] = (), relay_only: bool = False
    ) -> tuple[VideoPeer, str] | OfferRefusal:
        """A peer for this offer and the SDP to answer with, complete with candidates."""
        bound_decoders()
        connection = RTCPeerConnection(configuration(servers, relay_only))
        peer = cls(connection, offer.fingerprint)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                sdp = await peer._negotiate(offer)
        except TimeoutError:
            await peer.close()
            return OfferRefusal.NO_ANSWER
        except asyncio.CancelledError:
            await peer.close()
            raise
        except Exception as fault:  # whatever a stranger's text makes the library raise
            _log.info("offer refused by the WebRTC library: %s", type(fault).__name__)
            await peer.close()
            return OfferRefusal.NOT_SDP
        if "a=candidate:" not in sdp:
            # A TURN server that refuses our credentials says nothing; there is just nowhere to connect to.
            _log.error("no address to connect to: is the TURN server there, and is its secret right?")
            await peer.close()
            return OfferRefusal.NO_ANSWER
        return peer, sdp

    async def close(self) -> None:
        """Ends the connection. The decoder is waited for in a thread, because aiortc would block the loop."""
        self.gone.set()
        self._meter.stop()
        if self.intake is not None:
            await self.intake.close()
        for receiver in self._connection.getReceivers():
            await _finish_decoding(receiver)
        try:
            await self._connection.close()
        except Exception as fault:  # half-made from an offer that made no sense
            _log.warning("a peer did not close cleanly: %s", type(fault).__name__)

    async def _negotiate(self, offer: CheckedOffer) -> str:
        video = self._connection.addTransceiver("video", direction="recvonly")
        video.setCodecPreferences(_preferred_codecs())
        await self._connection.setRemoteDescription(RTCSessionDescription(sdp=offer.sdp, type="offer"))
        for transceiver in self._connection.getTransceivers():
            if transceiver is not video:
                transceiver.direction = "inactive"  # no microphone is ever received
        await self._connection.setLocalDescription(await self._connection.createAnswer())
        return with_start_bitrate(self._connection.localDescription.sdp)

    def _on_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "video" and self.intake is None:
            self.intake = FrameIntake(track)

    def _on_channel(self, channel: RTCDataChannel) -> None:
        if channel.label != LABEL or self.guidance is not None:
            channel.close()
            self._strange_channels += 1
            if self._strange_channels > MAX_STRANGE_CHANNELS:
                self._give_up()
            return
        self.guidance = GuidanceChannel(channel, self._heard, self._give_up)
        channel.on("close", self.gone.set)
        self._on_state()

    def _heard(self, message: PhoneMessage) -> None:
        if message is PhoneMessage.CANCEL:
            self.cancelled = True
            self.gone.set()

    def _give_up(self) -> None:
        self.noisy = True
        self.gone.set()

    def _on_state(self) -> None:
        state = self._connection.connectionState
        if state in _ENDED:
            self.gone.set()
        elif state == "connected" and self.guidance is not None:
            if self._is_the_one_that_offered():
                self.ready.set()
            else:
                _log.error("a handshake showed another certificate than its offer")
                self._give_up()

    def _is_the_one_that_offered(self) -> bool:
        """aiortc has compared them already and would have failed; a check is worth a second look."""
        shown = [_certificate_of(each) for each in transports(self._connection)]
        return bool(shown) and all(each == self.fingerprint for each in shown)


def configuration(servers: Sequence[IceServer], relay_only: bool = False) -> RTCConfiguration:
    """An empty list, not None: aiortc's default would ask a public STUN server."""
    return RTCConfiguration(
        iceServers=[RTCIceServer(list(s.urls), s.username, s.credential) for s in servers],
        iceTransportPolicy=RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL,
    )


def _certificate_of(transport: Any) -> str | None:
    """SHA-256 of the certificate that the other end has shown; None before the handshake."""
    certificate = transport._ssl.get_peer_certificate(as_cryptography=True)
    if certificate is None:
        return None
    digest: bytes = certificate.fingerprint(hashes.SHA256())
    return digest.hex()


def _preferred_codecs() -> list[Any]:
    """VP8 first: at 10 % packet loss it still gives 20 frames a second where H.264 gives three."""
    capabilities = RTCRtpReceiver.getCapabilities("video")
    assert capabilities is not None
    return sorted(capabilities.codecs, key=lambda codec: codec.mimeType.lower() != "video/vp8")


async def _finish_decoding(receiver: RTCRtpReceiver) -> None:
    """Ends the decoder thread and waits for it elsewhere; aiortc's own join then returns at once."""
    thread = getattr(receiver, "_RTCRtpReceiver__decoder_thread", None)
    frames = getattr(receiver, "_RTCRtpReceiver__decoder_queue", None)
    if thread is not None and frames is not None:
        frames.put(None)
        await asyncio.to_thread(thread.join, DECODER_SECONDS)
