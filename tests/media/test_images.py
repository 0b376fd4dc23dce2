"""Decoding: every allowed form comes out upright and alike, everything else is a refusal, no exception."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from media.images import MAX_BYTES, WORKING_SIDE, ImageRefusal, Photo, decode, encode_jpeg
from tests.media.heic import heic

RED, GREEN, BLUE, WHITE = (200, 30, 40), (20, 160, 60), (30, 50, 210), (255, 255, 255)


def quarters(width: int = 320, height: int = 200) -> Image.Image:
    """Red, green / blue, white: tells every orientation from every other."""
    picture = Image.new("RGB", (width, height), WHITE)
    picture.paste(RED, (0, 0, width // 2, height // 2))
    picture.paste(GREEN, (width // 2, 0, width, height // 2))
    picture.paste(BLUE, (0, height // 2, width // 2, height))
    return picture


def saved(picture: Image.Image, image_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, image_format, **options)
    return file.getvalue()


def corners(photo: Photo | ImageRefusal) -> list[tuple[int, ...]]:
    """RGB in the middle of each quarter: upper left, upper right, lower left, lower right."""
    assert isinstance(photo, Photo)
    pixels: NDArray[np.uint8] = photo.pixels
    height, width = pixels.shape[:2]
    places = ((1, 1), (1, 3), (3, 1), (3, 3))
    return [tuple(int(v) for v in pixels[height * y // 4, width * x // 4, ::-1]) for y, x in places]


def assert_quarters(photo: Photo | ImageRefusal) -> None:
    for seen, wanted in zip(corners(photo), (RED, GREEN, BLUE, WHITE), strict=True):
        assert max(abs(a - b) for a, b in zip(seen, wanted, strict=True)) < 14


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
def test_allowed_formats(image_format: str) -> None:
    photo = decode(saved(quarters(), image_format))
    assert_quarters(photo)
    assert isinstance(photo, Photo)
    assert (photo.width, photo.height) == (320, 200)
    assert photo.pixels.flags.c_contiguous


def test_heic() -> None:
    assert_quarters(decode(heic(np.asarray(quarters()))))


@pytest.mark.parametrize("size", [(322, 202), (130, 64), (3000, 2000)])
def test_heic_of_any_size(size: tuple[int, int]) -> None:
    assert_quarters(decode(heic(np.asarray(quarters(*size)))))


def test_heic_is_turned_as_its_file_says() -> None:
    assert_quarters(decode(heic(np.rot90(np.asarray(quarters()), 1).copy(), quarter_turns=3)))


def test_heic_cut_off() -> None:
    data = heic(np.asarray(quarters()))
    assert decode(data[: len(data) // 2]) is ImageRefusal.UNREADABLE


_STORED_FOR = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", sorted(_STORED_FOR))
def test_orientation_of_exif_is_applied(image_format: str, orientation: int) -> None:
    how = _STORED_FOR[orientation]
    stored = quarters() if how is None else quarters().transpose(how)
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert_quarters(decode(saved(stored, image_format, exif=exif)))


def test_metadata_is_gone() -> None:
    exif = Image.Exif()
    exif[0x010E] = "where the applicant lives"
    photo = decode(saved(quarters(), "JPEG", exif=exif, comment=b"where the applicant lives"))
    assert isinstance(photo, Photo)
    kept = encode_jpeg(photo)
    assert b"lives" not in kept
    assert b"Exif" not in kept
    assert_quarters(decode(kept))


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr"])
def test_colour_spaces_of_jpeg(mode: str) -> None:
    assert_quarters(decode(saved(quarters().convert(mode), "JPEG")))


@pytest.mark.parametrize("mode", ["P", "RGBA"])
def test_colour_modes_of_png(mode: str) -> None:
    assert_quarters(decode(saved(quarters().convert(mode, palette=Image.Palette.ADAPTIVE), "PNG")))


@pytest.mark.parametrize("mode", ["L", "LA", "1", "I;16"])
def test_grey_modes_of_png(mode: str) -> None:
    ramp = np.tile(np.linspace(0, 255, 256, dtype=np.uint8), (600, 1))
    wide = Image.fromarray(ramp.astype(np.uint16) * 257)
    picture = wide if mode == "I;16" else Image.fromarray(ramp).convert(mode)
    photo = decode(saved(picture, "PNG"))
    assert isinstance(photo, Photo)
    assert photo.pixels.shape == (600, 256, 3)
    assert photo.pixels[:, 2].max() < 10
    assert photo.pixels[:, 253].min() > 245


def test_transparency_is_laid_on_white() -> None:
    photo = decode(saved(Image.new("RGBA", (100, 100), (0, 0, 0, 0)), "PNG"))
    assert isinstance(photo, Photo)
    assert photo.pixels.min() == 255


def test_several_pictures_in_one_jpeg_give_the_first() -> None:
    file = io.BytesIO()
    quarters().save(file, "MPO", save_all=True, append_images=[Image.new("RGB", (320, 200))])
    assert_quarters(decode(file.getvalue()))


@pytest.mark.parametrize("image_format", ["PNG", "WEBP"])
def test_animations_are_refused(image_format: str) -> None:
    moving = saved(
        quarters(), image_format, save_all=True, append_images=[Image.new("RGB", (320, 200))], duration=100
    )
    assert decode(moving) is ImageRefusal.ANIMATED


@pytest.mark.parametrize("image_format", ["GIF", "BMP", "TIFF", "PPM", "ICO", "TGA"])
def test_other_formats_are_refused(image_format: str) -> None:
    assert decode(saved(quarters(), image_format)) is ImageRefusal.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_truncated_files_are_refused(image_format: str, kept: float) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    data = saved(Image.fromarray(noise), image_format)
    assert decode(data[: int(len(data) * kept)]) is ImageRefusal.UNREADABLE


def test_empty_and_oversized_bodies() -> None:
    assert decode(b"") is ImageRefusal.EMPTY
    assert decode(bytes(MAX_BYTES + 1)) is ImageRefusal.TOO_LARGE
    assert decode(b"<html>") is ImageRefusal.UNSUPPORTED_FORMAT


def test_too_small() -> None:
    assert decode(saved(quarters(63, 200), "PNG")) is ImageRefusal.TOO_SMALL


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [10_000, 50_000, 2_000_000_000])
def test_bombs_are_refused_by_their_header(side: int) -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10_000_000)))
    assert decode(bomb) is ImageRefusal.TOO_MANY_PIXELS


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_200_megapixels_of_jpeg_are_refused() -> None:
    assert decode(saved(Image.new("L", (16_384, 12_288)), "JPEG")) is ImageRefusal.TOO_MANY_PIXELS


def test_large_progressive_jpegs_are_refused_by_their_header() -> None:
    """They cost 300 MB more than others of their size."""
    large = Image.new("L", (6400, 4800))
    assert decode(saved(large, "JPEG", progressive=True)) is ImageRefusal.TOO_MANY_PIXELS
    assert isinstance(decode(saved(large, "JPEG")), Photo)
    assert isinstance(decode(saved(large.resize((3200, 2400)), "JPEG", progressive=True)), Photo)


def test_a_large_phone_photo_is_shrunk_while_it_is_decoded() -> None:
    photo = decode(saved(quarters(8064, 6048), "JPEG"))
    assert_quarters(photo)
    assert isinstance(photo, Photo)
    assert max(photo.width, photo.height) <= WORKING_SIDE


def test_nothing_of_a_person_in_a_repr() -> None:
    assert repr(Photo(np.zeros((2, 2, 3), np.uint8))) == "Photo()"


_SEEDS = [saved(quarters(64, 64), each) for each in ("JPEG", "PNG", "WEBP")] + [heic(np.asarray(quarters()))]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(_SEEDS), st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=12))
def test_flipped_bytes_never_raise(data: bytes, flips: list[tuple[int, int]]) -> None:
    broken = bytearray(data)
    for place, value in flips:
        broken[place % len(broken)] = value
    assert isinstance(decode(bytes(broken)), Photo | ImageRefusal)
