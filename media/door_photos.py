"""The courier's photo at the door: decoded safely, encoded anew, its largest face embedded (R4.3)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from activation.evidence import FaceComparison, FaceSource, ModelRef
from media.faces import FaceFinder, Recogniser, similarity
from media.images import ImageRefusal, Photo, decode, encode_jpeg

#: Photos that may be worked on or wait at once; each holds some 60 MB while it is decoded.
MAX_CALLS = 8
RETRY_AFTER_SECONDS = 2

OpenEngines = Callable[[], tuple[FaceFinder, Recogniser]]


@dataclass(frozen=True)
class PhotosBusy:
    """Too many photos wait; try again after so many seconds."""

    retry_after: int = RETRY_AFTER_SECONDS


@dataclass(frozen=True, eq=False)
class DoorPhoto:
    """jpeg: upright, without metadata. embedding: of the largest face, unit length; None: no face.

    model: which embedded it; None: nobody looked for a face (R9.4).
    """

    jpeg: bytes = field(repr=False)
    embedding: NDArray[np.float32] | None = field(repr=False)
    model: ModelRef | None

    def compared_with(self, portrait: NDArray[np.float32], model: ModelRef) -> tuple[FaceComparison, ...]:
        """With the front portrait, embedded by `model`; nothing where the two cannot be compared."""
        if self.embedding is None or model != self.model or portrait.shape != self.embedding.shape:
            return ()
        alike = similarity(self.embedding, portrait)
        return (FaceComparison(FaceSource.COURIER_PHOTO, FaceSource.FRONT_PORTRAIT, alike, model),)


class DoorPhotos:
    """Measures one photo after another in a thread of its own. Close it at the end."""

    def __init__(self, open_engines: OpenEngines) -> None:
        """`open_engines` is called in the thread, with the first photo."""
        self._open_engines = open_engines
        self._engines: tuple[FaceFinder, Recogniser] | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="door-photos")
        self._room = threading.BoundedSemaphore(MAX_CALLS)

    async def measure(self, data: bytes, embed: bool) -> DoorPhoto | ImageRefusal | PhotosBusy:
        """`data`: the bytes of an image as it was sent. embed: whoever is on it agrees to that (R9.4)."""
        if not self._room.acquire(blocking=False):
            return PhotosBusy()
        running = self._pool.submit(self._measure, data, embed)
        running.add_done_callback(lambda _: self._room.release())
        return await asyncio.wrap_future(running)

    def close(self) -> None:
        """Waits for the photo that is being measured."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._engines is not None:
            self._engines[0].close()

    def _measure(self, data: bytes, embed: bool) -> DoorPhoto | ImageRefusal:
        photo = decode(data)
        if not isinstance(photo, Photo):
            return photo
        if not embed:
            return DoorPhoto(encode_jpeg(photo), None, None)
        if self._engines is None:
            self._engines = self._open_engines()
        finder, recogniser = self._engines
        faces = finder.find(photo.pixels)
        embedding = recogniser.embed(photo.pixels, faces[0]) if faces else None
        return DoorPhoto(encode_jpeg(photo), embedding, recogniser.model)
