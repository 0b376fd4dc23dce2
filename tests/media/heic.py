"""A real HEIC file: one HEVC picture by x265 (inside PyAV's wheel) in the boxes of ISO/IEC 23008-12."""

from __future__ import annotations

import re
import struct
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

_PARAMETER_SETS = (32, 33, 34)


def heic(rgb: NDArray[np.uint8], quarter_turns: int = 0) -> bytes:
    """`rgb` (H, W, 3), even sides, as a HEIC file to be shown turned counter-clockwise so many times."""
    height, width = rgb.shape[:2]
    config, picture = _encoded(rgb)
    properties = [_box("hvcC", config), _box("ispe", bytes(4), struct.pack(">II", width, height))]
    if quarter_turns:
        properties.append(_box("irot", bytes([quarter_turns])))
    used = bytes([len(properties)]) + bytes(0x80 | index for index in range(1, len(properties) + 1))
    associations = _box("ipma", struct.pack(">IIH", 0, 1, 1), used)
    handler = _box("hdlr", struct.pack(">II4s12x", 0, 0, b"pict"), b"\0")
    primary = _box("pitm", struct.pack(">IH", 0, 1))
    entry = _box("infe", struct.pack(">IHH4s", 0x02000000, 1, 0, b"hvc1"), b"\0")
    items = _box("iinf", struct.pack(">IH", 0, 1), entry)
    kind = _box("ftyp", b"heic", bytes(4), b"mif1heic")

    def meta(offset: int) -> bytes:
        place = struct.pack(">IHHHHHII", 0, 0x4400, 1, 1, 0, 1, offset, len(picture))
        container = _box("ipco", *properties)
        return _box(
            "meta",
            bytes(4),
            handler,
            primary,
            _box("iloc", place),
            items,
            _box("iprp", container, associations),
        )

    return kind + meta(len(kind) + len(meta(0)) + 8) + _box("mdat", picture)


def _box(name: str, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", len(body) + 8) + name.encode() + body


def _encoded(rgb: NDArray[np.uint8]) -> tuple[bytes, bytes]:
    """The decoder's configuration (hvcC of ISO/IEC 14496-15) and the picture, each unit with its length."""
    units = _units(rgb)
    sets = [[unit for unit in units if _kind(unit) == kind] for kind in _PARAMETER_SETS]
    profile = sets[1][0].replace(b"\0\0\3", b"\0\0")[3:15]  # profile, tier and level out of the SPS
    fixed = bytes.fromhex("f000fcfdf8f80000") + bytes([0x0F, len(_PARAMETER_SETS)])
    arrays = b"".join(
        struct.pack(">BHH", 0x80 | kind, 1, len(found[0])) + found[0]
        for kind, found in zip(_PARAMETER_SETS, sets, strict=True)
    )
    picture = b"".join(struct.pack(">I", len(unit)) + unit for unit in units if _kind(unit) < 32)
    return b"\1" + profile + fixed + arrays, picture


def _units(rgb: NDArray[np.uint8]) -> list[bytes]:
    """NAL units of one HEVC picture."""
    codec = av.CodecContext.create("libx265", "w")
    codec.width, codec.height, codec.pix_fmt = rgb.shape[1], rgb.shape[0], "yuv420p"
    codec.time_base = Fraction(1, 25)
    codec.options = {"x265-params": "log-level=none:info=0:repeat-headers=1", "crf": "10"}
    packets = [*codec.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")), *codec.encode(None)]
    stream = b"".join(bytes(packet) for packet in packets)
    return [unit.rstrip(b"\0") for unit in re.split(b"\0\0\1", stream) if unit.strip(b"\0")]


def _kind(unit: bytes) -> int:
    return unit[0] >> 1 & 63
