"""Decoders that refuse pictures of a size no phone is asked for, before any memory is taken for them.

A key frame of a few bytes may claim 16383 × 16383 pixels, some 400 MB. aiortc has no hook for limits, so
the function with which its receiver opens a decoder is replaced by one that opens these.
"""

from __future__ import annotations

from typing import Any

import aiortc.rtcrtpreceiver
from aiortc.codecs import get_decoder as aiortc_decoder
from aiortc.codecs.base import Decoder
from aiortc.codecs.h264 import H264Decoder
from aiortc.codecs.vpx import Vp8Decoder
from aiortc.jitterbuffer import JitterFrame

MAX_PIXELS = 1920 * 1088
MAX_ENCODED_BYTES = 1_000_000
"""Of one frame; a 640 × 480 key frame has some 60 thousand."""

_VP8_KEY_FRAME_HEADER = 10  # RFC 6386, section 9.1
_VP8_START_CODE = b"\x9d\x01\x2a"


class BoundedVp8Decoder(Vp8Decoder):
    def decode(self, encoded_frame: JitterFrame) -> list[Any]:
        data = encoded_frame.data
        if len(data) > MAX_ENCODED_BYTES or vp8_pixels(data) > MAX_PIXELS:
            return []
        return super().decode(encoded_frame)


class BoundedH264Decoder(H264Decoder):
    def __init__(self) -> None:
        super().__init__()
        # libavcodec compares each sequence header with this before it allocates.
        self.codec.options = {"max_pixels": str(MAX_PIXELS)}

    def decode(self, encoded_frame: JitterFrame) -> list[Any]:
        return [] if len(encoded_frame.data) > MAX_ENCODED_BYTES else super().decode(encoded_frame)


def vp8_pixels(data: bytes) -> int:
    """Pixels that a VP8 frame claims; 0 for a frame between key frames, which keeps the former size."""
    if len(data) < _VP8_KEY_FRAME_HEADER or data[0] & 1 or data[3:6] != _VP8_START_CODE:
        return 0
    width = int.from_bytes(data[6:8], "little") & 0x3FFF
    height = int.from_bytes(data[8:10], "little") & 0x3FFF
    return width * height


def _bounded(codec: Any) -> Decoder:
    match codec.mimeType.lower():
        case "video/vp8":
            return BoundedVp8Decoder()
        case "video/h264":
            return BoundedH264Decoder()
        case _:
            return aiortc_decoder(codec)


def bound_decoders() -> None:
    """From now on every receiver of this process decodes within the limits."""
    setattr(aiortc.rtcrtpreceiver, "get_decoder", _bounded)  # noqa: B010
