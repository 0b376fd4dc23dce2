"""A short clip of the check as evidence: VP8 in WebM, encoded on the way, bounded in time and size."""

from __future__ import annotations

import io
from fractions import Fraction

import av
from av.error import FFmpegError

from media.webrtc.intake import ReceivedFrame

MEDIA_TYPE = "video/webm"
MAX_SECONDS = 90
MAX_BYTES = 6_000_000
FRAMES_PER_SECOND = 4
_SIDE = 480
"""Enough to see what went on; the keyframes beside it have the stream's own size."""
_BITRATE = 250_000
_MS = Fraction(1, 1000)


class ClipWriter:
    """Takes frames in the order of their time and gives one clip. Not for two threads at once."""

    def __init__(self) -> None:
        self._file = io.BytesIO()
        self._container = av.open(self._file, "w", format="webm")
        self._stream: av.VideoStream | None = None
        self._first_ms = 0
        self._next_ms = 0
        self._bytes = 0

    def add(self, frame: ReceivedFrame) -> None:
        """One frame. Left out: those between two frames of the clip and beyond its bounds."""
        t_ms = frame.t_ms
        if self._stream is None:
            self._begin(frame)
        if t_ms < self._next_ms or t_ms - self._first_ms > MAX_SECONDS * 1000:
            return
        if self._bytes > MAX_BYTES:
            return
        self._next_ms = t_ms + 1000 // FRAMES_PER_SECOND
        self._encode(frame, t_ms - self._first_ms)

    def finish(self) -> bytes | None:
        """The clip, once; None where there was no frame or it could not be written."""
        if self._stream is None:
            return None
        try:
            for packet in self._stream.encode(None):
                self._container.mux(packet)
            self._container.close()
        except FFmpegError:
            return None
        return self._file.getvalue()

    def _begin(self, frame: ReceivedFrame) -> None:
        width, height = frame.width, frame.height
        scale = min(1.0, _SIDE / max(width, height))
        stream = self._container.add_stream("libvpx", rate=FRAMES_PER_SECOND)
        stream.width = max(2, int(width * scale) // 2 * 2)
        stream.height = max(2, int(height * scale) // 2 * 2)
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = _BITRATE
        stream.codec_context.time_base = _MS
        stream.codec_context.thread_count = 1
        stream.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
        self._stream = stream
        self._first_ms = self._next_ms = frame.t_ms

    def _encode(self, frame: ReceivedFrame, pts: int) -> None:
        assert self._stream is not None
        picture = frame.resized(self._stream.width, self._stream.height)
        picture.pts, picture.time_base = pts, _MS
        for packet in self._stream.encode(picture):
            self._bytes += packet.size
            self._container.mux(packet)
