"""How the gate weighs one comparison of faces and one video check against the policy. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from activation.evidence import (
    CapturesMeasured,
    CheckOutcome,
    Evidence,
    FaceComparison,
    FaceConsent,
    FaceSource,
    Facts,
    Hold,
    Identity,
    LivenessMeasured,
    ReviewDecision,
    ReviewStage,
    VideoCheckMeasured,
)
from activation.findings import Finding, Reason, Weight
from activation.ids import Iccid
from activation.policy import Policy

E = TypeVar("E", bound=Evidence)

#: Reasons for: not compared, uncertain, differs.
FaceReasons = tuple[Reason, Reason, Reason]
_LIVE: FaceReasons = (Reason.LIVE_FACE_NOT_COMPARED, Reason.LIVE_FACE_UNCERTAIN, Reason.LIVE_FACE_DIFFERS)
_ONE_PERSON: FaceReasons = (
    Reason.LIVE_FACE_NOT_COMPARED,
    Reason.CONTINUITY_UNCERTAIN,
    Reason.PERSON_CHANGED,
)

#: The live face must be the person of each of these (R4.2).
LIVE_AGAINST = (FaceSource.FRONT_PORTRAIT, FaceSource.HANDHELD_FACE, FaceSource.VIDEO_PORTRAIT)
_SUBMITTED = (FaceSource.FRONT_PORTRAIT, FaceSource.HANDHELD_FACE)


def latest(facts: Facts, kind: type[E]) -> tuple[int, E | None]:
    """Index and newest evidence of one kind; (-1, None) where there is none."""
    for index in range(len(facts.evidence) - 1, -1, -1):
        fact = facts.evidence[index]
        if isinstance(fact, kind):
            return index, fact
    return -1, None


def face_withdrawn_at(facts: Facts) -> int:
    """Index at which the consent to face recognition was last taken back; -1: never.

    The pictures from before it are destroyed, so nothing that rests on them is there any more (R9.4).
    """
    return max(
        (i for i, fact in enumerate(facts.evidence) if isinstance(fact, FaceConsent) and not fact.given),
        default=-1,
    )


def captures_let_go(facts: Facts) -> bool:
    """Captures were given, and the consent to hold the face in them was taken back since."""
    given, captures = latest(facts, CapturesMeasured)
    return captures is not None and given < face_withdrawn_at(facts)


def new_check_asked_at(facts: Facts) -> int | None:
    """Index of the newest review of the activation, where a check was given before it and none since."""
    checked, check = latest(facts, VideoCheckMeasured)
    reviews = [
        index
        for index, fact in enumerate(facts.evidence)
        if index > checked and isinstance(fact, ReviewDecision) and fact.stage is ReviewStage.ACTIVATE
    ]
    return max(reviews, default=None) if check is not None else None


def holds_in_force(facts: Facts) -> dict[str, int]:
    """Each hold whose last word is that it was placed: its id, or scope where it has none, and the index."""
    last = {
        fact.hold or fact.scope: (index, fact.placed)
        for index, fact in enumerate(facts.evidence)
        if isinstance(fact, Hold)
    }
    return {hold: index for hold, (index, placed) in last.items() if placed}


def face_finding(
    comparisons: tuple[FaceComparison, ...],
    pair: tuple[FaceSource, FaceSource],
    policy: Policy,
    reasons: FaceReasons,
    index: int,
) -> Iterator[Finding]:
    """At most one finding about `pair`; a model without a band in the policy proves nothing."""
    not_compared, uncertain, differs = reasons
    known = [c for c in comparisons if {c.left, c.right} == set(pair) and c.model.name in policy.faces]
    if not known:
        yield Finding(Weight.UNCERTAIN, not_compared, index)
    elif any(c.similarity < policy.faces[c.model.name].refuse for c in known):
        yield Finding(Weight.FAILED, differs, index)
    elif not all(c.similarity >= policy.faces[c.model.name].accept for c in known):
        yield Finding(Weight.UNCERTAIN, uncertain, index)


def weigh_check(
    check: VideoCheckMeasured, index: int, submitted: Identity | None, iccid: Iccid | None, policy: Policy
) -> Iterator[Finding]:
    """Everything in the way of one attempt. MISSING here means: not shown, try again."""
    if check.liveness is None:
        yield Finding(Weight.MISSING, Reason.CHECK_NOT_FINISHED, index)
        return
    shown = _weigh_shown(check, index, submitted, iccid, policy) if _answered(check.liveness) else ()
    if check.outcome is not CheckOutcome.MEASURED:
        yield Finding(Weight.MISSING, Reason.CHECK_NOT_FINISHED, index)
        # Whoever hangs up does not take back what was seen; what a bad line does to a stream is no sign.
        seen = (*_weigh_depth(check.liveness, index, policy), *_weigh_person(check.liveness, index, policy))
        signs = (finding for finding in (*seen, *shown) if finding.weight is Weight.FAILED)
        yield from (finding for finding in signs if finding.reason is not Reason.LIVE_FACE_NOT_COMPARED)
        return
    if not check.media:  # nobody could look at it again
        yield Finding(Weight.MISSING, Reason.CHECK_NOT_FINISHED, index)
    yield from _weigh_liveness(check.liveness, index, policy)
    if not _answered(check.liveness):
        yield Finding(Weight.MISSING, Reason.CHALLENGE_NOT_ANSWERED, index)
    yield from shown


def _answered(live: LivenessMeasured) -> bool:
    """Every movement was done, each at its time."""
    return bool(live.movements) and all(movement.done and movement.in_order for movement in live.movements)


def _weigh_shown(
    check: VideoCheckMeasured, index: int, submitted: Identity | None, iccid: Iccid | None, policy: Policy
) -> Iterator[Finding]:
    """Document, card, and whose face it is."""
    yield from _weigh_document(check, index, submitted, policy)
    yield from _weigh_sim(check, index, iccid)
    pairs = [{c.left, c.right} for c in check.comparisons]
    if not any({FaceSource.LIVE, source} in pairs for source in _SUBMITTED):
        # With no submitted face, or those of another model: one reviewer cannot say alone whose it is.
        yield Finding(Weight.FAILED if pairs else Weight.MISSING, Reason.LIVE_FACE_NOT_COMPARED, index)
        return
    for source in LIVE_AGAINST:
        yield from face_finding(check.comparisons, (FaceSource.LIVE, source), policy, _LIVE, index)


def _weigh_depth(live: LivenessMeasured, index: int, policy: Policy) -> Iterator[Finding]:
    # Written so that a NaN fails: only a comparison that holds lets a measure through.
    if live.planarity is not None and not live.planarity > policy.liveness.planarity_flat:
        yield Finding(Weight.FAILED, Reason.FACE_FLAT, index)
    elif live.planarity is None or not live.planarity >= policy.liveness.planarity_min:
        yield Finding(Weight.MISSING, Reason.DEPTH_NOT_SEEN, index)


def _weigh_person(live: LivenessMeasured, index: int, policy: Policy) -> Iterator[Finding]:
    """Whether one person was there throughout; too few frames do not say."""
    if live.continuity is None or live.frames < policy.liveness.frames_min:
        yield Finding(Weight.MISSING, Reason.CHALLENGE_NOT_ANSWERED, index)
    else:
        yield from face_finding(
            (live.continuity,), (FaceSource.LIVE, FaceSource.LIVE), policy, _ONE_PERSON, index
        )


def _weigh_liveness(live: LivenessMeasured, index: int, policy: Policy) -> Iterator[Finding]:
    limits = policy.liveness
    yield from _weigh_depth(live, index, policy)
    yield from _weigh_person(live, index, policy)
    if live.track_breaks > limits.track_breaks_max:
        yield Finding(Weight.FAILED, Reason.PERSON_CHANGED, index)
    if live.second_faces > limits.second_faces_max:
        yield Finding(Weight.FAILED, Reason.SECOND_FACE, index)
    if not live.repeated_frames <= limits.repeated_frames_max:
        yield Finding(Weight.FAILED, Reason.STREAM_REPEATS, index)


def _weigh_document(
    check: VideoCheckMeasured, index: int, submitted: Identity | None, policy: Policy
) -> Iterator[Finding]:
    shown = check.document
    if shown.number is None or check.document_frames < policy.agreement_frames:
        yield Finding(Weight.MISSING, Reason.VIDEO_DOCUMENT_NOT_READ, index)
    elif submitted is None or shown.number != submitted.number:
        yield Finding(Weight.FAILED, Reason.VIDEO_DOCUMENT_DIFFERS, index)
    elif shown.name is None:
        yield Finding(Weight.MISSING, Reason.VIDEO_DOCUMENT_NOT_READ, index)
    elif shown.name != submitted.name:
        # The number agrees; a name that does not is more often a misread character than another person.
        yield Finding(Weight.UNCERTAIN, Reason.VIDEO_NAME_DIFFERS, index)


def _weigh_sim(check: VideoCheckMeasured, index: int, iccid: Iccid | None) -> Iterator[Finding]:
    if check.iccid is None:
        yield Finding(Weight.MISSING, Reason.SIM_NOT_SHOWN, index)
    elif check.iccid != iccid:
        yield Finding(Weight.FAILED, Reason.SIM_DIFFERS, index)
