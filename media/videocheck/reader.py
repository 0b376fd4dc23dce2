"""Reads behind the guidance: the card, the SIM, and whose face it is. One reading at a time."""

from __future__ import annotations

from collections import Counter, deque

import numpy as np
from numpy.typing import NDArray

from activation.ids import Iccid
from media.documents.readings import CardVote
from media.faces import Face
from media.videocheck import limits
from media.videocheck.gallery import Gallery
from media.videocheck.instruments import Card, Instruments

CARD_NOT_SEEN = "card_not_seen"
ICCID_NOT_SEEN = "iccid_not_seen"


class CheckReader:
    """One for each check; runs in worker threads."""

    def __init__(self, instruments: Instruments, gallery: Gallery) -> None:
        self._instruments = instruments
        self._gallery = gallery
        self._card: Card | None = None
        self._iccids: Counter[str] = Counter()
        self._portrait: NDArray[np.float32] | None = None
        self._portrait_tried = False
        self._owed: deque[tuple[NDArray[np.uint8], Face]] = deque()
        self.hint: str | None = None
        self.card_complete = False

    def read_card(self, bgr: NDArray[np.uint8], t_ms: int) -> None:
        """One frame in which the identity card should be."""
        if self._card is None:
            self._card = self._instruments.open_card()
        sighting = self._card.feed(bgr)
        if sighting is None:
            self.hint = CARD_NOT_SEEN
            return
        self.hint = None if sighting.number is not None else str(sighting.hint or CARD_NOT_SEEN)
        if sighting.number is not None:
            self._gallery.keep("document", t_ms, bgr, newest=True)
        self.card_complete = self._card.complete

    def read_sim(self, bgr: NDArray[np.uint8], t_ms: int) -> None:
        """One frame in which the SIM's number should be."""
        found = self._instruments.find_iccid(bgr)
        self.hint = ICCID_NOT_SEEN if found is None else None
        if found is not None:
            self._iccids[found] += 1
            self._gallery.keep("sim", t_ms, bgr)

    def embed_person(self, bgr: NDArray[np.uint8], face: Face, *, of_challenge: bool) -> None:
        """Samples the living face."""
        embedding = self._embed(bgr, face)
        if embedding is not None:
            self._gallery.add_embedding(embedding, of_challenge=of_challenge)

    def owe(self, bgr: NDArray[np.uint8], face: Face) -> None:
        """Keeps a frame that completes a movement until its face is embedded; one for each movement."""
        self._owed.append((bgr, face))

    @property
    def owes(self) -> bool:
        return bool(self._owed)

    def embed_owed(self) -> None:
        """Samples the faces of the frames that were kept."""
        while self._owed:
            self.embed_person(*self._owed.popleft(), of_challenge=True)

    def embed_portrait(self) -> None:
        """Compares nothing yet: the portrait of the card as it was seen best, once."""
        picture = self.card.portrait
        if picture is None or self._portrait_tried:
            return
        self._portrait_tried = True
        faces = self._instruments.finder.find(picture)
        self._portrait = self._embed(picture, faces[0]) if faces else None

    @property
    def card(self) -> CardVote:
        """What the frames agree on so far."""
        return self._card.voted() if self._card is not None else CardVote(None, None, 0, 0, 0, None)

    @property
    def card_fraction(self) -> float:
        """Progress of the reading, 0 to 1."""
        vote = self.card
        parts = (vote.frames > 0, vote.number is not None, vote.name is not None, vote.portrait is not None)
        return sum(parts) / len(parts)

    @property
    def iccid(self) -> Iccid | None:
        """The number read alike often enough, where no other was read as often."""
        ranked = self._iccids.most_common(2)
        if not ranked or ranked[0][1] < limits.SAME_ICCID:
            return None
        return None if len(ranked) == 2 and ranked[1][1] == ranked[0][1] else Iccid(ranked[0][0])

    @property
    def sim_fraction(self) -> float:
        return min(1.0, max(self._iccids.values(), default=0) / limits.SAME_ICCID)

    @property
    def portrait(self) -> NDArray[np.float32] | None:
        """Embedding of the portrait on the card."""
        return self._portrait

    def _embed(self, bgr: NDArray[np.uint8], face: Face) -> NDArray[np.float32] | None:
        try:
            return self._instruments.recogniser.embed(bgr, face)
        except ValueError:  # landmarks that make no face; the next sample will do
            return None
