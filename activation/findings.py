"""What the gate can find, and how heavily each finding weighs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Weight(StrEnum):
    """REFUSE cannot be overridden; FAILED takes two reviewers, UNCERTAIN one; MISSING waits."""

    REFUSE = "refuse"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    MISSING = "missing"


class Reason(StrEnum):
    """Why; each with the rule it carries out in `RULES`. For the record and reviewers, not for applicants."""

    CAPTURES_MISSING = "captures_missing"
    DOCUMENT_NOT_VALID = "document_not_valid"
    UNDER_AGE = "under_age"
    DIFFERENT_DOCUMENTS = "different_documents"
    HEAD_COVERED = "head_covered"
    PRECHECK_FACE_UNCERTAIN = "precheck_face_uncertain"
    PRECHECK_FACE_DIFFERS = "precheck_face_differs"
    PRECHECK_FACE_NOT_COMPARED = "precheck_face_not_compared"
    REGISTRY_MISSING = "registry_missing"
    REGISTRY_MISMATCH = "registry_mismatch"
    REGISTRY_UNKNOWN = "registry_unknown"
    QUOTA_MISSING = "quota_missing"
    CARD_LIMIT_REACHED = "card_limit_reached"
    HELD = "held"
    FACE_CONSENT_WITHDRAWN = "face_consent_withdrawn"
    SIM_MISSING = "sim_missing"
    HANDOVER_MISSING = "handover_missing"
    HANDOVER_OTHER_CARD = "handover_other_card"
    HANDOVER_NOT_CONFIRMED = "handover_not_confirmed"
    HANDOVER_MISMATCH = "handover_mismatch"
    COURIER_FACE_UNCERTAIN = "courier_face_uncertain"
    COURIER_FACE_DIFFERS = "courier_face_differs"
    COURIER_FACE_NOT_COMPARED = "courier_face_not_compared"
    VIDEO_CHECK_MISSING = "video_check_missing"
    VIDEO_CHECK_FAILED_OFTEN = "video_check_failed_often"
    CHECK_NOT_FINISHED = "check_not_finished"
    CHALLENGE_NOT_ANSWERED = "challenge_not_answered"
    FACE_FLAT = "face_flat"
    DEPTH_NOT_SEEN = "depth_not_seen"
    PERSON_CHANGED = "person_changed"
    CONTINUITY_UNCERTAIN = "continuity_uncertain"
    SECOND_FACE = "second_face"
    STREAM_REPEATS = "stream_repeats"
    LIVE_FACE_UNCERTAIN = "live_face_uncertain"
    LIVE_FACE_DIFFERS = "live_face_differs"
    LIVE_FACE_NOT_COMPARED = "live_face_not_compared"
    VIDEO_DOCUMENT_NOT_READ = "video_document_not_read"
    VIDEO_DOCUMENT_DIFFERS = "video_document_differs"
    VIDEO_NAME_DIFFERS = "video_name_differs"
    SIM_NOT_SHOWN = "sim_not_shown"
    SIM_DIFFERS = "sim_differs"
    REVIEWER_REFUSED = "reviewer_refused"
    REVIEWER_WANTS_NEW_CAPTURE = "reviewer_wants_new_capture"


_R = Reason
RULES: dict[Reason, str] = {
    **dict.fromkeys((_R.CAPTURES_MISSING, _R.HEAD_COVERED, _R.DIFFERENT_DOCUMENTS), "R3.1"),
    **dict.fromkeys((_R.DOCUMENT_NOT_VALID, _R.UNDER_AGE), "R1.2"),
    **dict.fromkeys(
        (_R.PRECHECK_FACE_UNCERTAIN, _R.PRECHECK_FACE_DIFFERS, _R.PRECHECK_FACE_NOT_COMPARED), "R3.1"
    ),
    **dict.fromkeys((_R.REGISTRY_MISSING, _R.REGISTRY_MISMATCH, _R.REGISTRY_UNKNOWN), "R1.5"),
    **dict.fromkeys((_R.QUOTA_MISSING, _R.CARD_LIMIT_REACHED), "R2.1"),
    _R.HELD: "R9.3",
    _R.FACE_CONSENT_WITHDRAWN: "R9.4",
    **dict.fromkeys(
        (
            _R.SIM_MISSING,
            _R.HANDOVER_MISSING,
            _R.HANDOVER_OTHER_CARD,
            _R.HANDOVER_NOT_CONFIRMED,
            _R.HANDOVER_MISMATCH,
            _R.COURIER_FACE_UNCERTAIN,
            _R.COURIER_FACE_DIFFERS,
            _R.COURIER_FACE_NOT_COMPARED,
        ),
        "R4.3",
    ),
    **dict.fromkeys((_R.REVIEWER_REFUSED, _R.REVIEWER_WANTS_NEW_CAPTURE), "R1.4"),
}

#: A check with one of these never counts as passed, whatever reviewers say; the applicant needs another.
NEEDS_NEW_CHECK = frozenset(
    {
        _R.FACE_FLAT,
        _R.PERSON_CHANGED,
        _R.SECOND_FACE,
        _R.STREAM_REPEATS,
        _R.VIDEO_DOCUMENT_DIFFERS,
        _R.SIM_DIFFERS,
    }
)


def rule_of(reason: Reason) -> str:
    """Id of the rule that `reason` carries out; everything measured in the video check is R4.2."""
    return RULES.get(reason, "R4.2")


@dataclass(frozen=True)
class Finding:
    """One thing in the way. index: the evidence that it rests on, -1 where evidence is absent."""

    weight: Weight
    reason: Reason
    index: int = -1
