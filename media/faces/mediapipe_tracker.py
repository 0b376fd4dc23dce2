"""Follows faces through a video with MediaPipe."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from media.faces.face import Face
from media.faces.mediapipe_graph import MeshGraph


class MediaPipeTracker:
    """`FaceTracker` on MediaPipe's face mesh; several run in threads at once: it releases the GIL."""

    def __init__(self, max_faces: int) -> None:
        self._graph = MeshGraph(still=False, max_faces=max_faces)
        self._last_ms: int | None = None

    def track(self, bgr: NDArray[np.uint8], t_ms: int) -> list[Face]:
        if self._last_ms is not None and t_ms <= self._last_ms:
            raise ValueError("the times of a video increase from frame to frame")
        self._last_ms = t_ms
        return self._graph.faces(bgr)

    def close(self) -> None:
        self._graph.close()
