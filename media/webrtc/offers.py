"""What an offer must look like before it reaches the WebRTC library: small, one camera, nothing else.

The text comes from strangers. Everything that is not an offer to send exactly one video becomes a
refusal, a value; only after that does a parser with state see it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from aiortc import sdp as aiortc_sdp

from media.webrtc.candidates import is_candidate, is_spoken_to

MAX_OFFER_CHARACTERS = 32_768
"""Browsers send 3 to 10 thousand."""
MAX_SECTIONS = 3  # video, data channel, and an audio section that is answered inactive
MAX_CANDIDATES = 32
"""Each one is a host that the server sends STUN checks to; phones have fewer than twelve."""

_SENDING = frozenset({"sendrecv", "sendonly"})
_HASHES = frozenset({"sha-256", "sha-384", "sha-512"})
_CODECS = frozenset({"video/vp8", "video/h264"})


class OfferRefusal(StrEnum):
    TOO_LARGE = "too_large"
    NOT_SDP = "not_sdp"
    NO_VIDEO = "no_video"
    TOO_MUCH_VIDEO = "too_much_video"
    NO_COMMON_CODEC = "no_common_codec"
    NO_GUIDANCE_CHANNEL = "no_guidance_channel"
    TOO_MANY_SECTIONS = "too_many_sections"
    TOO_MANY_CANDIDATES = "too_many_candidates"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True)
class CheckedOffer:
    """An offer with one sending video section and a data channel.

    fingerprint: SHA-256 of the certificate that the handshake must show, 64 hex digits.
    """

    sdp: str = field(repr=False)
    fingerprint: str


def examine(sdp: str, *, private_candidates: bool = True) -> CheckedOffer | OfferRefusal:
    """Whether `sdp` is an offer that can be answered. private_candidates: see `candidates`."""
    if len(sdp) > MAX_OFFER_CHARACTERS:
        return OfferRefusal.TOO_LARGE
    # The parser ends a line at more characters than CR LF; what is counted here must be what it reads.
    sdp = "\n".join(sdp.splitlines())
    if not sdp.isascii() or not sdp.startswith("v=0"):
        return OfferRefusal.NOT_SDP
    if sdp.count("\nm=") > MAX_SECTIONS:
        return OfferRefusal.TOO_MANY_SECTIONS
    if sdp.count("\na=candidate:") > MAX_CANDIDATES:
        return OfferRefusal.TOO_MANY_CANDIDATES
    try:
        sdp = _with_candidates(sdp, private_candidates)
        description = aiortc_sdp.SessionDescription.parse(sdp)
    except Exception:  # the parser raises whatever a malformed line makes it raise
        return OfferRefusal.NOT_SDP
    return _examine_sections(description, sdp)


def _examine_sections(description: aiortc_sdp.SessionDescription, sdp: str) -> CheckedOffer | OfferRefusal:
    video = [media for media in description.media if media.kind == "video" and media.port != 0]
    sending = [media for media in video if media.direction in _SENDING]
    if not sending:
        return OfferRefusal.NO_VIDEO
    if len(video) > 1:
        return OfferRefusal.TOO_MUCH_VIDEO
    if not any(codec.mimeType.lower() in _CODECS for codec in sending[0].rtp.codecs):
        return OfferRefusal.NO_COMMON_CODEC
    if not any(media.kind == "application" for media in description.media):
        return OfferRefusal.NO_GUIDANCE_CHANNEL
    mids = [media.rtp.muxId for media in description.media]
    bundled = [mid for group in description.group if group.semantic == "BUNDLE" for mid in group.items]
    # aiortc would put everything on the transport of a section that is not there.
    if not all(mids) or len(set(mids)) < len(mids) or not set(bundled) <= set(mids):
        return OfferRefusal.NOT_SDP
    fingerprint = _fingerprint(description)
    return OfferRefusal.NOT_SDP if fingerprint is None else CheckedOffer(sdp, fingerprint)


def _fingerprint(description: aiortc_sdp.SessionDescription) -> str | None:
    """The SHA-256 fingerprint that every section has (RFC 8122).

    None where one has none, sections differ, or a hash is offered that others can be made to match.
    """
    found: dict[str, str] = {}
    for media in description.media:
        if media.dtls is None or not media.dtls.fingerprints:
            return None
        for each in media.dtls.fingerprints:
            algorithm, value = each.algorithm.lower(), each.value.replace(":", "").lower()
            if algorithm not in _HASHES or found.setdefault(algorithm, value) != value:
                return None
    value = found.get("sha-256", "")
    return value if re.fullmatch(r"[0-9a-f]{64}", value) else None


def _with_candidates(sdp: str, private: bool) -> str:
    """Without candidates that are not spoken to, each line ended as the standard says."""
    lines = sdp.splitlines()
    kept = (each for each in lines if not is_candidate(each) or is_spoken_to(each, private=private))
    return "".join(f"{line}\r\n" for line in kept)
