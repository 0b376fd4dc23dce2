from __future__ import annotations

import numpy as np

from activation.evidence import FaceSource, ModelRef
from media.liveness import FrozenMeasured, liveness_evidence
from media.liveness.script import Movement, Script
from tests.media.liveness.performing import play

MODEL = ModelRef("dlib", "1", "0" * 64)
ALIVE = FrozenMeasured(frames=100, still=5, repeated=15, longest_still_ms=100)


def test_the_gate_gets_what_was_measured() -> None:
    player = play(Script("n", (Movement.TURN_LEFT, Movement.OPEN_MOUTH), (300, 300)))
    for embedding in ([1.0, 0.0], [0.8, 0.6]):
        player.tracker.add_embedding(np.array(embedding, dtype=np.float32))
    measured = player.tracker.measured()
    evidence = liveness_evidence(measured, ALIVE, MODEL)
    assert [(m.movement, m.done, m.in_order) for m in evidence.movements] == [
        ("turn_left", True, True),
        ("open_mouth", True, True),
    ]
    assert evidence.planarity == measured.depth.residual
    assert evidence.continuity is not None
    assert (evidence.continuity.left, evidence.continuity.right) == (FaceSource.LIVE, FaceSource.LIVE)
    assert round(evidence.continuity.similarity, 3) == 0.8
    assert evidence.continuity.model == MODEL
    assert evidence.repeated_frames == 0.2
    assert evidence.frames == measured.continuity.frames > 0


def test_nothing_measured_passes_nothing() -> None:
    player = play(Script("n", (Movement.OPEN_MOUTH,), (300,)))
    nothing = FrozenMeasured(frames=0, still=0, repeated=0, longest_still_ms=0)
    evidence = liveness_evidence(player.tracker.measured(), nothing, MODEL)
    assert evidence.planarity is None
    assert evidence.continuity is None
    assert evidence.repeated_frames == 1.0
