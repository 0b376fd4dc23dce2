"""Reading the identity card that is held up to the camera in the video check (R4.2).

Runs in threads, not in the capture pool's processes: nearly all of its time is spent in OpenCV and ONNX
Runtime, which release the interpreter lock, and frames would have to be copied to another process.
Measured: two threads read 1.8 × as many frames as one. One frame costs some 100 ms on one core, so
2 to 3 a second are fed; the caller drops the frames between them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from media.documents import number as numbers
from media.documents.front import name_in, read_rows
from media.documents.layout import FlatCard, Side, UnreadCard, lay_flat
from media.documents.ocr import TextReader, shared_reader
from media.documents.pixels import grey_of
from media.documents.quality import MAX_GLARE, glare, sharpness
from media.documents.readings import CardSighting, CardVote

MIN_AGREEING = 2
"""Frames that must give the same value before it counts."""
PORTRAIT_FRAMES = 4
"""Frames to choose the sharpest portrait from: a card that has just come in is often blurred."""
MAX_SIGHTINGS = 64
"""Frames remembered in one check; further ones are still read but no longer voted on."""
MIN_STREAM_SHARPNESS = 0.10
"""Compression softens a stream; below this the strokes run together."""
MIN_NAME_CONFIDENCE = 0.85
FRAME_SIDE = 640
PORTRAIT_AREA = (0.60, 0.05, 0.97, 0.82)
"""x0, y0, x1, y1 of the portrait with room around it, as shares of the card."""


class CardHint(StrEnum):
    """What the applicant should change."""

    NOT_SEEN = "card_not_seen"
    BLURRED = "card_blurred"
    GLARE = "card_glare"


def portrait_area(card: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The part of a front laid flat where its portrait is, (H, W, 3)."""
    height, width = card.shape[:2]
    x0, y0, x1, y1 = PORTRAIT_AREA
    return card[int(y0 * height) : int(y1 * height), int(x0 * width) : int(x1 * width)]


class CardReader:
    """Reads one card over several frames and votes. One for each check; not shared between threads."""

    def __init__(self, reader: TextReader | None = None) -> None:
        self._reader = reader or shared_reader()
        self._numbers: Counter[str] = Counter()
        self._names: dict[str, list[float]] = defaultdict(list)
        self._frames = 0
        self._portrait: NDArray[np.uint8] | None = None
        self._best: tuple[str, float] = ("", -1.0)

    def feed(self, bgr: NDArray[np.uint8]) -> CardSighting | None:
        """Read one frame, (H, W, 3) BGR. None: no card is in it."""
        card = lay_flat(bgr, self._reader, frame_side=FRAME_SIDE)
        if card is None:
            return None
        grey = grey_of(card.pixels)
        sharp, burnt = sharpness(grey), glare(grey, float(np.median(grey[::4, ::4])))
        if isinstance(card, UnreadCard) or card.side is Side.BACK:
            return CardSighting(None, None, 0.0, sharp, burnt, _hint(card, sharp, burnt))
        number = numbers.number_in(card.key_line.text)
        if number is None or not numbers.is_valid(number):
            return CardSighting(None, None, 0.0, sharp, burnt, _hint(card, sharp, burnt))
        rows = read_rows(card, self._reader, limit=1)
        name = name_in(rows[0]) if rows else None
        sighting = CardSighting(
            number, name.text if name else None, name.confidence if name else 0.0, sharp, burnt, None
        )
        self._count(sighting, card)
        return sighting

    def voted(self) -> CardVote:
        """What the frames so far agree on."""
        number, number_frames = _winner(self._numbers)
        name, name_frames = _winner(Counter({name: len(seen) for name, seen in self._names.items()}))
        portrait = self._portrait if number is not None and self._best[0] == number else None
        return CardVote(number, name, number_frames, name_frames, self._frames, portrait)

    @property
    def complete(self) -> bool:
        """Whether all is there: number, name, and a portrait out of enough frames to choose from."""
        vote = self.voted()
        read = vote.number is not None and vote.name is not None and vote.portrait is not None
        return read and vote.number_frames >= PORTRAIT_FRAMES

    def _count(self, sighting: CardSighting, card: FlatCard) -> None:
        if self._frames >= MAX_SIGHTINGS or sighting.number is None:
            return
        self._frames += 1
        self._numbers[sighting.number] += 1
        if sighting.name is not None and sighting.name_confidence >= MIN_NAME_CONFIDENCE:
            self._names[sighting.name].append(sighting.name_confidence)
        if sighting.sharpness > self._best[1] and sighting.glare <= MAX_GLARE:
            self._best = (sighting.number, sighting.sharpness)
            self._portrait = portrait_area(card.pixels).copy()


def _hint(card: FlatCard | UnreadCard, sharp: float, burnt: float) -> str:
    if burnt > MAX_GLARE:
        return CardHint.GLARE
    if sharp < MIN_STREAM_SHARPNESS or isinstance(card, UnreadCard):
        return CardHint.BLURRED
    return CardHint.NOT_SEEN


def _winner(votes: Counter[str]) -> tuple[str | None, int]:
    """The value with most votes, where it has enough and no other has as many."""
    ranked = votes.most_common(2)
    if not ranked or ranked[0][1] < MIN_AGREEING:
        return None, 0
    tied = len(ranked) == 2 and ranked[1][1] == ranked[0][1]
    return (None, 0) if tied else ranked[0]
