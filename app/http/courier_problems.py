"""Problems that a courier can meet; each says what to do at the door."""

from __future__ import annotations

from app.http.common import NOT_FOUND, WRONG_STATE
from app.http.problems import ProblemType
from app.texts.text import Text
from logistics.handover import DoorRefusal, NotRecorded
from logistics.rounds import RoundRefusal

REVIEW_WANTED = ProblemType(
    "review_wanted",
    409,
    Text("等待人工审核", "A reviewer must look first"),
    Text(
        "上次派送人证不符，审核通过后才能再次派送。",
        "Person and document did not agree last time. Set out again once reviewers have approved.",
    ),
)
DOCUMENT_LOCKED = ProblemType(
    "document_locked",
    409,
    Text("证件核对已锁定", "Document check locked"),
    Text(
        "证件尾号多次输入有误。请记录为人证不符，或联系运营人员。",
        "The document's last digits were wrong too often. Record a mismatch, or call the operator.",
    ),
)
PHOTO_REFUSED = ProblemType(
    "photo_refused",
    422,
    Text("照片无法使用", "The photo cannot be used"),
    Text("请重新拍摄。", "Take it again."),
)
NOT_OUT = ProblemType(
    "delivery_not_out",
    409,
    Text("包裹未在派送中", "The parcel is not out"),
    Text(
        "请先揽收并登记出发，再记录派送结果。", "Collect the parcel and set out before you record an outcome."
    ),
)
OTHER_OUTCOME = ProblemType(
    "outcome_already_recorded",
    409,
    Text("已记录其他结果", "Another outcome is recorded"),
    Text(
        "此次派送已记录了不同的结果，不能更改。", "This attempt has another outcome, which cannot be changed."
    ),
)
ORDER_STOPPED = ProblemType(
    "order_stopped",
    409,
    Text("订单已停止", "The order was stopped"),
    Text("请不要交付，把包裹带回。", "Do not hand it over. Bring the parcel back."),
)
TIME_OUT_OF_RANGE = ProblemType(
    "time_out_of_range",
    422,
    Text("时间不正确", "The time cannot be right"),
    Text(
        "请检查手机时间：结果须在 24 小时内提交，且不能晚于当前时间。",
        "Check the phone's clock: an outcome is at most 24 hours old and not in the future.",
    ),
)
OTHER_CARD = ProblemType(
    "other_card",
    422,
    Text("卡号与订单不符", "Not the card of this order"),
    Text(
        "请扫描包裹上的 ICCID；若仍不符，请不要交付，把包裹带回。",
        "Scan the ICCID on the package; if it still differs, do not hand it over and bring it back.",
    ),
)
CHECKLIST_INCOMPLETE = ProblemType(
    "checklist_incomplete",
    422,
    Text("核对未完成", "The checklist is not complete"),
    Text(
        "交付前必须查验证件原件、证件有效期，并确认本人与证件相符。",
        "Before handing over: see the original document, that it is valid, and that it shows this person.",
    ),
)
CODE_WRONG = ProblemType(
    "handover_code_wrong",
    422,
    Text("交付码不正确", "Wrong handover code"),
    Text("请向收件人核对短信中的六位交付码。", "Ask the recipient for the six digits in the text message."),
)
CODE_LOCKED = ProblemType(
    "handover_code_locked",
    409,
    Text("交付码已锁定", "Handover code locked"),
    Text(
        "输入错误次数过多。请收件人或运营人员重新发送交付码。",
        "It was wrong too often. The recipient or the operator must have a new code sent.",
    ),
)
DOCUMENT_WRONG = ProblemType(
    "document_tail_wrong",
    422,
    Text("证件尾号不符", "The document's last digits differ"),
    Text(
        "请核对证件号码的最后四位；若仍不符，请记录为人证不符。",
        "Check the last four characters of the number; if they still differ, record a mismatch.",
    ),
)

OF_ROUND: dict[RoundRefusal, ProblemType] = {
    RoundRefusal.NOT_FOUND: NOT_FOUND,
    RoundRefusal.WRONG_STATE: WRONG_STATE,
    RoundRefusal.ORDER_STOPPED: ORDER_STOPPED,
    RoundRefusal.REVIEW_WANTED: REVIEW_WANTED,
    RoundRefusal.DOCUMENT_LOCKED: DOCUMENT_LOCKED,
}
OF_DOOR: dict[DoorRefusal, ProblemType] = {
    DoorRefusal.NOT_FOUND: NOT_FOUND,
    DoorRefusal.NOT_OUT: NOT_OUT,
    DoorRefusal.OTHER_OUTCOME: OTHER_OUTCOME,
    DoorRefusal.ORDER_STOPPED: ORDER_STOPPED,
    DoorRefusal.TIME_OUT_OF_RANGE: TIME_OUT_OF_RANGE,
    DoorRefusal.OTHER_CARD: OTHER_CARD,
    DoorRefusal.CHECKLIST_INCOMPLETE: CHECKLIST_INCOMPLETE,
    DoorRefusal.CODE_WRONG: CODE_WRONG,
    DoorRefusal.CODE_LOCKED: CODE_LOCKED,
    DoorRefusal.DOCUMENT_WRONG: DOCUMENT_WRONG,
    DoorRefusal.DOCUMENT_LOCKED: DOCUMENT_LOCKED,
}
OF_OUTCOMES = tuple(kind for kind in OF_DOOR.values() if kind is not NOT_FOUND)


def with_tries(refused: NotRecorded) -> Text | None:
    """The problem's detail with how often one may still try; None where nothing is counted."""
    if refused.tries_left is None:
        return None
    detail, left = OF_DOOR[refused.refusal].detail, refused.tries_left
    return Text(f"{detail.zh}还可再试 {left} 次。", f"{detail.en} Tries left: {left}.")
