"""What the liveness measures found, as numbers. Nothing here passes or fails a person; the gate does."""

from __future__ import annotations

from dataclasses import dataclass

from media.liveness.script import Movement


@dataclass(frozen=True)
class Baseline:
    """The person's own face, straight ahead and at rest, against which the movements are measured.

    yaw and pitch in degrees; eyes and mouth as in `media.faces`; size is the face's diagonal over the
    frame's shorter side.
    """

    yaw: float
    pitch: float
    eyes: float
    mouth: float
    size: float
    frames: int


@dataclass(frozen=True)
class MovementSeen:
    """One movement of the script. Times are milliseconds of the stream.

    `peak` is the furthest that was reached in the wanted direction: degrees for turns and nods, growth of
    the mouth's opening, growth of the face (0.25 = a quarter larger), or share of the eyes' closing (1 = shut
    all the way).
    `others` are movements that the person did in this window instead of or before the wanted one.
    """

    movement: Movement
    done: bool
    in_order: bool
    peak: float
    prompted_at_ms: int | None
    took_ms: int | None
    others: tuple[Movement, ...]


@dataclass(frozen=True)
class DepthMeasured:
    """How far the nose lies from the plane of the face around it, in frames that are seen from an angle.

    `residual` is a fraction of the face's diagonal, None where the head was not seen rotated enough in at
    least two frames: above 0.027 for a real head in a video of 53 s, below 0.018 for tilted photos.
    `rotation` is the largest angle, in degrees by which a plane would have to be tilted to be foreshortened
    alike.
    """

    residual: float | None
    frames: int
    rotation: float


@dataclass(frozen=True)
class ContinuityMeasured:
    """Whether one face was followed throughout.

    `largest_jump` is the furthest that a face's centre moved between two neighbouring frames, in face
    diagonals. `least_similarity` compares the embeddings given with the first of them, None below two.
    """

    frames: int
    frames_without_face: int
    longest_gap_ms: int
    breaks: int
    frames_with_more_faces: int
    largest_jump: float
    jumps: int
    embedded: int
    least_similarity: float | None


@dataclass(frozen=True)
class FrozenMeasured:
    """Whether the stream was moving pictures. `repeated` are exact copies of any earlier frame but the last
    one, `still` frames hardly differ from the one before."""

    frames: int
    still: int
    repeated: int
    longest_still_ms: int


@dataclass(frozen=True)
class ChallengeMeasured:
    """The whole challenge. `position_took_ms` and `baseline`: None where the face never came into place."""

    nonce: str
    finished: bool
    position_took_ms: int | None
    baseline: Baseline | None
    movements: tuple[MovementSeen, ...]
    depth: DepthMeasured
    continuity: ContinuityMeasured

    @property
    def all_done(self) -> bool:
        """Every movement was done in its window and before any other."""
        return bool(self.movements) and all(m.done and m.in_order for m in self.movements)
