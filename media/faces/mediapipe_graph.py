"""Imports MediaPipe once, quietly, and turns its answers into faces.

MediaPipe 0.10.21 is older than the protobuf it runs with here, and its native code logs to standard error
before any setting can stop it; both are put right in this module and nowhere else.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import re
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from activation.evidence import ModelRef
from media.faces.face import Face, largest_first

_NOISE = re.compile(
    rb"XNNPACK delegate|absl::InitializeLog|inference_feedback_manager|landmark_projection_calculator"
)
_stderr = threading.RLock()
_first_face_seen = threading.Event()


@contextmanager
def _without_noise() -> Iterator[None]:
    """Holds standard error back, drops the lines known to mean nothing and passes all others on.

    The native code writes to the descriptor itself, so nothing in Python could filter it. Lines that other
    threads write meanwhile come out at the end.
    """
    with _stderr, tempfile.TemporaryFile() as held, warnings.catch_warnings():
        # MediaPipe calls what newer protobuf would rather have called otherwise.
        warnings.filterwarnings("ignore", message=r"label\(\) is deprecated")
        sys.stderr.flush()
        kept = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            held.seek(0)
            for line in held:
                if not _NOISE.search(line):
                    os.write(2, line)


@cache
def _solutions() -> Any:
    from google.protobuf import message_factory  # type: ignore[import-untyped]

    # MediaPipe's binding asks for the name that protobuf 5 dropped, and prints an error where it is missing.
    if not hasattr(message_factory.MessageFactory, "GetPrototype"):
        message_factory.MessageFactory.GetPrototype = lambda _self, descriptor: (
            message_factory.GetMessageClass(descriptor)
        )
    from mediapipe import solutions

    return solutions


def solutions() -> Any:
    """MediaPipe's `solutions` module."""
    with _stderr:
        return _solutions()


class MeshGraph:
    """One face-mesh graph. Not shared between threads."""

    def __init__(self, *, still: bool, max_faces: int, confidence: float = 0.5) -> None:
        mesh = solutions().face_mesh.FaceMesh
        with _without_noise():
            self._graph = mesh(
                static_image_mode=still,
                max_num_faces=max_faces,
                refine_landmarks=True,
                min_detection_confidence=confidence,
                min_tracking_confidence=confidence,
            )
            # The models are loaded, and speak, only with the first picture.
            self._graph.process(np.zeros((64, 64, 3), dtype=np.uint8))

    def faces(self, bgr: NDArray[np.uint8]) -> list[Face]:
        """Faces in (H, W, 3) BGR, largest first."""
        rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        if _first_face_seen.is_set():
            answer = self._graph.process(rgb)
        else:
            with _without_noise():
                answer = self._graph.process(rgb)
        found = answer.multi_face_landmarks or []
        if found:
            _first_face_seen.set()
        height, width = bgr.shape[:2]
        return largest_first([_face(landmarks, width, height) for landmarks in found])

    def close(self) -> None:
        self._graph.close()


def _face(landmarks: Any, width: int, height: int) -> Face:
    points = np.array([(p.x, p.y, p.z) for p in landmarks.landmark], dtype=np.float32)
    return Face(points * np.array([width, height, width], dtype=np.float32))


class DetectorGraph:
    """MediaPipe's full-range face detector (faces up to five metres away). Not shared between threads."""

    def __init__(self, confidence: float) -> None:
        detector = solutions().face_detection.FaceDetection
        with _without_noise():
            self._graph = detector(model_selection=1, min_detection_confidence=confidence)
            self._graph.process(np.zeros((64, 64, 3), dtype=np.uint8))

    def boxes(self, bgr: NDArray[np.uint8]) -> list[tuple[float, float, float, float, float]]:
        """x0, y0, x1, y1 in pixels and the score 0..1 of every face in (H, W, 3) BGR."""
        height, width = bgr.shape[:2]
        answer = self._graph.process(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
        boxes = []
        for found in answer.detections or []:
            box = found.location_data.relative_bounding_box
            x0, y0 = box.xmin * width, box.ymin * height
            boxes.append((x0, y0, x0 + box.width * width, y0 + box.height * height, float(found.score[0])))
        return boxes

    def close(self) -> None:
        self._graph.close()


def tesselation_edges() -> frozenset[tuple[int, int]]:
    edges: frozenset[tuple[int, int]] = solutions().face_mesh_connections.FACEMESH_TESSELATION
    return edges


@cache
def tracker_model() -> ModelRef:
    """Which landmark model measures, as evidence names it."""
    spec = importlib.metadata.distribution("mediapipe")
    weights = Path(
        str(spec.locate_file("mediapipe/modules/face_landmark/face_landmark_with_attention.tflite"))
    )
    return ModelRef("mediapipe_face_mesh", spec.version, hashlib.sha256(weights.read_bytes()).hexdigest())
