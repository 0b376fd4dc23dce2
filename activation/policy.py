"""Every number that the gate weighs with; frozen, stored with each decision."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FaceBand:
    """Cosine similarity: at or above `accept` one person, below `refuse` two, between them uncertain."""

    accept: float
    refuse: float

    def __post_init__(self) -> None:
        if not -1.0 <= self.refuse <= self.accept <= 1.0:
            raise ValueError("a face band needs -1 <= refuse <= accept <= 1")


@dataclass(frozen=True)
class LivenessLimits:
    """Bounds on `evidence.LivenessMeasured`; see there for units."""

    planarity_min: float = 0.022
    planarity_flat: float = 0.011
    track_breaks_max: int = 2
    second_faces_max: int = 2
    repeated_frames_max: float = 0.35
    frames_min: int = 30


@dataclass(frozen=True)
class Policy:
    """What one operator asks for.

    faces: band per recogniser name; a comparison by a model that is not listed counts for nothing.
    agreement_frames: frames of the video in which the document must have been read alike.
    soft_failures: failed checks without a sign of attack after which a reviewer looks (R4.2).
    courier_confirms: logistics must say that the applicant got the card (R4.3, default of this project).
    """

    version: str
    faces: dict[str, FaceBand]
    liveness: LivenessLimits = LivenessLimits()
    card_limit: int = 5
    minimum_age: int = 16
    agreement_frames: int = 2
    soft_failures: int = 3
    courier_confirms: bool = True
