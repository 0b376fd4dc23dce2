"""Resident identity card specimens, front and back, drawn at 20 pixels a millimetre (ID-1: 85.6 × 54 mm).

Fields lie where GA 448 cards have them, so that reading by template works. The emblem is replaced by a
rosette and a red 样本 SPECIMEN stands where no field is: nobody can take the drawing for a document.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from app.studio.applicant import Applicant
from app.studio.fonts import chinese
from app.studio.pixels import Image
from app.studio.portraits import Portrait, sit

SCALE = 20
WIDTH, HEIGHT = 1712, 1080
PORTRAIT_BOX = (1072, 162, 1592, 802)
"""x0, y0, x1, y1 of the portrait on the front: 26 × 32 mm."""
NAME_BOX = (300, 116, 700, 216)
"""x0, y0, x1, y1 around the name's value on the front."""

_LABEL = (48, 96, 160)
_INK = (28, 24, 22)
_MARK = (210, 40, 40)
_LEFT, _VALUE = 140, 310
_ADDRESS_CHARACTERS = 11
_ADDRESS_LINES = 3


def front(applicant: Applicant, portrait: Portrait) -> Image:
    """The side with the portrait, (1080, 1712, 3) uint8 BGR."""
    card = _ground((226, 234, 242), (238, 228, 234))
    card.paste(_portrait(portrait), PORTRAIT_BOX[:2])
    draw = ImageDraw.Draw(card)
    _field(draw, 192, "姓名", applicant.name, value_size=72)
    _field(draw, 320, "性别", applicant.sex_printed)
    _text(draw, (560, 320), "民族", 50, _LABEL)
    _text(draw, (690, 320), applicant.ethnicity, 60, _INK)
    _born(draw, applicant.born)
    _address(draw, applicant.address)
    _text(draw, (_LEFT, 944), "公民身份号码", 50, _LABEL)
    _spaced(draw, (560, 946), applicant.number, 76, 58)
    _text(draw, (1120, 126), "样本 SPECIMEN", 58, _MARK)
    _finish(draw)
    return _bgr(card)


def back(applicant: Applicant) -> Image:
    """The side with authority and validity, (1080, 1712, 3) uint8 BGR."""
    card = _ground((236, 226, 232), (224, 232, 240))
    draw = ImageDraw.Draw(card)
    _rosette(draw, (280, 270), 170)
    _spaced(draw, (560, 232), "中华人民共和国", 96, 140)
    _spaced(draw, (560, 452), "居民身份证", 142, 202)
    _text(draw, (640, 640), "样本 SPECIMEN", 64, _MARK)
    _text(draw, (360, 836), "签发机关", 54, _LABEL)
    _text(draw, (650, 836), applicant.authority, 62, _INK)
    _text(draw, (360, 950), "有效期限", 54, _LABEL)
    _text(draw, (650, 950), applicant.validity, 62, _INK)
    _finish(draw)
    return _bgr(card)


def _field(draw: ImageDraw.ImageDraw, baseline: int, label: str, value: str, value_size: int = 60) -> None:
    _text(draw, (_LEFT, baseline), label, 50, _LABEL)
    _text(draw, (_VALUE, baseline), value, value_size, _INK)


def _born(draw: ImageDraw.ImageDraw, born: date) -> None:
    baseline = 446
    _text(draw, (_LEFT, baseline), "出生", 50, _LABEL)
    for x, value, unit_x, unit in (
        (_VALUE, born.year, 480, "年"),
        (570, born.month, 660, "月"),
        (750, born.day, 840, "日"),
    ):
        _text(draw, (x, baseline), str(value), 60, _INK)
        _text(draw, (unit_x, baseline), unit, 50, _LABEL)


def _address(draw: ImageDraw.ImageDraw, address: str) -> None:
    _text(draw, (_LEFT, 586), "住址", 50, _LABEL)
    lines = [address[i : i + _ADDRESS_CHARACTERS] for i in range(0, len(address), _ADDRESS_CHARACTERS)]
    if len(lines) > _ADDRESS_LINES:
        raise ValueError("the address does not fit on the card")
    for row, line in enumerate(lines):
        _text(draw, (_VALUE, 586 + 84 * row), line, 60, _INK)


def _text(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int, rgb: tuple[int, int, int]
) -> None:
    """`at`: left end of the baseline."""
    draw.text(at, text, font=chinese(size), fill=rgb, anchor="ls")


def _spaced(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int, step: int) -> None:
    for place, character in enumerate(text):
        draw.text((at[0] + place * step, at[1]), character, font=chinese(size), fill=_INK, anchor="ls")


def _rosette(draw: ImageDraw.ImageDraw, centre: tuple[int, int], radius: int) -> None:
    x, y = centre
    for turn in range(24):
        angle = 2 * np.pi * turn / 24
        px, py = x + radius * np.cos(angle), y + radius * np.sin(angle)
        draw.ellipse((px - 26, py - 26, px + 26, py + 26), fill=(206, 92, 82))
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(214, 70, 62))
    draw.text(centre, "样", font=chinese(180), fill=(248, 214, 120), anchor="mm")


def _portrait(portrait: Portrait) -> Pillow.Image:
    x0, y0, x1, y1 = PORTRAIT_BOX
    picture = Pillow.fromarray(sit(portrait).id_portrait()[..., ::-1])
    return picture.resize((x1 - x0, y1 - y0), Pillow.Resampling.LANCZOS)


@lru_cache(maxsize=4)
def _guilloche(left: tuple[int, int, int], right: tuple[int, int, int]) -> Image:
    """Fine crossing waves on a gradient from `left` to `right` (RGB)."""
    x = np.linspace(0, 1, WIDTH, dtype=np.float32)[None, :, None]
    y = np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None, None]
    ground = np.array(left, np.float32) * (1 - x) + np.array(right, np.float32) * x
    waves = np.sin(150 * y + 9 * np.sin(7 * x)) + np.sin(190 * x + 11 * np.sin(5 * y))
    return np.asarray(np.clip(ground + 3.0 * waves, 0, 255), np.uint8)


def _ground(left: tuple[int, int, int], right: tuple[int, int, int]) -> Pillow.Image:
    return Pillow.fromarray(_guilloche(left, right).copy())


def _finish(draw: ImageDraw.ImageDraw) -> None:
    draw.rounded_rectangle((2, 2, WIDTH - 3, HEIGHT - 3), radius=64, outline=(168, 172, 180), width=4)


def _bgr(card: Pillow.Image) -> Image:
    return np.ascontiguousarray(np.asarray(card, np.uint8)[..., ::-1])
