"""The courier's photo: decoded safely, its face embedded, compared only with what the same model embedded."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from activation.evidence import FaceSource, ModelRef
from media.door_photos import MAX_CALLS, DoorPhoto, DoorPhotos, PhotosBusy
from media.faces import Face
from media.images import ImageRefusal

MODEL = ModelRef("scripted", "1", "0" * 64)
ONE = np.array([1.0, 0.0], dtype=np.float32)


class Finder:
    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()

    def find(self, bgr: NDArray[np.uint8]) -> list[Face]:
        self.gate.wait()
        return [Face(np.zeros((478, 3), dtype=np.float32))] if bgr.any() else []

    def close(self) -> None:
        pass


class Recogniser:
    model = MODEL

    def embed(self, bgr: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
        return ONE


def picture(colour: str = "white", kind: str = "JPEG") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (120, 160), colour).save(written, kind)
    return written.getvalue()


@pytest.fixture
def finder() -> Finder:
    return Finder()


@pytest.fixture
def photos(finder: Finder) -> Iterator[DoorPhotos]:
    opened = DoorPhotos(lambda: (finder, Recogniser()))
    yield opened
    finder.gate.set()
    opened.close()


async def measured(photos: DoorPhotos, data: bytes) -> DoorPhoto:
    found = await photos.measure(data, True)
    assert isinstance(found, DoorPhoto)
    return found


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_a_face_is_embedded_and_the_picture_encoded_anew(photos: DoorPhotos, kind: str) -> None:
    photo = await measured(photos, picture(kind=kind))
    assert photo.jpeg.startswith(b"\xff\xd8")
    assert photo.embedding is ONE
    assert "255" not in repr(photo)


async def test_no_face_is_no_comparison(photos: DoorPhotos) -> None:
    photo = await measured(photos, picture("black"))
    assert photo.embedding is None
    assert photo.compared_with(ONE, MODEL) == ()


async def test_without_consent_nobody_looks_for_a_face() -> None:
    """R9.4: neither model is even opened."""

    def open_engines() -> Any:
        raise AssertionError("a model was opened")

    opened = DoorPhotos(open_engines)
    photo = await opened.measure(picture(kind="PNG"), False)
    opened.close()
    assert isinstance(photo, DoorPhoto)
    assert photo.jpeg.startswith(b"\xff\xd8")
    assert (photo.embedding, photo.model) == (None, None)
    assert photo.compared_with(ONE, MODEL) == ()


async def test_comparisons_need_the_same_model(photos: DoorPhotos) -> None:
    photo = await measured(photos, picture())
    (compared,) = photo.compared_with(np.array([0.0, 1.0], dtype=np.float32), MODEL)
    assert (compared.left, compared.right) == (FaceSource.COURIER_PHOTO, FaceSource.FRONT_PORTRAIT)
    assert (compared.similarity, compared.model) == (0.0, MODEL)
    assert photo.compared_with(ONE, ModelRef("other", "1", "0" * 64)) == ()
    assert photo.compared_with(np.ones(3, dtype=np.float32), MODEL) == ()


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"", ImageRefusal.EMPTY),
        (b"no picture at all", ImageRefusal.UNSUPPORTED_FORMAT),
        (picture()[:200], ImageRefusal.UNREADABLE),
    ],
)
async def test_what_is_no_picture_is_refused(photos: DoorPhotos, data: bytes, refusal: ImageRefusal) -> None:
    assert await photos.measure(data, True) is refusal


async def test_more_photos_than_there_is_room_for_are_told_to_wait(
    photos: DoorPhotos, finder: Finder
) -> None:
    finder.gate.clear()
    waiting = [asyncio.create_task(photos.measure(picture(), True)) for _ in range(MAX_CALLS)]
    await asyncio.sleep(0)
    assert await photos.measure(picture(), True) == PhotosBusy()
    finder.gate.set()
    assert all(isinstance(each, DoorPhoto) for each in await asyncio.gather(*waiting))
