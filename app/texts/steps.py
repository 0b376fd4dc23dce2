"""What an applicant is told to do next."""

from __future__ import annotations

from app.texts.text import Text

STEP_TEXTS: dict[str, Text] = {
    "give_consent": Text("请阅读并逐项同意。", "Read the texts and agree to each."),
    "take_captures": Text(
        "请拍摄身份证人像面、国徽面和手持身份证照片。",
        "Photograph both sides of your identity card, and yourself holding it.",
    ),
    "confirm_reading": Text("请核对读取的信息并确认。", "Check what was read and confirm it."),
    "wait": Text("正在办理，请稍候。", "We are working on it. Please wait."),
    "receive_package": Text(
        "请等待快递，收件时向快递员出示身份证和签收码。",
        "Wait for the courier; show your identity card and say the handover code.",
    ),
    "video_check": Text(
        "请打开包裹中的激活链接，完成视频核验。", "Open the link in the package and do the video check."
    ),
    "use_number": Text("号码已开通。", "The number is switched on."),
    "visit_store": Text(
        "线上无法办理，请携带身份证到营业厅办理。",
        "This cannot be done online. Please come to a store with your identity card.",
    ),
    "other_way": Text(
        "您已撤回人脸识别同意。请携带身份证到营业厅办理，或预约人工视频办理。",
        "You took back your consent to face recognition. Come to a store with your identity card, or ask for "
        "an attended video call.",
    ),
    "order_anew": Text("此订单已结束，可重新选号。", "This order is over. You can choose a number again."),
}
