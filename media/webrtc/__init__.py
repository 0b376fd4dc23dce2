"""WebRTC: the only door to aiortc and PyAV. Receives frames and carries guidance; measures nothing."""

from media.webrtc.clip import ClipWriter
from media.webrtc.guidance import GuidanceChannel, PhoneMessage
from media.webrtc.ice import CREDENTIAL_SECONDS, IceServer, IceSettings
from media.webrtc.intake import FrameIntake, IntakeCounts, IntakeEnd, ReceivedFrame
from media.webrtc.offers import CheckedOffer, OfferRefusal, examine
from media.webrtc.peer import VideoPeer

__all__ = [
    "CREDENTIAL_SECONDS",
    "CheckedOffer",
    "ClipWriter",
    "FrameIntake",
    "GuidanceChannel",
    "IceServer",
    "IceSettings",
    "IntakeCounts",
    "IntakeEnd",
    "OfferRefusal",
    "PhoneMessage",
    "ReceivedFrame",
    "VideoPeer",
    "examine",
]
