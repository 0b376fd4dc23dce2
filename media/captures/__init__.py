"""Captures: ID front, ID back and handheld photo, from bytes to readings and embeddings, in processes."""

from media.captures.codes import CaptureCode, HandheldRefusal, ProcessingRefusal
from media.captures.compare import compare_captures, compare_faces
from media.captures.engines import Engines, open_engines
from media.captures.measure import measure_capture
from media.captures.measured import CaptureMeasured, CaptureRefused, FaceMeasured, HandheldReading
from media.captures.messages import CAPTURE_MESSAGES
from media.captures.pool import CaptureBusy, CapturePool
from media.captures.worker import WorkerFault

__all__ = [
    "CAPTURE_MESSAGES",
    "CaptureBusy",
    "CaptureCode",
    "CaptureMeasured",
    "CapturePool",
    "CaptureRefused",
    "Engines",
    "FaceMeasured",
    "HandheldReading",
    "HandheldRefusal",
    "ProcessingRefusal",
    "WorkerFault",
    "compare_captures",
    "compare_faces",
    "measure_capture",
    "open_engines",
]
