"""The card that a SIM is mailed in: ICCID as Code 128 and in digits, QR code that opens activation."""

from __future__ import annotations

import io

import cv2
import numpy as np
import segno
import zxingcpp
from PIL import Image as Pillow
from PIL import ImageDraw

from activation.ids import Iccid, luhn_check_digit
from app.studio.fonts import chinese
from app.studio.pixels import Image

WIDTH, HEIGHT = 1712, 1080
_BAR_MODULE = 9
_BAR_HEIGHT = 220
_INK = (30, 30, 34)


def fictional_iccid(seed: int) -> Iccid:
    """An ICCID of country code 999, which ITU-T E.164 keeps for no network: 20 digits with Luhn."""
    digits = f"89999{seed % 10**14:014d}"
    return Iccid(digits + luhn_check_digit(digits))


def draw_sim_carrier(iccid: Iccid, activation_url: str | None = None) -> Image:
    """The printed carrier, (1080, 1712, 3) uint8 BGR; with a QR code where there is an `activation_url`."""
    card = Pillow.new("RGB", (WIDTH, HEIGHT), (250, 250, 247))
    draw = ImageDraw.Draw(card)
    draw.rectangle((0, 0, WIDTH, 130), fill=(22, 110, 118))
    draw.text((80, 92), "KAIKA 开卡  SIM", font=chinese(72), fill=(255, 255, 255), anchor="ls")
    _sim(draw, (120, 220))
    if activation_url is not None:
        card.paste(_qr(activation_url), (1240, 180))
    bars = Pillow.fromarray(_code128(iccid))
    card.paste(bars, ((WIDTH - bars.width) // 2, 640))
    grouped = " ".join(iccid[i : i + 4] for i in range(0, len(iccid), 4))
    draw.text((WIDTH // 2, 960), f"ICCID {grouped}", font=chinese(88), fill=_INK, anchor="ms")
    return np.ascontiguousarray(np.asarray(card, np.uint8)[..., ::-1])


def _code128(text: str) -> Image:
    """Bars with quiet zones, (220, n) uint8 grey."""
    barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128)
    row = np.asarray(barcode.to_image(scale=1, add_hrt=False, add_quiet_zones=True), np.uint8)
    bars = row[row.shape[0] // 2 : row.shape[0] // 2 + 1]
    size = (bars.shape[1] * _BAR_MODULE, _BAR_HEIGHT)
    return np.asarray(cv2.resize(bars, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def _qr(url: str) -> Pillow.Image:
    drawn = io.BytesIO()
    segno.make(url, error="m").save(drawn, kind="png", scale=12, border=3)
    return Pillow.open(drawn).convert("RGB").resize((400, 400), Pillow.Resampling.NEAREST)


def _sim(draw: ImageDraw.ImageDraw, at: tuple[int, int]) -> None:
    """The SIM in its frame, with the eight contacts of ISO 7816-2."""
    x, y = at
    draw.rounded_rectangle((x, y, x + 300, y + 340), radius=24, fill=(236, 236, 232), outline=_INK, width=4)
    draw.rounded_rectangle((x + 60, y + 80, x + 240, y + 260), radius=20, fill=(214, 178, 92))
    for row in range(1, 4):
        draw.line((x + 60, y + 80 + 45 * row, x + 240, y + 80 + 45 * row), fill=(150, 118, 50), width=4)
    draw.line((x + 150, y + 80, x + 150, y + 260), fill=(150, 118, 50), width=4)
