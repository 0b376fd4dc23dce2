"""The video check: conducts a session over WebRTC and measures it (R4.2). Decides nothing."""

from media.videocheck.desk import DeskRefusal, VideoChecks
from media.videocheck.instruments import Instruments, open_instruments
from media.videocheck.measured import CheckMeasured, Ending, Keyframe, Pace
from media.videocheck.session import CheckRequest, CheckSession
from media.videocheck.states import FINAL, OPEN, CheckState, may_follow, states_before

__all__ = [
    "FINAL",
    "OPEN",
    "CheckMeasured",
    "CheckRequest",
    "CheckSession",
    "CheckState",
    "DeskRefusal",
    "Ending",
    "Instruments",
    "Keyframe",
    "Pace",
    "VideoChecks",
    "may_follow",
    "open_instruments",
    "states_before",
]
