"""Which side of a card a picture shows and which way up: told from the one line that only that side has.

The front has the number, 18 characters near its lower edge; the back has the validity there. Reading that
line settles presence, side and direction at once, so nothing is read twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from media.documents import number as numbers
from media.documents.cards import ASPECT, CARD_WIDTH, Placement, find_cards, rectify
from media.documents.ocr import Box, Line, TextReader
from media.documents.pixels import resized, shrunk

FIND_WIDTH = 512
"""Text on a card laid flat is looked for at this width: 25 ms instead of 130 at full size, no line missed."""
FRAME_SIDE = 960
"""Text in a whole picture, where no outline was found, is looked for at this size."""
_MIN_LINE = 6.5  # length : height of a line that may be number or validity
_LINES_TRIED = 3
_MIN_KEY_CONFIDENCE = 0.4
_MIN_LINE_SHARE = 0.28  # of the card's width
ENOUGH_BOXES = 4  # lines of text that make an outline a document
_LARGE = (
    0.15,
    0.95,
)  # of the picture: an outline without readable text that is a card, not the whole picture
_PLAIN_FIT = 0.93  # its proportions must then be quite a card's
_VALIDITY = re.compile(r"\d{4}[.,·。\-]?\d{2}[.,·。\-]?\d{2}[-—~一至]+(\d{4}|长)")
# Where number (front) and validity (back) lie: left, right, centre line, as shares of the card (GA 448).
_NUMBER_SPAN = (0.325, 0.935, 0.862)
_VALIDITY_SPAN = (0.380, 0.745, 0.862)


class Side(Enum):
    FRONT = "front"
    BACK = "back"


@dataclass(frozen=True, eq=False)
class FlatCard:
    """A card laid flat, upright: `pixels` (638, 1012, 3) BGR; `boxes` of its text in those pixels."""

    side: Side
    placement: Placement
    pixels: NDArray[np.uint8] = field(repr=False)
    boxes: tuple[Box, ...]
    key_box: Box
    key_line: Line = field(repr=False)


@dataclass(frozen=True, eq=False)
class UnreadCard:
    """An outline whose side could not be read: quality tells why. `pixels` may be upside down."""

    placement: Placement
    pixels: NDArray[np.uint8] = field(repr=False)
    boxes: tuple[Box, ...]


def lay_flat(
    bgr: NDArray[np.uint8], reader: TextReader, outlines: int = 2, frame_side: int = FRAME_SIDE
) -> FlatCard | UnreadCard | None:
    """Find the card in (H, W, 3) BGR, find out side and direction, lay it flat; None: no card there."""
    unread: list[UnreadCard] = []
    for placement in find_cards(bgr, outlines):
        tried = _try(bgr, placement, reader)
        if isinstance(tried, FlatCard):
            return tried
        unread.append(tried)
    by_text = _by_text(bgr, reader, frame_side)
    if by_text is not None:
        return by_text
    with_text = [card for card in unread if len(card.boxes) >= ENOUGH_BOXES]
    # A blurred or dark card shows no text, but its outline is whole and large.
    plain = [card for card in unread if card.placement.cut == 0.0 and _is_large(card.placement, bgr)]
    return next(iter(with_text + plain), None)


def _is_large(placement: Placement, bgr: NDArray[np.uint8]) -> bool:
    share = cv2.contourArea(placement.corners) / (bgr.shape[0] * bgr.shape[1])
    return bool(_LARGE[0] < share < _LARGE[1]) and placement.aspect_fit > _PLAIN_FIT


def _try(bgr: NDArray[np.uint8], placement: Placement, reader: TextReader) -> FlatCard | UnreadCard:
    pixels = rectify(bgr, placement)
    boxes = find_text(pixels, reader)
    if len(boxes) < ENOUGH_BOXES:
        return UnreadCard(placement, pixels, boxes)
    keyed = _key_line(pixels, boxes, reader, quarters=(0, 2), min_length=_MIN_LINE_SHARE * CARD_WIDTH)
    if keyed is None:
        return UnreadCard(placement, pixels, boxes)
    side, box, line, quarters = keyed
    if quarters == 2:
        height, width = pixels.shape[:2]
        pixels = np.ascontiguousarray(pixels[::-1, ::-1])
        boxes = tuple(_half_turned(each, width, height) for each in boxes)
        box, placement = _half_turned(box.turned(2), width, height), placement.upside_down()
    if not _stands_where_printed(box, side):
        return UnreadCard(placement, pixels, ())
    return FlatCard(side, placement, pixels, boxes, box, line)


def find_text(card: NDArray[np.uint8], reader: TextReader, width: int = FIND_WIDTH) -> tuple[Box, ...]:
    """Boxes of text on a card laid flat, in the card's pixels."""
    height = round(card.shape[0] * width / card.shape[1])
    scale_x, scale_y = card.shape[1] / width, card.shape[0] / height
    return tuple(box.scaled(scale_x, scale_y) for box in reader.find(resized(card, width, height)))


def _key_line(
    bgr: NDArray[np.uint8],
    boxes: Sequence[Box],
    reader: TextReader,
    quarters: tuple[int, ...],
    min_length: float,
) -> tuple[Side, Box, Line, int] | None:
    """The line with number or validity, and by how many quarter turns its text is turned."""
    long = [box for box in boxes if box.length >= min_length and box.length >= _MIN_LINE * box.height]
    height = bgr.shape[0]
    # Both lines lie near an edge of the card, and the number is the longest there is.
    long.sort(key=lambda box: abs(box.centre[1] - height / 2) + box.length / 4, reverse=True)
    for box in long[:_LINES_TRIED]:
        # A line in the lower half is more likely upright: read it that way first.
        upright_first = box.centre[1] >= height / 2
        for turn in sorted(quarters, key=lambda q: (q >= 2) == upright_first):
            line = reader.read(bgr, box.turned(-turn))
            side = _side_of(line)
            if side is not None:
                return side, box, line, turn
    return None


def _side_of(line: Line) -> Side | None:
    packed = line.packed()
    if packed.confidence < _MIN_KEY_CONFIDENCE:  # bars and patterns also "read" as digits
        return None
    if numbers.number_in(packed.text) is not None:
        return Side.FRONT
    return Side.BACK if _VALIDITY.search(packed.text) else None


def _stands_where_printed(box: Box, side: Side) -> bool:
    """Whether the outline is the card's: the line lies low and has about its printed length."""
    left, right, middle = _NUMBER_SPAN if side is Side.FRONT else _VALIDITY_SPAN
    length, height = box.length / CARD_WIDTH, box.centre[1] / CARD_WIDTH * ASPECT
    # The label may be in the same box, so the line may be longer than printed.
    return 0.8 * (right - left) <= length <= 1.7 * (right - left) and abs(height - middle) < 0.13


def _half_turned(box: Box, width: int, height: int) -> Box:
    flipped = np.array([width, height], dtype=np.float32) - box.corners
    return Box(np.roll(flipped, 2, axis=0))


def _by_text(bgr: NDArray[np.uint8], reader: TextReader, frame_side: int) -> FlatCard | None:
    """Place the card by its number or validity alone: white card on white paper, edges hidden by fingers."""
    small, scale = shrunk(bgr, frame_side)
    boxes = [box.scaled(1 / scale, 1 / scale) for box in reader.find(small)]
    if not boxes:
        return None
    keyed = _key_line(bgr, boxes, reader, quarters=(0, 2), min_length=0.12 * max(bgr.shape[:2]))
    if keyed is None:
        return None
    side, box, line, quarters = keyed
    placement = placed_by_line(box.turned(-quarters), line, side, bgr.shape[1], bgr.shape[0])
    pixels = rectify(bgr, placement)
    height, width = pixels.shape[:2]
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    onto = cv2.getPerspectiveTransform(placement.corners, flat)
    key = Box(cv2.perspectiveTransform(box.turned(-quarters).corners[None], onto)[0])
    return FlatCard(side, placement, pixels, find_text(pixels, reader), key, line)


def placed_by_line(box: Box, line: Line, side: Side, width: int, height: int) -> Placement:
    """Where the card lies in a picture of `width` × `height`, reckoned from its key line alone."""
    left, right, middle = _NUMBER_SPAN if side is Side.FRONT else _VALIDITY_SPAN
    a, b, c, d = box.corners.astype(np.float64)
    start, end = (a + d) / 2, (b + c) / 2
    packed = line.text.replace(" ", "")
    label = len(packed) - (numbers.NUMBER_LENGTH if side is Side.FRONT else len("2000.01.01-2020.01.01"))
    if label > 0:  # the label is in the box: its characters are about 0.6 of a digit's pitch wide here
        start = start + (end - start) * (label * 1.3 / (label * 1.3 + numbers.NUMBER_LENGTH))
    across = (end - start) / (right - left)
    down = np.array([-across[1], across[0]]) / ASPECT
    origin = start - across * left - down * middle
    corners = np.array([origin, origin + across, origin + across + down, origin + down])
    outside = max(
        (-corners[:, 0].min()) / width, (corners[:, 0].max() - width) / width,
        (-corners[:, 1].min()) / height, (corners[:, 1].max() - height) / height, 0.0,
    )  # fmt: skip
    return Placement(corners.astype(np.float32), float(outside))
