"""The gate: whether an order may ship and whether its card may be switched on.

Pure: no clock, no database, no network. The same facts and policy always give the same decision, so
that each one can be replayed from the record (`python -m app gate replay ORDER`).

`may_ship` looks at 0 to 3, `may_activate` at all of:

0. nothing is held (R9.3), and the applicant has not taken back the consent to face recognition (R9.4)
1. the captures were given, agree with each other and are valid (R1.2, R3.1)
2. the registry knows this identity (R1.5, R3.2)
3. the order holds one of the document's five places (R2.1)
4. the courier handed this card to the applicant (R3.3, R4.3)
5. a video check was passed by the living applicant with this document and this card (R4.2)
   (of 1 and 5 nothing counts from before that consent was last taken back, but for what is against it)
6. everything that was found uncertain or failed since has been decided by reviewers

What is absent waits; what is doubtful goes to reviewers; nothing but an empty list of findings activates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from activation.evidence import (
    CapturesMeasured,
    FaceConsent,
    FaceSource,
    Facts,
    Handover,
    HandoverOutcome,
    QuotaPlace,
    RegistryAnswer,
    RegistryVerdict,
    ReviewDecision,
    ReviewOutcome,
    ReviewStage,
    SimBinding,
    VideoCheckMeasured,
)
from activation.findings import NEEDS_NEW_CHECK, Finding, Reason, Weight
from activation.policy import Policy
from activation.weighing import face_finding, face_withdrawn_at, holds_in_force, latest, weigh_check


@dataclass(frozen=True)
class Pass:
    """Nothing is in the way: ship, or activate."""


@dataclass(frozen=True)
class Wait:
    missing: tuple[Reason, ...]


@dataclass(frozen=True)
class Refuse:
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Review:
    """two_people: at least one reason is a failed check, which one reviewer alone cannot override."""

    reasons: tuple[Reason, ...]
    two_people: bool


Decision = Pass | Wait | Refuse | Review


def may_ship(facts: Facts, policy: Policy) -> Decision:
    """Steps 0 to 3: an inactive card may be mailed (R3.2, R4.1)."""
    found = _before_shipping(facts, policy)
    return _conclude(found, facts, (ReviewStage.SHIP,))


def may_activate(facts: Facts, policy: Policy) -> Decision:
    """Steps 0 to 6: the card may be switched on (R4.2, R4.3)."""
    found = [*_before_shipping(facts, policy), *_handover(facts, policy), *_video(facts, policy)]
    return _conclude(found, facts, (ReviewStage.SHIP, ReviewStage.ACTIVATE))


def _before_shipping(facts: Facts, policy: Policy) -> list[Finding]:
    return [*_holds(facts), *_captures(facts, policy), *_registry(facts), *_quota(facts, policy)]


def _holds(facts: Facts) -> Iterator[Finding]:
    """Step 0."""
    for index in holds_in_force(facts).values():
        yield Finding(Weight.MISSING, Reason.HELD, index)
    index, consent = latest(facts, FaceConsent)
    if consent is not None and not consent.given:
        yield Finding(Weight.MISSING, Reason.FACE_CONSENT_WITHDRAWN, index)


def _captures(facts: Facts, policy: Policy) -> Iterator[Finding]:
    """Step 1. Whoever takes the consent back does not take back what spoke against it (R9.4)."""
    withdrawn, forgotten = face_withdrawn_at(facts), _new_captures_asked_at(facts)
    for index, before in enumerate(facts.evidence):
        if isinstance(before, CapturesMeasured) and forgotten < index < withdrawn:
            for finding in _weigh_captures(before, index, policy):
                if finding.weight in (Weight.REFUSE, Weight.FAILED):
                    yield finding
    newest, captures = latest(facts, CapturesMeasured)
    if captures is None or newest < withdrawn:
        yield Finding(Weight.MISSING, Reason.CAPTURES_MISSING)
    else:
        yield from _weigh_captures(captures, newest, policy)


def _weigh_captures(captures: CapturesMeasured, index: int, policy: Policy) -> Iterator[Finding]:
    if captures.identity.name is None or captures.identity.number is None:
        yield Finding(Weight.MISSING, Reason.CAPTURES_MISSING)
        return
    if not captures.valid_today:
        yield Finding(Weight.REFUSE, Reason.DOCUMENT_NOT_VALID, index)
    if captures.age_years < policy.minimum_age:
        yield Finding(Weight.REFUSE, Reason.UNDER_AGE, index)
    if captures.handheld_number != captures.identity.number:
        read = captures.handheld_number is not None
        yield Finding(Weight.REFUSE if read else Weight.FAILED, Reason.DIFFERENT_DOCUMENTS, index)
    if captures.bareheaded is not True:  # what cannot be measured is not known
        yield Finding(Weight.UNCERTAIN, Reason.HEAD_COVERED, index)
    yield from face_finding(
        captures.comparisons,
        (FaceSource.HANDHELD_FACE, FaceSource.FRONT_PORTRAIT),
        policy,
        (
            Reason.PRECHECK_FACE_NOT_COMPARED,
            Reason.PRECHECK_FACE_UNCERTAIN,
            Reason.PRECHECK_FACE_DIFFERS,
        ),
        index,
    )


def _registry(facts: Facts) -> Iterator[Finding]:
    """Step 2. An answer about another identity than the one submitted last is no answer."""
    _, captures = latest(facts, CapturesMeasured)
    index, answer = latest(facts, RegistryAnswer)
    if captures is None or answer is None or answer.identity != captures.identity:
        yield Finding(Weight.MISSING, Reason.REGISTRY_MISSING)
        return
    match answer.verdict:
        case RegistryVerdict.MATCH:
            return
        case RegistryVerdict.MISMATCH:
            yield Finding(Weight.REFUSE, Reason.REGISTRY_MISMATCH, index)
        case RegistryVerdict.UNKNOWN:
            yield Finding(Weight.UNCERTAIN, Reason.REGISTRY_UNKNOWN, index)
        case RegistryVerdict.UNAVAILABLE:
            yield Finding(Weight.MISSING, Reason.REGISTRY_MISSING, index)


def _quota(facts: Facts, policy: Policy) -> Iterator[Finding]:
    """Step 3."""
    index, quota = latest(facts, QuotaPlace)
    if quota is None:
        yield Finding(Weight.MISSING, Reason.QUOTA_MISSING)
    elif quota.place is None or not 1 <= quota.place <= min(quota.limit, policy.card_limit):
        yield Finding(Weight.REFUSE, Reason.CARD_LIMIT_REACHED, index)


def _handover(facts: Facts, policy: Policy) -> Iterator[Finding]:
    """Step 4."""
    _, sim = latest(facts, SimBinding)
    index, handover = latest(facts, Handover)
    if sim is None:
        yield Finding(Weight.MISSING, Reason.SIM_MISSING)
        return
    for at, fact in enumerate(facts.evidence):
        # Somebody else was at the door once; a later handover does not make that unsaid.
        if isinstance(fact, Handover) and fact.outcome is HandoverOutcome.MISMATCH:
            yield Finding(Weight.FAILED, Reason.HANDOVER_MISMATCH, at)
    if handover is None or handover.outcome is not HandoverOutcome.HANDED_OVER:
        yield Finding(Weight.MISSING, Reason.HANDOVER_MISSING)
        return
    if handover.order != facts.order or handover.iccid != sim.iccid:
        yield Finding(Weight.REFUSE, Reason.HANDOVER_OTHER_CARD, index)
    confirmed = (
        handover.code_matched and handover.document_tail_matched and handover.person_resembles_document
    )
    if policy.courier_confirms and not confirmed:
        yield Finding(Weight.REFUSE, Reason.HANDOVER_NOT_CONFIRMED, index)
    if handover.photo is not None:
        yield from face_finding(
            handover.comparisons,
            (FaceSource.COURIER_PHOTO, FaceSource.FRONT_PORTRAIT),
            policy,
            (
                Reason.COURIER_FACE_NOT_COMPARED,
                Reason.COURIER_FACE_UNCERTAIN,
                Reason.COURIER_FACE_DIFFERS,
            ),
            index,
        )


def _video(facts: Facts, policy: Policy) -> Iterator[Finding]:
    """Step 5. Signs of attack in any attempt stay, whatever passed before or after."""
    _, captures = latest(facts, CapturesMeasured)
    _, sim = latest(facts, SimBinding)
    submitted = captures.identity if captures else None
    iccid = sim.iccid if sim else None
    excused, forgotten = _new_check_asked_at(facts, people=1), _new_check_asked_at(facts, people=2)
    excused = max(excused, face_withdrawn_at(facts))
    passed, soft, last = False, 0, -1
    for index, check in enumerate(facts.evidence):
        if not isinstance(check, VideoCheckMeasured) or index <= forgotten:
            continue
        findings = list(weigh_check(check, index, submitted, iccid, policy))
        if index <= excused:
            yield from (finding for finding in findings if finding.weight is Weight.FAILED)
            continue
        last = index
        if not any(f.weight is Weight.MISSING or f.reason in NEEDS_NEW_CHECK for f in findings):
            passed = True
        # An attempt that saw nobody, as in a full house, says nothing about the applicant.
        seen = check.liveness is not None
        soft += seen and any(finding.weight is Weight.MISSING for finding in findings)
        yield from (finding for finding in findings if finding.weight is not Weight.MISSING)
    if passed:
        return
    # Reviewers may let the applicant try on; they cannot stand in for a check that was passed.
    if soft >= policy.soft_failures:
        yield Finding(Weight.FAILED, Reason.VIDEO_CHECK_FAILED_OFTEN, last)
    yield Finding(Weight.MISSING, Reason.VIDEO_CHECK_MISSING)


def _new_captures_asked_at(facts: Facts) -> int:
    """Index up to which reviewers have seen captures and asked for new ones; -1: never."""
    asked = [
        fact.about
        for fact in facts.evidence
        if isinstance(fact, ReviewDecision)
        and (fact.stage, fact.outcome) == (ReviewStage.SHIP, ReviewOutcome.NEW_CAPTURE)
    ]
    return max(asked, default=-1)


def _new_check_asked_at(facts: Facts, people: int) -> int:
    """Index up to which reviewers have asked for a new check; -1: never. Only two forget a failed one."""
    asked = [
        fact.about
        for fact in facts.evidence
        if isinstance(fact, ReviewDecision)
        and fact.stage is ReviewStage.ACTIVATE
        and fact.outcome is ReviewOutcome.NEW_CAPTURE
        and (people == 1 or _by_two(fact))
    ]
    return max(asked, default=-1)


def _by_two(review: ReviewDecision) -> bool:
    return review.checker is not None and review.checker != review.maker


def _conclude(found: Iterable[Finding], facts: Facts, stages: tuple[ReviewStage, ...]) -> Decision:
    """Step 6."""
    reviews = [fact for fact in facts.evidence if isinstance(fact, ReviewDecision) and fact.stage in stages]
    if any(review.outcome is ReviewOutcome.REFUSE for review in reviews):
        return Refuse((Reason.REVIEWER_REFUSED,))
    approvals = [review for review in reviews if review.outcome is ReviewOutcome.APPROVE]
    open_ = [finding for finding in found if not any(_covers(a, finding) for a in approvals)]
    by_weight = {weight: _reasons(open_, weight) for weight in Weight}
    if by_weight[Weight.REFUSE]:
        return Refuse(by_weight[Weight.REFUSE])
    if doubtful := by_weight[Weight.FAILED] + by_weight[Weight.UNCERTAIN]:
        return Review(tuple(dict.fromkeys(doubtful)), two_people=bool(by_weight[Weight.FAILED]))
    if by_weight[Weight.MISSING]:
        return Wait(by_weight[Weight.MISSING])
    return Pass()


def _covers(approval: ReviewDecision, finding: Finding) -> bool:
    """An approval speaks only of what the reviewer had seen; a failed check takes two different people."""
    enough = finding.weight is Weight.UNCERTAIN or (finding.weight is Weight.FAILED and _by_two(approval))
    return enough and 0 <= finding.index <= approval.about


def _reasons(findings: Iterable[Finding], weight: Weight) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(finding.reason for finding in findings if finding.weight is weight))
