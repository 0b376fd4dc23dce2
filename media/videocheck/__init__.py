"""The video check: conducts a session over WebRTC and measures it (R4.2). Decides nothing."""

from media.videocheck.desk import DeskRefusal, VideoChecks
from media.videocheck.instruments import Instruments, open_instruments
from media.videocheck.measured import CheckMeasured, Ending, Keyframe, Pace
from media.videocheck.session import CheckRequest, CheckSession

__all__ = [
    "CheckMeasured",
    "CheckRequest",
    "CheckSession",
    "DeskRefusal",
    "Ending",
    "Instruments",
    "Keyframe",
    "Pace",
    "VideoChecks",
    "open_instruments",
]
