"""Problems of the video check."""

from __future__ import annotations

from app.http.problems import ProblemType
from app.texts.text import Text
from media.webrtc import OfferRefusal

TOO_MANY_CHECKS = ProblemType(
    "too_many_checks",
    429,
    Text("视频核验次数过多", "Too many video checks"),
    Text(
        "一小时内最多核验五次。等待时间见 Retry-After，也可到营业厅办理。",
        "Five attempts an hour. Wait for as long as Retry-After says, or visit a store.",
    ),
)
CHECK_TAKEN = ProblemType(
    "check_taken",
    409,
    Text("本次核验已使用", "This attempt was used"),
    Text("每次核验只能连接一次，请重新开始。", "An attempt connects once. Start a new one."),
)
OFFER_REFUSED = ProblemType(
    "offer_refused",
    422,
    Text("无法建立视频连接", "The camera cannot be connected"),
    Text("请刷新页面后重试。", "Reload the page and try again."),
)
CHECKS_FULL = ProblemType(
    "checks_full",
    503,
    Text("视频核验排队中", "All places are taken"),
    Text("当前核验人数较多，请稍候再试。", "Many people are being checked. Try again in a moment."),
)

_BROWSER = Text(
    "浏览器发送的连接信息无效，请刷新页面或更换浏览器。",
    "What the browser sent cannot be used. Reload the page or use another browser.",
)
OFFER_MESSAGES: dict[OfferRefusal, Text] = {
    **dict.fromkeys(OfferRefusal, _BROWSER),
    OfferRefusal.NO_VIDEO: Text(
        "没有摄像头画面，请允许使用摄像头。", "There is no camera in it. Allow the camera to be used."
    ),
    OfferRefusal.NO_COMMON_CODEC: Text(
        "浏览器不支持所需的视频格式，请更换浏览器。",
        "The browser lacks the video formats that are needed. Use another browser.",
    ),
    OfferRefusal.NO_ANSWER: Text(
        "连接准备超时，请稍候再试。", "The connection took too long to prepare. Try again in a moment."
    ),
}
