"""Evidence: frozen facts about one order, as measured, with scores and models and never a verdict.

Facts hold no personal data. A name or a document number appears only as a keyed hash (`Digest`), so
that agreement can be tested and replayed (`activation.gate`) without anybody reading it.
All times are aware UTC datetimes; all scores state their range.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from activation.ids import CheckId, DeliveryId, Digest, Iccid, OrderId, StaffId


@dataclass(frozen=True)
class ModelRef:
    """Which model measured: registry name, version, SHA-256 of its file (64 hex digits)."""

    name: str
    version: str
    sha256: str


class CaptureKind(StrEnum):
    """The three captures of R3.1."""

    ID_FRONT = "id_front"
    ID_BACK = "id_back"
    HANDHELD = "handheld"


class FaceSource(StrEnum):
    """Where a face was seen."""

    FRONT_PORTRAIT = "front_portrait"
    HANDHELD_FACE = "handheld_face"
    HANDHELD_PORTRAIT = "handheld_portrait"
    LIVE = "live"
    VIDEO_PORTRAIT = "video_portrait"
    COURIER_PHOTO = "courier_photo"


@dataclass(frozen=True)
class FaceComparison:
    """Cosine similarity of two embeddings, -1 to 1, by one model."""

    left: FaceSource
    right: FaceSource
    similarity: float
    model: ModelRef


@dataclass(frozen=True)
class Identity:
    """Who somebody is, as keyed hashes of the normalised name and document number."""

    name: Digest | None
    number: Digest | None


@dataclass(frozen=True)
class CapturesMeasured:
    """R3.1: the three captures were given, read and confirmed by the applicant."""

    at: datetime
    identity: Identity
    handheld_number: Digest | None
    comparisons: tuple[FaceComparison, ...]
    age_years: int
    valid_today: bool
    bareheaded: bool | None
    media: tuple[Digest, ...]


class RegistryVerdict(StrEnum):
    """The national registry's answer (R1.5)."""

    MATCH = "match"
    MISMATCH = "mismatch"
    UNKNOWN = "unknown"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class RegistryAnswer:
    at: datetime
    verdict: RegistryVerdict
    identity: Identity
    reference: str


@dataclass(frozen=True)
class QuotaPlace:
    """R2.1: the place among the document's cards that this order holds (1 to limit); None: no place left."""

    at: datetime
    place: int | None
    limit: int


class HandoverOutcome(StrEnum):
    HANDED_OVER = "handed_over"
    REFUSED = "refused"
    NOT_HOME = "not_home"
    MISMATCH = "mismatch"


@dataclass(frozen=True)
class Handover:
    """R3.3/R4.3: what the courier recorded at the door."""

    at: datetime
    outcome: HandoverOutcome
    delivery: DeliveryId
    order: OrderId
    iccid: Iccid
    courier: StaffId
    code_matched: bool
    document_tail_matched: bool
    person_resembles_document: bool
    photo: Digest | None
    comparisons: tuple[FaceComparison, ...] = ()


class CheckOutcome(StrEnum):
    """How one attempt ended."""

    MEASURED = "measured"
    EXPIRED = "expired"
    ABORTED = "aborted"


@dataclass(frozen=True)
class MovementMeasured:
    """One movement of the challenge: done within its window and in order, and how long it took."""

    movement: str
    done: bool
    in_order: bool
    milliseconds: int | None


@dataclass(frozen=True)
class LivenessMeasured:
    """What the challenge measured.

    planarity: homography residual of the turning face's landmarks divided by the face's diagonal (0 is a
      perfect plane; a head is near 0.03), None where no turn was seen.
    continuity: the sampled face that is least like the most typical one (LIVE, LIVE), None: too few.
    track_breaks: times the face was lost for longer than a blink; second_faces: frames with more than one.
    repeated_frames: share of frames, 0 to 1, that are copies of the one before.
    """

    movements: tuple[MovementMeasured, ...]
    planarity: float | None
    continuity: FaceComparison | None
    track_breaks: int
    second_faces: int
    repeated_frames: float
    frames: int


@dataclass(frozen=True)
class VideoCheckMeasured:
    """R4.2: one attempt at the video check, measured."""

    at: datetime
    check: CheckId
    attempt: int
    outcome: CheckOutcome
    seconds: float
    liveness: LivenessMeasured | None
    document: Identity
    document_frames: int
    iccid: Iccid | None
    comparisons: tuple[FaceComparison, ...]
    tracker: ModelRef | None
    media: tuple[Digest, ...]


class ReviewOutcome(StrEnum):
    APPROVE = "approve"
    REFUSE = "refuse"
    NEW_CAPTURE = "new_capture"


class ReviewStage(StrEnum):
    """Which decision the reviewer's evidence is for."""

    SHIP = "ship"
    ACTIVATE = "activate"


@dataclass(frozen=True)
class ReviewDecision:
    """A reviewer's decision, one more piece of evidence. `checker` differs from `maker` or is None.

    about: index of the last fact the reviewer saw; facts that came later are not covered by it.
    """

    at: datetime
    stage: ReviewStage
    outcome: ReviewOutcome
    reason: str
    maker: StaffId
    checker: StaffId | None
    about: int


@dataclass(frozen=True)
class Hold:
    """R9.3: the authority or the operator stopped this order (or everything that it is part of).

    hold: id of the hold, which tells two of the same scope apart; empty in facts from before there were ids.
    """

    at: datetime
    scope: str
    placed: bool
    by: StaffId
    reason: str
    hold: str = ""


@dataclass(frozen=True)
class FaceConsent:
    """R9.4: the applicant took the separate consent to face recognition back, or gave it anew after that."""

    at: datetime
    given: bool
    version: str


@dataclass(frozen=True)
class SimBinding:
    """Which card the order is for; the ICCID that handover and video must show."""

    at: datetime
    iccid: Iccid


Evidence = (
    CapturesMeasured
    | RegistryAnswer
    | QuotaPlace
    | SimBinding
    | Handover
    | VideoCheckMeasured
    | ReviewDecision
    | Hold
    | FaceConsent
)


@dataclass(frozen=True)
class Facts:
    """All evidence about one order in the order in which it came; `evidence[i]` has index i."""

    order: OrderId
    evidence: tuple[Evidence, ...] = field(default=())
