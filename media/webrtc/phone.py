"""The phone's end, for studio, demo, bench and tests: offers, sends frames, hears guidance."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import Any, Protocol

import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.mediastreams import MediaStreamError
from numpy.typing import NDArray

from media.webrtc.guidance import LABEL, parse
from media.webrtc.ice import IceServer
from media.webrtc.peer import configuration

FRAMES_PER_SECOND = 15
BITRATE = 1_400_000
"""Bits per second; what a phone's browser sends for 640 × 480 once it has started."""

_CLOCK = 90_000

#: What the server says, as the JSON object that it sent.
Guidance = Mapping[str, Any]


class FrameSource(Protocol):
    """What the camera sees. Called in one thread of its own, never twice at once."""

    def frame(self, t_ms: int) -> NDArray[np.uint8] | None:
        """(H, W, 3) BGR at `t_ms` since the camera was opened; H and W even. None: the camera ends."""


class PhonePeer:
    """One connection: `offer()`, carried to the server, `accept(answer)`, `result(seconds)`, `close()`.

    on_guidance is called in the event loop with every message of the server.
    """

    def __init__(
        self,
        source: FrameSource,
        on_guidance: Callable[[Guidance], None] | None = None,
        *,
        frames_per_second: float = FRAMES_PER_SECOND,
        servers: Sequence[IceServer] = (),
        relay_only: bool = False,
    ) -> None:
        settings = configuration(servers, relay_only)
        settings.bundlePolicy = RTCBundlePolicy.MAX_BUNDLE
        self._connection = RTCPeerConnection(settings)
        self._camera = _Camera(source, frames_per_second)
        self._on_guidance = on_guidance or (lambda _message: None)
        self._outcome: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self.opened = asyncio.Event()
        self.messages_heard = 0
        sending = self._connection.addTransceiver(self._camera, direction="sendonly")
        sending.setCodecPreferences(
            [c for c in RTCRtpSender.getCapabilities("video").codecs if "264" not in c.mimeType]
        )
        # aiortc would follow the receiver's first guess of 240 kbit/s, at which no document can be read.
        setattr(sending.sender, "_RTCRtpSender__encoder", _SteadyEncoder())  # noqa: B010
        # After the video: aiortc throws the transport of a bundle away whose first section came second.
        self._channel = self._connection.createDataChannel(LABEL)
        self._channel.on("open", self._on_open)
        self._channel.on("message", self._heard)
        self._channel.on("close", lambda: self._settle(None))
        self._connection.on("connectionstatechange", self._on_state)

    async def offer(self) -> str:
        """The SDP for the server, with all candidates."""
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return str(self._connection.localDescription.sdp)

    async def accept(self, answer: str) -> None:
        """The server's SDP; the connection is made in the background."""
        await self._connection.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))

    def send(self, message: Mapping[str, Any] | str) -> None:
        """Anything to the server, also what it must not understand."""
        self._channel.send(message if isinstance(message, str) else json.dumps(message))

    async def result(self, seconds: float) -> str | None:
        """The outcome that the server told; None: it closed without one. Raises TimeoutError."""
        return await asyncio.wait_for(asyncio.shield(self._outcome), seconds)

    @property
    def state(self) -> str:
        """The connection's state in WebRTC's words."""
        return str(self._connection.connectionState)

    async def close(self) -> None:
        self._settle(None)
        self._camera.stop()
        await self._connection.close()
        self._camera.close()

    def _on_open(self) -> None:
        self.opened.set()
        self.send({"type": "ready"})

    def _heard(self, data: str | bytes) -> None:
        message = parse(data)
        if message is None:
            return
        self.messages_heard += 1
        self._on_guidance(message)
        if message.get("type") == "result":
            self._settle(str(message.get("outcome")))

    def _on_state(self) -> None:
        if self.state in ("failed", "closed"):
            self._settle(None)

    def _settle(self, outcome: str | None) -> None:
        if not self._outcome.done():
            self._outcome.set_result(outcome)


class _Camera(MediaStreamTrack):
    """Asks its source for frames at an even pace, in its own thread, and never catches up with a slow one."""

    kind = "video"

    def __init__(self, source: FrameSource, frames_per_second: float) -> None:
        super().__init__()
        self._source = source
        self._interval = 1 / frames_per_second
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="camera")
        self._began: float | None = None
        self._due = 0.0

    async def recv(self) -> av.VideoFrame:
        if self.readyState != "live":
            raise MediaStreamError
        now = time.monotonic()
        if self._began is None:
            self._began = self._due = now
        await asyncio.sleep(max(0.0, self._due - now))
        self._due = max(self._due + self._interval, time.monotonic())
        t_ms = int((time.monotonic() - self._began) * 1000)
        frame = await asyncio.get_running_loop().run_in_executor(self._thread, self._draw, t_ms)
        if frame is None:
            self.stop()
            raise MediaStreamError
        return frame

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _draw(self, t_ms: int) -> av.VideoFrame | None:
        pixels = self._source.frame(t_ms)
        if pixels is None:
            return None
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="bgr24")
        frame = frame.reformat(format="yuv420p")
        frame.pts, frame.time_base = t_ms * _CLOCK // 1000, Fraction(1, _CLOCK)
        return frame


class _SteadyEncoder(Vp8Encoder):
    """Keeps its bitrate whatever the receiver estimates."""

    def __init__(self) -> None:
        super().__init__()
        self._Vp8Encoder__target_bitrate = BITRATE  # sizes the rate control's buffer

    @property
    def target_bitrate(self) -> int:
        return BITRATE

    @target_bitrate.setter
    def target_bitrate(self, bitrate: int) -> None:
        """The estimate is not followed."""
