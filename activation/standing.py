"""What an order's facts say about how far it has come. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from activation.evidence import (
    CapturesMeasured,
    FaceConsent,
    Facts,
    Handover,
    HandoverOutcome,
    Identity,
    RegistryAnswer,
    RegistryVerdict,
    ReviewDecision,
    ReviewOutcome,
    ReviewStage,
)
from activation.findings import Reason
from activation.gate import Decision, Pass, Refuse, Review, Wait
from activation.order import OrderState as S
from activation.weighing import captures_let_go, latest

#: How long a draft stays whose applicant was asked for new captures.
NEW_CAPTURES_WITHIN = timedelta(days=7)


def news_of_registry(facts: Facts, fact: object, identity: Identity) -> RegistryAnswer | None:
    """The answer, unless it only says again that there is none."""
    if not isinstance(fact, RegistryAnswer):
        return None
    if fact.verdict is not RegistryVerdict.UNAVAILABLE:
        return fact
    _, known = latest(facts, RegistryAnswer)
    silent = replace(fact, identity=identity)
    again = known and known.verdict is RegistryVerdict.UNAVAILABLE and known.identity == identity
    return None if again else silent


def new_captures_wanted(facts: Facts) -> bool:
    """R1.4: a reviewer asked for new captures after the latest were given; R9.4: those are let go.

    Whoever does not want face recognition is asked for none.
    """
    given, _ = latest(facts, CapturesMeasured)
    _, consent = latest(facts, FaceConsent)
    if captures_let_go(facts) and consent is not None and consent.given:
        return True
    return any(
        isinstance(fact, ReviewDecision)
        and (fact.stage, fact.outcome) == (ReviewStage.SHIP, ReviewOutcome.NEW_CAPTURE)
        for fact in facts.evidence[given + 1 :]
    )


def reached(state: S, facts: Facts, answer: Decision) -> list[S]:
    """How far the order has come; the table refuses what was passed long ago.

    Nowhere new while it is being switched on: only a subscriber who is certainly off leads back.
    """
    if state is S.ACTIVATING:
        return []
    _, handover = latest(facts, Handover)
    delivered = handover is not None and handover.outcome is HandoverOutcome.HANDED_OVER
    match answer:
        case Pass():
            verified = True
        case Wait(missing):
            verified = not {Reason.VIDEO_CHECK_MISSING, Reason.CAPTURES_MISSING} & set(missing)
        case Refuse() | Review():
            verified = False
    return [state for state, reached in ((S.DELIVERED, delivered), (S.VERIFIED, verified)) if reached]
