"""What a session measures with; one place to put real instruments or, in tests, others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from activation.evidence import ModelRef
from media.documents import CardReader, find_iccid
from media.documents.readings import CardSighting, CardVote
from media.faces import Face, FaceFinder, FaceTracker, Recogniser, open_finder, open_tracker
from media.liveness import ChallengeMeasured, ChallengeTracker, ChallengeView, Script


class Challenge(Protocol):
    """Follows one person through one script."""

    def feed(self, faces: Sequence[Face], bgr_shape: tuple[int, ...], t_ms: int) -> ChallengeView: ...

    def add_embedding(self, embedding: NDArray[np.float32]) -> None: ...

    def measured(self) -> ChallengeMeasured: ...


class Card(Protocol):
    """Reads one identity card over several frames."""

    def feed(self, bgr: NDArray[np.uint8]) -> CardSighting | None: ...

    def voted(self) -> CardVote: ...

    @property
    def complete(self) -> bool: ...


@dataclass(frozen=True)
class Instruments:
    """recogniser and finder are shared and thread-safe; the others are opened for each check."""

    recogniser: Recogniser
    finder: FaceFinder
    tracker_model: ModelRef | None
    open_tracker: Callable[[], FaceTracker] = open_tracker
    open_challenge: Callable[[Script], Challenge] = ChallengeTracker
    open_card: Callable[[], Card] = CardReader
    find_iccid: Callable[[NDArray[np.uint8]], str | None] = find_iccid


def open_instruments(recogniser: Recogniser) -> Instruments:
    """The real ones. Loads models (a second or two): call it at start, outside of the event loop."""
    from media.documents import shared_reader
    from media.faces.mediapipe_graph import tracker_model

    shared_reader()
    return Instruments(recogniser, open_finder(), tracker_model())
