"""Problems of direct uploads."""

from __future__ import annotations

from app.http.problems import ProblemType
from app.texts.text import Text

NOT_OFFERED = ProblemType(
    "uploads_not_offered",
    409,
    Text("不支持直接上传", "Direct upload is not offered"),
    Text(
        "此服务器不支持直接上传，请用 PUT 将照片发送到 /v1/orders/{order_id}/captures/{kind}。",
        "This server takes no direct uploads. PUT the picture to /v1/orders/{order_id}/captures/{kind}.",
    ),
)
UPLOAD_TAKEN = ProblemType(
    "upload_taken",
    409,
    Text("照片已处理", "Already taken"),
    Text(
        "这次上传已经处理；如需重拍，请重新开始上传。",
        "It was taken already. To take the picture again, begin another upload.",
    ),
)
UPLOAD_MISSING = ProblemType(
    "upload_missing",
    409,
    Text("尚未收到照片", "Nothing has arrived"),
    Text("请先上传照片，再调用此操作。", "Upload the picture first, then call this."),
)
UPLOAD_CHANGED = ProblemType(
    "upload_changed",
    422,
    Text("照片与声明不符", "Not the picture that was announced"),
    Text(
        "收到的内容与声明的 SHA-256 不符，请重新上传。",
        "Its SHA-256 is not the one that was announced. Begin another upload.",
    ),
)
