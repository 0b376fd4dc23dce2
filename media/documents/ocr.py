"""The door to RapidOCR (PP-OCR models inside its wheel): where lines of text are, and what one line says."""

from __future__ import annotations

import functools
import hashlib
import logging
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rapidocr
from numpy.typing import NDArray

from activation.evidence import ModelRef
from media.documents.twins import TwinMerger

THREADS = 1
"""ONNX Runtime threads of each model: captures side by side use the cores better than one on all of them."""
LINE_HEIGHT = 48
"""Pixels; what the recogniser's network takes. Crops are cut at this height at once."""
MAX_LINE_WIDTH = 1200
SURE = 0.90
"""Confidence of the least certain character from which a line is not read again."""
_MARGIN = 0.08  # of the line's height, kept around a detected box
_WIDE_MARGIN = 0.25
_FIND_MULTIPLE = 32

_COMMON = {
    "Global.log_level": "critical",
    "Global.use_cls": False,
    "Global.use_preprocess_img": False,
    "Global.text_score": 0.0,
    "EngineConfig.onnxruntime.intra_op_num_threads": THREADS,
    "EngineConfig.onnxruntime.inter_op_num_threads": THREADS,
}


@dataclass(frozen=True)
class Line:
    """One line as read: `confidences` has one value, 0 to 1, per character of `text`."""

    text: str = field(repr=False)
    confidences: tuple[float, ...] = field(repr=False)

    @property
    def confidence(self) -> float:
        """That of the least certain character; 0 for no text."""
        return min(self.confidences, default=0.0)

    def packed(self) -> Line:
        """The same line without spaces."""
        kept = [(c, p) for c, p in zip(self.text, self.confidences, strict=True) if not c.isspace()]
        return Line("".join(c for c, _ in kept), tuple(p for _, p in kept))

    def __getitem__(self, part: slice) -> Line:
        return Line(self.text[part], self.confidences[part])

    def __add__(self, other: Line) -> Line:
        return Line(self.text + other.text, self.confidences + other.confidences)


@dataclass(frozen=True, eq=False)
class Box:
    """Where a line lies: `corners` (4, 2) float32 pixels, from the upper left, clockwise along the text."""

    corners: NDArray[np.float32]

    @property
    def centre(self) -> tuple[float, float]:
        x, y = self.corners.mean(axis=0)
        return float(x), float(y)

    @property
    def length(self) -> float:
        """Pixels along the longer sides."""
        return max(self._side(0), self._side(1))

    @property
    def height(self) -> float:
        """Pixels along the shorter sides."""
        return min(self._side(0), self._side(1))

    def _side(self, index: int) -> float:
        a, b, c, d = self.corners[[index, index + 1, (index + 2) % 4, (index + 3) % 4]]
        return float((np.linalg.norm(b - a) + np.linalg.norm(d - c)) / 2)

    def scaled(self, x: float, y: float) -> Box:
        return Box((self.corners * np.array([x, y])).astype(np.float32))

    def turned(self, quarters: int) -> Box:
        """The same box read from another side: its corners renumbered by quarter turns."""
        return Box(np.roll(self.corners, quarters, axis=0))


class TextReader:
    """Finds and reads lines of printed Chinese, digits and Latin letters.

    Thread-safe: nothing changes after construction and ONNX Runtime sessions may be shared.
    """

    def __init__(self) -> None:
        logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
        self._finder = rapidocr.RapidOCR(
            params=_COMMON | {"Global.use_rec": False, "Det.limit_side_len": _FIND_MULTIPLE}
        )
        self._reader = rapidocr.RapidOCR(
            params=_COMMON | {"Global.use_det": False, "Global.return_word_box": True}
        )
        self.find(np.zeros((_FIND_MULTIPLE * 2, _FIND_MULTIPLE * 4, 3), np.uint8))
        self.read_crop(np.full((LINE_HEIGHT, LINE_HEIGHT * 4, 3), 255, np.uint8))
        recogniser: Any = self._reader.text_rec  # there since the first line was read
        recogniser.postprocess_op = TwinMerger(recogniser.postprocess_op)

    def find(self, bgr: NDArray[np.uint8]) -> list[Box]:
        """Boxes of text lines in (H, W, 3) BGR, top to bottom; best for text 8 to 60 pixels high."""
        found: Any = self._finder(bgr)
        if found.boxes is None:
            return []
        return [Box(np.asarray(box, dtype=np.float32)) for box in found.boxes]

    def read(self, bgr: NDArray[np.uint8], box: Box) -> Line:
        """Read one line where `box` says it is; the box may be turned any way."""
        return self.read_crop(cut_line(bgr, box))

    def read_twice(self, bgr: NDArray[np.uint8], box: Box) -> Line:
        """Read one line; where a character is unsure, read it again, cut wider, and keep the surer one."""
        first = self.read(bgr, box).packed()
        if first.confidence >= SURE:
            return first
        second = self.read_crop(cut_line(bgr, box, _WIDE_MARGIN)).packed()
        return max(first, second, key=lambda line: line.confidence)

    def read_crop(self, crop: NDArray[np.uint8]) -> Line:
        """Read one horizontal line that fills `crop`, (H, W, 3) BGR."""
        found: Any = self._reader(crop)
        if not found.txts or not found.txts[0]:
            return Line("", ())
        confidences = tuple(float(value) for value in found.word_results[0].confs)
        return Line(str(found.txts[0]), confidences)


def cut_line(bgr: NDArray[np.uint8], box: Box, margin: float = _MARGIN) -> NDArray[np.uint8]:
    """The box as an upright strip LINE_HEIGHT pixels high, (48, W, 3); `margin` in heights of the line."""
    a, b, c, d = box.corners.astype(np.float64)
    along, down = (b - a + c - d) / 2, (d - a + c - b) / 2
    length, height = float(np.linalg.norm(along)), float(np.linalg.norm(down))
    if length < 1.0 or height < 1.0:
        return np.full((LINE_HEIGHT, LINE_HEIGHT, 3), 255, np.uint8)
    margin_x, margin_y = along / length * height * margin, down * margin
    source = np.array(
        [a - margin_x - margin_y, b + margin_x - margin_y, d - margin_x + margin_y], dtype=np.float32
    )
    width = (length + 2 * height * margin) / (height * (1 + 2 * margin)) * LINE_HEIGHT
    width = int(np.clip(width, LINE_HEIGHT // 2, MAX_LINE_WIDTH))
    target = np.array([[0, 0], [width, 0], [0, LINE_HEIGHT]], dtype=np.float32)
    affine = cv2.getAffineTransform(source, target)
    strip = cv2.warpAffine(
        bgr, affine, (width, LINE_HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(strip, dtype=np.uint8)


@functools.cache
def shared_reader() -> TextReader:
    """This process's reader; loads the models (some 0.5 s, 100 MB) on first use."""
    return TextReader()


@functools.cache
def ocr_models() -> tuple[ModelRef, ...]:
    """The detection and recognition models in use, by the digest of their files."""
    folder = Path(rapidocr.__file__).parent / "models"
    release = version("rapidocr")
    return tuple(
        ModelRef(path.stem, release, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.glob("PP-OCR*.onnx"))
    )
