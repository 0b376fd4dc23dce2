"""Limits that hold without a connection: decoders, credentials, pace, the clip."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.jitterbuffer import JitterFrame

from media.webrtc import ClipWriter, IceSettings, ReceivedFrame
from media.webrtc import clip as clip_module
from media.webrtc.decoders import MAX_ENCODED_BYTES, MAX_PIXELS, BoundedVp8Decoder, vp8_pixels
from media.webrtc.pace import Bucket
from tests.media.webrtc.people import Image, picture


def _vp8(width: int, height: int) -> bytes:
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = Fraction(1, 30)
    frame = av.VideoFrame.from_ndarray(picture(90, (width, height)), format="bgr24").reformat(
        format="yuv420p"
    )
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    return b"".join(bytes(packet) for packet in packets)


def test_an_ordinary_key_frame_is_decoded() -> None:
    data = _vp8(320, 240)
    assert vp8_pixels(data) == 320 * 240
    (frame,) = BoundedVp8Decoder().decode(JitterFrame(data=data, timestamp=0))
    assert (frame.width, frame.height) == (320, 240)


def test_a_key_frame_that_claims_a_huge_picture_is_not_decoded() -> None:
    data = bytearray(_vp8(320, 240))
    data[6:10] = (16383).to_bytes(2, "little") * 2
    assert vp8_pixels(bytes(data)) > MAX_PIXELS
    assert BoundedVp8Decoder().decode(JitterFrame(data=bytes(data), timestamp=0)) == []


def test_a_frame_of_too_many_bytes_is_not_decoded() -> None:
    data = _vp8(320, 240) + bytes(MAX_ENCODED_BYTES)
    assert BoundedVp8Decoder().decode(JitterFrame(data=data, timestamp=0)) == []


def test_turn_credentials_are_those_of_the_rest_convention() -> None:
    settings = IceSettings(("stun:stun.example",), ("turn:turn.example",), b"s3cr3t")
    stun, turn = settings.servers("chk_1", datetime(2026, 1, 1, tzinfo=UTC), 600)
    assert stun.as_json() == {"urls": ["stun:stun.example"]}
    assert turn.username == "1767226200:chk_1"
    assert turn.credential == "oIa/e3mnUTiJy4f6iRRfTF4LQF4="
    assert turn.credential not in repr(turn)
    assert "s3cr3t" not in repr(settings)


def test_turn_without_its_secret_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="secret"):
        IceSettings(turn_urls=("turn:turn.example",))


def test_a_bucket_allows_a_burst_and_then_its_pace() -> None:
    bucket = Bucket(per_second=2, burst=3)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(0.5), bucket.take(0.5)] == [True, False]
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]


def _received(bgr: Image, t_ms: int) -> ReceivedFrame:
    frame = av.VideoFrame.from_ndarray(bgr, format="bgr24").reformat(format="yuv420p")
    return ReceivedFrame(1, t_ms, frame.width, frame.height, frame)


def _frames_of(clip: bytes) -> list[av.VideoFrame]:
    with av.open(io.BytesIO(clip), "r") as container:
        return list(container.decode(video=0))


def test_a_clip_keeps_its_pace_and_size() -> None:
    writer = ClipWriter()
    for t_ms in range(1_000, 4_000, 66):
        writer.add(_received(picture(90, (1280, 720), noise=9), t_ms))
    clip = writer.finish()
    assert clip is not None
    frames = _frames_of(clip)
    assert 10 <= len(frames) <= 13
    assert (frames[0].width, frames[0].height) == (480, 270)
    assert frames[0].time == 0.0


def test_a_clip_ends_at_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_module, "MAX_SECONDS", 2)
    writer = ClipWriter()
    for t_ms in range(0, 10_000, 250):
        writer.add(_received(picture(90), t_ms))
    clip = writer.finish()
    assert clip is not None
    assert len(_frames_of(clip)) == 9
    monkeypatch.setattr(clip_module, "MAX_BYTES", 10_000)
    noisy = ClipWriter()
    for t_ms in range(0, 2_000, 250):
        noisy.add(_received(np.random.default_rng(t_ms).integers(0, 256, (480, 640, 3), np.uint8), t_ms))
    bounded = noisy.finish()
    assert bounded is not None
    assert len(_frames_of(bounded)) == 1


def test_no_frame_makes_no_clip() -> None:
    assert ClipWriter().finish() is None
