"""The card somewhere in a larger picture: held in a hand, in a photo."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from media.documents import number as numbers
from media.documents.cards import Placement
from media.documents.layout import FlatCard, Side, UnreadCard, lay_flat
from media.documents.ocr import TextReader

# A card's extent around the face of its portrait, in widths of that face, with room for a tilted hand.
_LEFT, _RIGHT, _UP, _DOWN = 7.0, 3.0, 3.8, 4.6


@dataclass(frozen=True, eq=False)
class HeldCard:
    """A front seen in a hand: its valid number, and where it lies in the whole picture."""

    number: str = field(repr=False)
    confidence: float
    placement: Placement
    card: FlatCard


def find_held_card(
    bgr: NDArray[np.uint8], portrait: tuple[float, float, float, float] | None, reader: TextReader
) -> HeldCard | Side | None:
    """Find the front of a card and read its number.

    portrait: box (x0, y0, x1, y1) in pixels of a small face that may be the card's, or None. A side alone as
    the answer: a card with that side was seen but gave no valid number. None: no card was seen.
    """
    if portrait is not None:
        near = _around(portrait, bgr.shape[1], bgr.shape[0])
        found = _read(bgr[near[1], near[0]], reader, outlines=2)
        if isinstance(found, HeldCard):
            offset = np.array([near[0].start, near[1].start], dtype=np.float32)
            moved = Placement(found.placement.corners + offset, found.placement.cut)
            return HeldCard(found.number, found.confidence, moved, found.card)
        if found is not None:
            return found
    return _read(bgr, reader, outlines=3)


def _read(bgr: NDArray[np.uint8], reader: TextReader, outlines: int) -> HeldCard | Side | None:
    card = lay_flat(bgr, reader, outlines)
    if card is None:
        return None
    if isinstance(card, UnreadCard) or card.side is Side.BACK:
        return Side.FRONT if isinstance(card, UnreadCard) else Side.BACK
    line = card.key_line.packed()
    number, place = numbers.number_in(line.text), numbers.place_in(line.text)
    if number is None or place is None or not numbers.is_valid(number):
        return Side.FRONT
    return HeldCard(number, line[place].confidence, card.placement, card)


def _around(portrait: tuple[float, float, float, float], width: int, height: int) -> tuple[slice, slice]:
    x0, y0, x1, y1 = portrait
    x, y, face = (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0
    return (
        slice(max(0, int(x - _LEFT * face)), min(width, int(x + _RIGHT * face))),
        slice(max(0, int(y - _UP * face)), min(height, int(y + _DOWN * face))),
    )
