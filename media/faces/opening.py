"""Opens the adapters behind the ports. The heavy libraries are imported only when one is asked for."""

from __future__ import annotations

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


def tesselation() -> NDArray[np.int32]:
    """Triangles of the mesh, (n, 3) indices into `Face.points[:468]`, each triangle once."""
    from media.faces.mesh import triangles

    return triangles()
