"""What applicants are told about their requests."""

from __future__ import annotations

from app.compliance.subjects.requests import RequestAnswer as A
from app.texts.text import Text

ANSWERS: dict[A, Text] = {
    A.COPY_READY: Text(
        "副本已备好。请用新的验证码下载。", "The copy is ready. Get it with a new one-time code."
    ),
    A.COPY_GIVEN: Text("副本已提供。", "The copy was given."),
    A.LAPSED: Text("副本未在期限内下载，可再次申请。", "The copy was not fetched in time. Ask again."),
    A.NEW_CAPTURES: Text(
        "读取的信息不能修改。请重新拍摄证件并确认。",
        "What was read cannot be edited. Take the pictures of your document again and confirm them.",
    ),
    A.NEW_ORDER: Text(
        "此订单的信息不能再更改。可取消订单后重新办理。",
        "This order's data can no longer change. You can cancel it and order anew.",
    ),
    A.STORE: Text(
        "号码已在使用，请携带身份证到营业厅更新登记信息。",
        "The number is in use. Come to a store with your identity card to renew the registration.",
    ),
    A.DESTROYING: Text("订单已取消，信息正在销毁。", "The order is cancelled; its data are being destroyed."),
    A.DESTROYED: Text("信息已销毁。", "The data are destroyed."),
    A.SERVICE_LASTS: Text(
        "在网期间及终止服务后两年内，法律要求保留登记信息。最早销毁日期按今天终止服务计算。",
        "The law wants registration data kept while service lasts and for two years after. The date is the "
        "earliest one, if service ended today.",
    ),
    A.SERVICE_ENDED_LATELY: Text(
        "终止服务后两年内，法律要求保留登记信息；到期后自动销毁。",
        "The law wants registration data kept for two years after service ended. Then they are destroyed.",
    ),
    A.DECISION_DISPUTABLE: Text(
        "办理结果可能被提出异议，相关材料保留至所示日期，之后自动销毁。",
        "The outcome may be disputed, so the material is kept until the date given. Then it is destroyed.",
    ),
    A.LEGAL_DUTY: Text(
        "依法须继续保留，目前不能删除。", "The data must be kept by law and cannot be deleted now."
    ),
}
