"""Decisions of the gate, each with its whole input, so that it can be made again years later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit import digest_of, note
from activation.adapters.sql.facts import read_fact, write_fact
from activation.adapters.sql.tables import DecisionRow as D
from activation.evidence import Facts
from activation.findings import Reason
from activation.gate import Decision, Pass, Refuse, Review, Wait, may_activate, may_ship
from activation.ids import OrderId
from activation.policy import Policy

_POLICY = TypeAdapter(Policy)
_ANSWERS: dict[str, TypeAdapter[Decision]] = {
    "pass": TypeAdapter(Pass),
    "wait": TypeAdapter(Wait),
    "refuse": TypeAdapter(Refuse),
    "review": TypeAdapter(Review),
}


class Question(StrEnum):
    MAY_SHIP = "may_ship"
    MAY_ACTIVATE = "may_activate"

    def ask(self, facts: Facts, policy: Policy) -> Decision:
        """The gate's answer."""
        match self:
            case Question.MAY_SHIP:
                return may_ship(facts, policy)
            case Question.MAY_ACTIVATE:
                return may_activate(facts, policy)


#: Which rule a question is asked under; stands in the audit trail.
RULES = {Question.MAY_SHIP: "R3.2", Question.MAY_ACTIVATE: "R4.3"}


@dataclass(frozen=True)
class RecordedDecision:
    id: int
    question: Question
    facts: Facts
    policy: Policy
    answer: Decision
    at: datetime

    def replay(self) -> Decision:
        """The gate's answer to the recorded input today; differs only where the gate was changed."""
        return self.question.ask(self.facts, self.policy)


class Decisions:
    async def record(
        self,
        session: AsyncSession,
        question: Question,
        facts: Facts,
        policy: Policy,
        answer: Decision,
        at: datetime,
    ) -> None:
        """Write it down, unless the latest decision about this order says the same of the same input."""
        asked = {
            "facts": [write_fact(fact) for fact in facts.evidence],
            "policy": _POLICY.dump_python(policy, mode="json"),
        }
        latest = sa.select(D.question, D.input).where(D.order_id == facts.order).order_by(D.id.desc())
        before = (await session.execute(latest.limit(1))).first()
        if before is not None and (before.question, before.input) == (question, asked):
            return
        answered = write_answer(answer)
        made = await session.scalar(
            sa.insert(D)
            .values(
                order_id=facts.order,
                question=question,
                facts_seen=len(facts.evidence),
                input=asked,
                answer=answered,
                at=at,
            )
            .returning(D.id)
        )
        await note(
            session,
            facts.order,
            f"decision.{question}",
            RULES[question],
            ", ".join(reasons_of(answer)),
            id=made,
            answer=answered["decision"],
            facts=len(facts.evidence),
            at=at.isoformat(),
            input_sha256=digest_of(asked),
            answer_sha256=digest_of(answered),
        )

    async def of_order(self, session: AsyncSession, order_id: OrderId) -> list[RecordedDecision]:
        """Every decision about one order, oldest first."""
        columns = (D.id, D.question, D.input, D.answer, D.at)
        rows = await session.execute(sa.select(*columns).where(D.order_id == order_id).order_by(D.id))
        return [
            RecordedDecision(
                id=row.id,
                question=Question(row.question),
                facts=Facts(order_id, tuple(read_fact(fact) for fact in row.input["facts"])),
                policy=_POLICY.validate_python(row.input["policy"]),
                answer=read_answer(row.answer),
                at=row.at,
            )
            for row in rows
        ]


def reasons_of(answer: Decision) -> tuple[Reason, ...]:
    """What was missing or found; empty where the gate lets pass."""
    match answer:
        case Pass():
            return ()
        case Wait(missing):
            return missing
        case Refuse(reasons) | Review(reasons):
            return reasons


def write_answer(answer: Decision) -> dict[str, Any]:
    """JSON object: `decision` is pass, wait, refuse or review, beside what belongs to it."""
    name = type(answer).__name__.lower()
    return {"decision": name, **_ANSWERS[name].dump_python(answer, mode="json")}


def read_answer(stored: dict[str, Any]) -> Decision:
    """Inverse of `write_answer`."""
    body = dict(stored)
    return _ANSWERS[body.pop("decision")].validate_python(body)
