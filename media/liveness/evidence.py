"""Turns what was measured into the frozen evidence that the gate weighs."""

from __future__ import annotations

from activation.evidence import FaceComparison, FaceSource, LivenessMeasured, ModelRef, MovementMeasured
from media.liveness.measured import ChallengeMeasured, FrozenMeasured


def liveness_evidence(
    challenge: ChallengeMeasured, frozen: FrozenMeasured, recogniser: ModelRef
) -> LivenessMeasured:
    """The challenge and the watch over its frames, in the gate's language.

    `recogniser` made the embeddings that the challenge was given. A jump of the face counts as a break of
    the track, a frame of a loop as a repeated one; a stream that nobody watched has shown nothing new.
    """
    repeated = frozen.still + frozen.repeated
    least = challenge.continuity.least_similarity
    one_person = (
        None if least is None else FaceComparison(FaceSource.LIVE, FaceSource.LIVE, least, recogniser)
    )
    return LivenessMeasured(
        movements=tuple(
            MovementMeasured(
                movement=seen.movement.value,
                done=seen.done,
                in_order=seen.in_order,
                milliseconds=seen.took_ms,
            )
            for seen in challenge.movements
        ),
        planarity=challenge.depth.residual,
        continuity=one_person,
        track_breaks=challenge.continuity.breaks + challenge.continuity.jumps,
        second_faces=challenge.continuity.frames_with_more_faces,
        repeated_frames=min(1.0, repeated / frozen.frames) if frozen.frames else 1.0,
        frames=challenge.continuity.frames,
    )
