"""The answer's text: a start bitrate, so that the picture is large enough from the first frame.

aiortc's bandwidth estimate starts near 240 kbit/s, at which Chromium shrinks 640 × 480 to 480 × 360 or
less. `x-google-start-bitrate` in the receiver's fmtp overrules the start.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

START_KBPS = 1500
LEAST_KBPS = 800
MOST_KBPS = 2500

_BITRATES = (
    f"x-google-start-bitrate={START_KBPS};x-google-min-bitrate={LEAST_KBPS};x-google-max-bitrate={MOST_KBPS}"
)
_CODEC = re.compile(r"a=rtpmap:(\d+) (VP8|H264)/90000")


def with_start_bitrate(sdp: str) -> str:
    """The same answer with the bitrates in the fmtp line of each video codec, and the most that is taken."""
    lines = sdp.split("\r\n")
    codecs = {match[1] for line in lines if (match := _CODEC.fullmatch(line))}
    having = {line.split(" ", 1)[0].removeprefix("a=fmtp:") for line in lines if line.startswith("a=fmtp:")}
    return "\r\n".join(_rewritten(line, codecs, having) for line in _limited(lines))


def _limited(lines: list[str]) -> Iterator[str]:
    """`b=` lines (RFC 8866, section 5.8; RFC 3890) after the connection line of the video section."""
    in_video = False
    for line in lines:
        if line.startswith("m="):
            in_video = line.startswith("m=video")
        yield line
        if in_video and line.startswith("c="):
            yield f"b=AS:{MOST_KBPS}"
            yield f"b=TIAS:{MOST_KBPS * 1000}"


def _rewritten(line: str, codecs: set[str], having: set[str]) -> str:
    if line.startswith("a=fmtp:") and line.split(" ", 1)[0].removeprefix("a=fmtp:") in codecs:
        return f"{line};{_BITRATES}"
    match = _CODEC.fullmatch(line)
    if match and match[1] not in having:
        return f"{line}\r\na=fmtp:{match[1]} {_BITRATES}"
    return line
