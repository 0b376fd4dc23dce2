"""Finding a card (ID-1 of ISO/IEC 7810, 85.60 mm × 53.98 mm) by its outline, and laying it flat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from media.documents.pixels import Image, grey_of, shrunk

CARD_WIDTH = 1012
CARD_HEIGHT = 638
"""The card laid flat: 300 dots an inch."""
ASPECT = 85.60 / 53.98

_SEARCH_SIDE = 512  # pixels; outlines are looked for in a picture of this size
_MIN_AREA = 0.03  # of the picture
_MIN_ASPECT_FIT = 0.80
_MIN_FRAME_FIT, _WHOLE = 0.90, 0.93  # aspect and filled share of a picture that is the card itself
_MIN_FILL = 0.90  # of the outline's hull by its four-cornered form
_CUT_MERIT = 0.2  # whole cards are tried before outlines that the picture's edge cuts
_BORDER = 3  # pixels of the search picture that count as touching its edge
_SAME = 0.04  # corners nearer than this share of the search side are one card
_CORNERS = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Placement:
    """Where a card lies: `corners` (4, 2) float32 pixels of the picture, clockwise, first side a long one.

    Which long side is the top is not known yet. `cut`: share of the card outside of the picture, 0 to 1.
    """

    corners: NDArray[np.float32]
    cut: float = 0.0

    @property
    def width(self) -> int:
        """Pixels across the card in the picture."""
        top = np.linalg.norm(self.corners[1] - self.corners[0])
        bottom = np.linalg.norm(self.corners[2] - self.corners[3])
        return round(float(top + bottom) / 2)

    @property
    def aspect_fit(self) -> float:
        """How near the proportions are to a card's, 0 to 1."""
        return _aspect_fit(*_sides(self.corners))

    def upside_down(self) -> Placement:
        return Placement(np.roll(self.corners, 2, axis=0), self.cut)


def rectify(bgr: NDArray[np.uint8], placement: Placement, width: int = CARD_WIDTH) -> NDArray[np.uint8]:
    """Lay the card flat: (H, `width`, 3) BGR in the card's aspect."""
    height = round(width / ASPECT)
    corners = placement.corners
    shrink = placement.width / width
    if shrink > 1.6:  # sampling at every second pixel or less would alias the strokes
        low = np.maximum(corners.min(axis=0).astype(int) - 2, 0)
        high = corners.max(axis=0).astype(int) + 3
        part = bgr[low[1] : high[1], low[0] : high[0]]
        bgr, scale = shrunk(part, round(max(part.shape[:2]) / shrink))
        corners = ((corners - low) * scale).astype(np.float32)
    flat = _CORNERS * np.array([width, height], dtype=np.float32)
    transform = cv2.getPerspectiveTransform(corners, flat)
    laid = cv2.warpPerspective(
        bgr, transform, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(laid, dtype=np.uint8)


def find_cards(bgr: NDArray[np.uint8], limit: int = 3) -> list[Placement]:
    """Four-cornered outlines with a card's proportions, the most likely first; at most `limit`."""
    small, scale = shrunk(bgr, _SEARCH_SIDE)
    found: list[tuple[float, Placement]] = []
    for outline in _outlines(small):
        placement = _placement(outline, small.shape[1], small.shape[0])
        if placement is None:
            continue
        found.append((_merit(placement), placement))
    found.sort(key=lambda item: item[0], reverse=True)
    chosen: list[Placement] = []
    for _, placement in found:
        if len(chosen) < limit and not any(_same(placement, other) for other in chosen):
            chosen.append(placement)
    return [Placement(p.corners / np.float32(scale), p.cut) for p in chosen]


def _outlines(small: NDArray[np.uint8]) -> Iterator[NDArray[np.int32]]:
    area = small.shape[0] * small.shape[1]
    for mask in _masks(small):
        contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        large = [c for c in contours if len(c) > 60 and cv2.contourArea(cv2.convexHull(c)) > _MIN_AREA * area]
        large.sort(key=cv2.contourArea, reverse=True)
        for outline in large[:6]:
            yield np.asarray(outline, np.int32)


def _masks(small: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    soft = np.asarray(cv2.GaussianBlur(small, (5, 5), 0), np.uint8)
    grey = grey_of(soft)
    _, bright = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    yield _closed(bright)
    # The strongest edge of any colour channel: a white card on a light but tinted table still has one.
    edges = np.max([cv2.Canny(soft[:, :, channel], 30, 90) for channel in range(3)], axis=0)
    yield np.asarray(cv2.dilate(edges, np.ones((3, 3), np.uint8)), np.uint8)
    saturation = cv2.cvtColor(soft, cv2.COLOR_BGR2HSV)[:, :, 1]
    _, pale = cv2.threshold(saturation, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    yield _closed(pale)


def _closed(mask: cv2.typing.MatLike) -> Image:
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)), np.uint8)


def _placement(outline: NDArray[np.int32], width: int, height: int) -> Placement | None:
    hull = cv2.convexHull(outline)
    perimeter = cv2.arcLength(hull, True)
    for tolerance in (0.02, 0.04, 0.06, 0.09):
        rough = cv2.approxPolyDP(hull, tolerance * perimeter, True)
        if len(rough) <= 4:
            break
    if len(rough) != 4:
        return None
    corners = _refined(rough.reshape(4, 2).astype(np.float32), outline.reshape(-1, 2))
    hull_area, area = cv2.contourArea(hull), cv2.contourArea(corners)
    if area <= 0 or min(area, hull_area) / max(area, hull_area) < _MIN_FILL:
        return None
    corners = _long_side_first(_clockwise(corners))
    across, down = _sides(corners)
    touches = _touching(corners, width, height)
    if touches and touches < 4:
        # A card cut by the picture's edge is shorter one way than the other way tells.
        expected = max(across / ASPECT / max(down, 1.0), down * ASPECT / max(across, 1.0))
        cut = max(0.0, 1.0 - 1.0 / expected)
        return Placement(corners, cut) if cut < 0.5 else None
    if touches == 4:  # the picture itself: a scan cut to the card, or nothing
        whole = area >= _WHOLE * width * height and _aspect_fit(across, down) >= _MIN_FRAME_FIT
        return Placement(corners) if whole else None
    return Placement(corners) if _aspect_fit(across, down) >= _MIN_ASPECT_FIT else None


def _refined(rough: NDArray[np.float32], outline: NDArray[np.int32]) -> NDArray[np.float32]:
    """Corners as crossings of lines fitted to the middle of each side, because a card's corners are round."""
    lines = []
    for index in range(4):
        a, b = rough[index], rough[(index + 1) % 4]
        along = b - a
        length = float(np.linalg.norm(along)) or 1.0
        relative = outline - a
        place = relative @ along / length**2
        off = np.abs(relative @ np.array([-along[1], along[0]])) / length
        near = outline[(place > 0.15) & (place < 0.85) & (off < 0.03 * length + 2)]
        if len(near) < 10:
            return rough
        vx, vy, x, y = cv2.fitLine(near.astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
        lines.append((np.array([x, y]), np.array([vx, vy])))
    corners = []
    for index in range(4):
        crossing = _crossing(lines[index - 1], lines[index])
        if crossing is None or np.linalg.norm(crossing - rough[index]) > 0.15 * _SEARCH_SIDE:
            return rough
        corners.append(crossing)
    return np.array(corners, dtype=np.float32)


def _crossing(
    one: tuple[NDArray[np.float64], NDArray[np.float64]], two: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> NDArray[np.float64] | None:
    matrix = np.column_stack([one[1], -two[1]])
    if abs(np.linalg.det(matrix)) < 1e-3:
        return None
    steps = np.linalg.solve(matrix, two[0] - one[0])
    return np.asarray(one[0] + steps[0] * one[1])


def _clockwise(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Clockwise as seen (y points down), starting near the upper left."""
    turn = cv2.contourArea(corners, oriented=True)
    ordered = corners if turn > 0 else corners[::-1]
    start = int(np.argmin(ordered.sum(axis=1)))
    return np.roll(ordered, -start, axis=0)


def _long_side_first(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    across, down = _sides(corners)
    return corners if across >= down else np.roll(corners, 1, axis=0)


def _sides(corners: NDArray[np.float32]) -> tuple[float, float]:
    first = np.linalg.norm(corners[1] - corners[0]) + np.linalg.norm(corners[2] - corners[3])
    second = np.linalg.norm(corners[2] - corners[1]) + np.linalg.norm(corners[3] - corners[0])
    return float(first) / 2, float(second) / 2


def _touching(corners: NDArray[np.float32], width: int, height: int) -> int:
    """How many of the picture's four edges the outline touches."""
    x, y = corners[:, 0], corners[:, 1]
    beyond = (
        x.min() <= _BORDER,
        y.min() <= _BORDER,
        x.max() >= width - 1 - _BORDER,
        y.max() >= height - 1 - _BORDER,
    )
    return sum(1 for touched in beyond if touched)


def _aspect_fit(across: float, down: float) -> float:
    aspect = max(across, down) / max(min(across, down), 1.0)
    return min(aspect, ASPECT) / max(aspect, ASPECT)


def _merit(placement: Placement) -> float:
    across, down = _sides(placement.corners)
    whole = 1.0 if placement.cut == 0.0 else _CUT_MERIT * (1.0 - placement.cut) ** 4
    return across * down * _aspect_fit(across, down) ** 4 * whole


def _same(one: Placement, two: Placement) -> bool:
    apart = min(np.abs(one.corners - np.roll(two.corners, turn, axis=0)).max() for turn in range(4))
    return bool(apart < _SAME * _SEARCH_SIDE)
