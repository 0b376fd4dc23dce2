"""What was found of an order and is undecided, or speaks of an attack: facts and cases, not states (R8.2).

Whoever pretended to be somebody may cancel the order in any state; the material is then what shows it.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from activation.adapters.sql.facts import FactLog
from activation.adapters.sql.tables import FactRow
from activation.evidence import HandoverOutcome
from activation.gate import Refuse, Review, may_activate
from activation.ids import OrderId
from activation.policy import Policy
from app.compliance.retention.tables import SubjectRequestRow
from app.compliance.subjects.requests import RequestAnswer
from app.review.case import CaseState
from app.tables import ReviewCaseRow


def on_record(order_id: sa.ColumnElement[str] | InstrumentedAttribute[str]) -> sa.ColumnElement[bool]:
    """SQL: an undecided case, one about a failed check, a mismatch at the door, a wish refused so."""
    C, F, R = aliased(ReviewCaseRow), aliased(FactRow), aliased(SubjectRequestRow)
    mismatch = F.body["outcome"].as_string() == HandoverOutcome.MISMATCH
    return sa.or_(
        sa.exists().where(C.order_id == order_id, sa.or_(C.state != CaseState.DECIDED, C.two_people)),
        sa.exists().where(F.order_id == order_id, F.kind == "handover", mismatch),
        sa.exists().where(R.order_id == order_id, R.answer == RequestAnswer.DECISION_DISPUTABLE),
    )


async def found_now(session: AsyncSession, order_id: OrderId, policy: Policy) -> bool:
    """Whether the gate would refuse, or ask reviewers: a case may be due that nobody has opened yet."""
    answer = may_activate(await FactLog().load(session, order_id), policy)
    return isinstance(answer, Refuse | Review)
