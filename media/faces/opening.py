"""Opens the adapters behind the ports. The heavy libraries are imported only when one is asked for."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from media.faces.face import FaceFinder, FaceTracker, Recogniser


def open_tracker(max_faces: int = 2) -> FaceTracker:
    """A tracker for one video. Close it when the check ends."""
    from media.faces.mediapipe_tracker import MediaPipeTracker

    return MediaPipeTracker(max_faces)


def open_finder() -> FaceFinder:
    """A finder for stills."""
    from media.faces.mediapipe_finder import MediaPipeFinder

    return MediaPipeFinder()


def open_recogniser(name: str, models_dir: Path) -> Recogniser:
    """The recogniser `name` of `media.models.registry`; its files lie in `models_dir`.

    Raises `media.models.packs.ModelMissing` where the operator has not installed it.
    """
    from media.faces.recognisers import open_by_name

    return open_by_name(name, models_dir)


def open_beside_event_loop(name: str, models_dir: Path) -> Recogniser:
    """Like `open_recogniser`, for a process that also runs an event loop: one whose library does not let
    other threads run gets a process of its own. Close what has a `close` at the end."""
    from media.faces.apart import ApartRecogniser
    from media.models.packs import find_installed
    from media.models.registry import Adapter

    if find_installed(name, models_dir).adapter is Adapter.DLIB:
        return ApartRecogniser(partial(open_recogniser, name, models_dir))
    return open_recogniser(name, models_dir)


def tesselation() -> NDArray[np.int32]:
    """Triangles of the mesh, (n, 3) indices into `Face.points[:468]`, each triangle once."""
    from media.faces.mesh import triangles

    return triangles()
