"""The texts of messages to applicants, in Chinese and English. None says which datum did not agree."""

from __future__ import annotations

from activation.ports import MessageKind

DEFAULT_LOCALE = "zh-CN"

_K = MessageKind
_TEXTS: dict[str, dict[MessageKind, str]] = {
    "zh-CN": {
        _K.ONE_TIME_CODE: "您的验证码是 {code}，10 分钟内有效。请勿告诉他人。",
        _K.ORDER_ACCEPTED: "您选购号码 {number} 的申请已通过审核，即将寄出。",
        _K.ORDER_REFUSED: "您选购号码 {number} 的申请未能通过。如有疑问，请携带有效证件到营业厅办理。",
        _K.ORDER_IN_REVIEW: "您选购号码 {number} 的申请正在人工审核，结果将以短信通知。",
        _K.SHIPPED: "您的电话卡已寄出，运单号 {waybill}。卡片未激活，请在本人签收后按包裹内说明激活。",
        _K.HANDOVER_CODE: "签收码 {code}。收卡时请向派送员出示本人证件和此码，其他时候请勿告诉他人。",
        _K.ACTIVATION_LINK: "激活号码 {number}：收到电话卡后，请准备好身份证和卡片，打开 {link}",
        _K.NEW_CAPTURE_WANTED: "请为号码 {number} 的申请重新拍摄证件照片，打开申请页面继续。",
        _K.NEW_CHECK_WANTED: "号码 {number} 需要重新视频核验，请准备好身份证和卡片，打开 {link}",
        _K.ACTIVATED: "您的号码 {number} 已激活，欢迎使用。",
        _K.FACE_CONSENT_WITHDRAWN: "您已撤回号码 {number} 的人脸识别同意，相关人脸信息不再使用并依规销毁。"
        "可携带身份证到营业厅，或预约人工视频办理，服务相同。",
    },
    "en": {
        _K.ONE_TIME_CODE: "Your code is {code}. It is valid for 10 minutes. Tell it to nobody.",
        _K.ORDER_ACCEPTED: "Your application for {number} was accepted. The card will be sent soon.",
        _K.ORDER_REFUSED: "Your application for {number} could not be accepted. "
        "If you have questions, please bring a valid document to one of our stores.",
        _K.ORDER_IN_REVIEW: "Your application for {number} is being looked at. We will send you the result.",
        _K.SHIPPED: "Your SIM card is on its way, waybill {waybill}. It is not active yet: "
        "receive it yourself, then follow the note in the package.",
        _K.HANDOVER_CODE: "Handover code {code}. Give it to the courier, together with your document, "
        "when you receive the card, and to nobody at any other time.",
        _K.ACTIVATION_LINK: "To activate {number}, have the card and your ID card at hand and open {link}",
        _K.NEW_CAPTURE_WANTED: "Please take the photos of your document for {number} again: "
        "open your application to go on.",
        _K.NEW_CHECK_WANTED: "Please do the video check for {number} once more: "
        "have the card and your ID card at hand and open {link}",
        _K.ACTIVATED: "Your number {number} is active. Welcome.",
        _K.FACE_CONSENT_WITHDRAWN: "You took back your consent to face recognition for {number}. Your face "
        "data are no longer used and are destroyed as the rules say. You are served just as well in a store, "
        "with your identity card, or in an attended video call.",
    },
}


def text_of(kind: MessageKind, values: dict[str, str], locale: str) -> str:
    """The text in the nearest language that we have; values that are missing show as nothing."""
    language = next(
        (known for known in _TEXTS if known.split("-")[0] == locale.split("-")[0]), DEFAULT_LOCALE
    )
    return _TEXTS[language][kind].format_map({"code": "", "waybill": "", "link": "", "number": "", **values})
