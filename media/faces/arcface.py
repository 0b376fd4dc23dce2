"""ArcFace-type ONNX models through InsightFace."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activation.evidence import ModelRef
from media.faces.alignment import ARCFACE_SIDE, arcface_chip
from media.faces.embedding import unit
from media.faces.face import Face
from media.faces.lease import Lease

LEASES = 2
THREADS = 1
"""A session of ONNX Runtime would otherwise start a thread for every core, for each of our workers."""


class UnusableModel(ValueError):
    """The file is no ArcFace-type recogniser: one input (n, 3, 112, 112), one output of embeddings."""


class ArcFaceRecogniser:
    """`Recogniser` over InsightFace's `ArcFaceONNX`, aligned with our own landmarks."""

    def __init__(self, path: Path, model: ModelRef, normalise: tuple[float, float] | None = None) -> None:
        """`normalise` is mean and divisor of the pixels where the file does not say it itself.

        Raises UnusableModel where `path` is not such a model.
        """
        self._model = model
        first = _load(path)
        if normalise is not None:
            first.input_mean, first.input_std = normalise
        # Whether InsightFace's wrapper may be shared between threads is not documented; the session may.
        self._lease: Lease[Any] = Lease([first, *(copy.copy(first) for _ in range(LEASES - 1))])

    @property
    def model(self) -> ModelRef:
        return self._model

    def embed(self, bgr: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
        chip = arcface_chip(bgr, face)
        with self._lease.take() as arcface:
            raw = np.asarray(arcface.get_feat(chip), dtype=np.float32).ravel()
        return unit(raw)


def _load(path: Path) -> Any:
    import onnxruntime
    from insightface.model_zoo.arcface_onnx import ArcFaceONNX

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = THREADS
    options.log_severity_level = 3
    try:
        # InsightFace would drop the options, so the session is made here and handed over.
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        arcface = ArcFaceONNX(model_file=str(path), session=session)
    except Exception as error:  # both libraries raise their own and bare exceptions for a bad file
        raise UnusableModel(f"{path.name} cannot be loaded as a recogniser") from error
    shape = list(session.get_inputs()[0].shape)
    if len(shape) != 4 or shape[1:] != [3, ARCFACE_SIDE, ARCFACE_SIDE]:
        raise UnusableModel(f"{path.name} does not take pictures of (3, {ARCFACE_SIDE}, {ARCFACE_SIDE})")
    return arcface
