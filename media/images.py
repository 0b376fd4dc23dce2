"""Safe decoding of photos that strangers send.

Pillow alone opens the bytes, from an allow-list of formats, and every limit is checked on the header before
a pixel is allocated. OpenCV only ever sees arrays. What comes out has no metadata: only pixels.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, field
from enum import StrEnum

import cv2
import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

MAX_BYTES = 12_000_000
"""Largest upload; the longest a body may be."""
MAX_PIXELS = {
    "JPEG": 50_000_000,
    "MPO": 50_000_000,
    "PNG": 25_000_000,
    "WEBP": 13_000_000,
    "HEIF": 25_000_000,
}
"""Per format, so that no decoder needs more than some 250 MB. JPEG shrinks while it decodes: a 48-megapixel
photo (8064 × 6048) is legal. WebP holds several copies. Phones write HEIC of up to 24 megapixels."""
MAX_PIXELS_PROGRESSIVE = 25_000_000
"""A progressive JPEG keeps six bytes of every pixel until it is whole, however small it is decoded."""
MAX_SIDE = 16_000
MIN_SIDE = 64
WORKING_SIDE = 2560
"""Longer side of what is kept, pixels. A card on a table still has some 1000 pixels across."""
DRAFT_SIDE = 2000
"""JPEG is decoded at 1/2, 1/4 or 1/8 as long as the longer side keeps this many pixels."""
JPEG_QUALITY = 90

_FORMATS = ("JPEG", "PNG", "WEBP")  # an MPO opens as the JPEG it begins with
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"})
_REDUCE_ABOVE = 8_000_000  # pixels
_STRIP = 256  # rows
_ORIENTATION = 0x0112
# Values 2 to 8 of the EXIF tag as (quarter turns counter-clockwise, mirror left-right afterwards).
_TURNS = {
    2: (0, True),
    3: (2, False),
    4: (2, True),
    5: (3, True),
    6: (3, False),
    7: (1, True),
    8: (1, False),
}

# Our own limit is stricter and is checked on the header; Pillow's warning would only add noise.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", module=r"PIL\..*")  # it describes broken files on stderr
ImageFile.LOAD_TRUNCATED_IMAGES = False


class ImageRefusal(StrEnum):
    """Why bytes are not a photo that can be used."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    UNSUPPORTED_FORMAT = "unsupported_format"
    UNREADABLE = "unreadable"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    ANIMATED = "animated"


@dataclass(frozen=True, eq=False)
class Photo:
    """A decoded photo: `pixels` is (H, W, 3) uint8 BGR, contiguous, upright, longer side ≤ WORKING_SIDE."""

    pixels: NDArray[np.uint8] = field(repr=False)

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])


def decode(data: bytes) -> Photo | ImageRefusal:
    """Decode JPEG, PNG, WebP or HEIC. Anything that is not a whole, still, legal photo is a refusal.

    A JPEG with further pictures behind the first (MPO, gain maps of phones) and a HEIC collection give their
    primary picture; animated PNG and WebP are refused. Transparency is laid on white.
    """
    if not data:
        return ImageRefusal.EMPTY
    if len(data) > MAX_BYTES:
        return ImageRefusal.TOO_LARGE
    decoded = _decode_heif(data) if _is_heif(data) else _decode_pillow(data)
    if isinstance(decoded, ImageRefusal):
        return decoded
    return Photo(np.ascontiguousarray(_shrunk(decoded)))


def encode_jpeg(photo: Photo) -> bytes:
    """The pixels as a JPEG without any metadata: what is kept as evidence."""
    done, buffer = cv2.imencode(".jpg", photo.pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError("the photo cannot be encoded")
    return bytes(buffer)


def _size_refusal(image_format: str | None, width: int, height: int) -> ImageRefusal | None:
    if min(width, height) < MIN_SIDE:
        return ImageRefusal.TOO_SMALL
    if width * height > MAX_PIXELS[image_format or "WEBP"] or max(width, height) > MAX_SIDE:
        return ImageRefusal.TOO_MANY_PIXELS
    return None


def _decode_pillow(data: bytes) -> NDArray[np.uint8] | ImageRefusal:
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            refusal = _size_refusal(image.format, *image.size)
            if refusal is not None:
                return refusal
            if "progressive" in image.info and image.width * image.height > MAX_PIXELS_PROGRESSIVE:
                return ImageRefusal.TOO_MANY_PIXELS
            if image.format in ("PNG", "WEBP") and getattr(image, "is_animated", False):
                return ImageRefusal.ANIMATED
            if image.format in ("JPEG", "MPO"):
                image.draft(None, _draft_size(image.size))
            turn = _orientation(image)
            image.load()
            return _turned(_bgr(_reduced(_unpacked(image))), turn)
    except UnidentifiedImageError:
        return ImageRefusal.UNSUPPORTED_FORMAT if not _looks_supported(data) else ImageRefusal.UNREADABLE
    except Image.DecompressionBombError:
        return ImageRefusal.TOO_MANY_PIXELS
    except Exception:
        # Pillow's plugins raise OSError, SyntaxError, ValueError, struct.error and others on hostile bytes;
        # whichever it is, these bytes are not a photo.
        return ImageRefusal.UNREADABLE


def _draft_size(size: tuple[int, int]) -> tuple[int, int]:
    longer = max(size)
    ratio = min(1.0, DRAFT_SIDE / longer)
    return max(1, int(size[0] * ratio)), max(1, int(size[1] * ratio))


def _unpacked(image: Image.Image) -> Image.Image:
    # Palettes, bit masks and 16 bits cannot be averaged; make them RGB, RGBA or grey first.
    if image.mode in ("P", "PA"):
        return image.convert("RGBA" if image.mode == "PA" or "transparency" in image.info else "RGB")
    if image.mode.startswith("I"):
        return _eight_bits(image)
    return image.convert("L") if image.mode == "1" else image


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey as 8-bit grey, strip by strip: arrays of the whole picture would need 250 MB."""
    grey = np.empty((image.height, image.width), np.uint8)
    for top in range(0, image.height, _STRIP):
        strip = image.crop((0, top, image.width, min(top + _STRIP, image.height)))
        grey[top : top + _STRIP] = np.asarray(strip) >> 8
    return Image.fromarray(grey)


def _reduced(image: Image.Image) -> Image.Image:
    # Box reduction by a whole number, before any conversion, keeps the peak memory of large pictures down.
    if image.width * image.height < _REDUCE_ABOVE:
        return image
    return image.reduce(max(1, -(-max(image.size) // WORKING_SIDE)))


def _bgr(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode in ("LA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        above = image.convert("RGBA")
        below = Image.new("RGBA", above.size, (255, 255, 255, 255))
        image = Image.alpha_composite(below, above)
    rgb = image if image.mode == "RGB" else image.convert("RGB")
    return np.asarray(rgb)[:, :, ::-1]


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # broken EXIF: the pixels may still be good, and are taken as they stand
        return 1


def _turned(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    turns, mirror = _TURNS.get(orientation, (0, False))
    turned = np.rot90(pixels, turns)
    return turned[:, ::-1] if mirror else turned


def _shrunk(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    ratio = WORKING_SIDE / max(height, width)
    if ratio >= 1.0:
        return pixels
    size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA), np.uint8)


def _is_heif(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS


def _looks_supported(data: bytes) -> bool:
    return data.startswith((b"\xff\xd8", b"\x89PNG\r\n\x1a\n")) or (
        data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    )


def _decode_heif(data: bytes) -> NDArray[np.uint8] | ImageRefusal:
    try:
        heif = pi_heif.open_heif(data, convert_hdr_to_8bit=True, bgr_mode=True)
        refusal = _size_refusal("HEIF", *heif.size)
        if refusal is not None:
            return refusal
        # The array is a view of memory that libheif frees together with `heif`: shrink and copy before that.
        return _opaque(_shrunk(np.asarray(heif))).copy()
    except Exception:  # libheif's binding raises SyntaxError, RuntimeError and others on hostile bytes
        return ImageRefusal.UNREADABLE


def _opaque(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey, BGR, or either with alpha, as (H, W, 3) on white."""
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    if pixels.shape[2] in (2, 4):
        alpha = pixels[:, :, -1:].astype(np.uint16)
        colour = pixels[:, :, :-1].astype(np.uint16)
        pixels = ((colour * alpha + 255 * (255 - alpha)) // 255).astype(np.uint8)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
