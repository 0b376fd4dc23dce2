"""Problems that a reviewer can meet."""

from __future__ import annotations

from app.http.common import NOT_FOUND, WRONG_STATE
from app.http.problems import ProblemType
from app.review.desk import CaseRefusal
from app.texts.text import Text

CLAIMED_BY_ANOTHER = ProblemType(
    "case_claimed",
    409,
    Text("案件正由他人处理", "Somebody else has the case"),
    Text("请处理其他案件，或在 15 分钟后再试。", "Take another one, or try again in 15 minutes."),
)
NOT_CLAIMED = ProblemType(
    "case_not_claimed",
    409,
    Text("请先领取案件", "Claim the case first"),
    Text(
        "案件须先领取；领取 15 分钟后，或有新证据时，须重新领取。",
        "A claim lasts 15 minutes, and ends when new evidence comes.",
    ),
)
SECOND_PERSON = ProblemType(
    "second_person_wanted",
    409,
    Text("须由另一位审核员确认", "Another reviewer must confirm"),
    Text("推翻未通过的核验须由两人决定。", "Overriding a failed check takes two people."),
)
TOOK_PART = ProblemType(
    "took_part",
    403,
    Text("您参与过此订单", "You took part in this order"),
    Text("参与派送的人员不能审核同一订单。", "Who delivered it cannot review it."),
)
ORDER_OVER = ProblemType(
    "order_over",
    409,
    Text("订单已结束", "The order is over"),
    Text("此案件无需再处理。", "There is nothing left to decide."),
)
EVIDENCE_DAMAGED = ProblemType(
    "evidence_damaged",
    500,
    Text("证据已损坏", "The evidence is damaged"),
    Text("请立即报告运营人员，并提供 request_id。", "Report it to the operator at once, with request_id."),
)
OF_CASE: dict[CaseRefusal, ProblemType] = {
    CaseRefusal.NOT_FOUND: NOT_FOUND,
    CaseRefusal.CLAIMED_BY_ANOTHER: CLAIMED_BY_ANOTHER,
    CaseRefusal.NOT_CLAIMED: NOT_CLAIMED,
    CaseRefusal.WRONG_STATE: WRONG_STATE,
    CaseRefusal.MAKER_IS_CHECKER: SECOND_PERSON,
    CaseRefusal.TOOK_PART: TOOK_PART,
    CaseRefusal.ORDER_OVER: ORDER_OVER,
}
DECIDING = tuple(kind for kind in OF_CASE.values() if kind is not NOT_FOUND)
