"""Liveness: challenge scripts and what the received frames say about them. Measures, never decides."""

from media.liveness.challenge import ChallengeTracker
from media.liveness.evidence import liveness_evidence
from media.liveness.frozen import FrozenWatch
from media.liveness.measured import ChallengeMeasured, FrozenMeasured
from media.liveness.script import Movement, Profile, Script, new_script
from media.liveness.view import ChallengeView, Hint, Stage

__all__ = [
    "ChallengeMeasured",
    "ChallengeTracker",
    "ChallengeView",
    "FrozenMeasured",
    "FrozenWatch",
    "Hint",
    "Movement",
    "Profile",
    "Script",
    "Stage",
    "liveness_evidence",
    "new_script",
]
