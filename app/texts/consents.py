"""What the applicant agrees to, version 2026-1. A changed text is a new version."""

from __future__ import annotations

import hashlib
import json

from app.texts.text import Text

#: Kind of consent to title and text.
CONSENT_TEXTS: dict[str, tuple[Text, Text]] = {
    "terms": (
        Text("入网服务协议", "Terms of service"),
        Text(
            "我已阅读并同意入网服务协议。号码开通前，运营商须登记并核验我的真实身份。",
            "I have read the terms of service and agree to them. Before the number is switched on, the "
            "operator must register and check my real identity.",
        ),
    ),
    "identity": (
        Text("身份信息处理", "Use of identity data"),
        Text(
            "我同意运营商为实名登记拍摄并读取我的居民身份证，与全国公民身份证号码查询服务中心核对；"
            "信息加密保存，在网期间及终止服务后两年内保留，之后销毁。",
            "I agree that the operator photographs and reads my resident identity card for registration and "
            "compares it with the national identity registry. The data are kept encrypted while service "
            "lasts and for two years after it ends, then destroyed.",
        ),
    ),
    "face_recognition": (
        Text("人脸识别单独同意", "Separate consent for face recognition"),
        Text(
            "我单独同意运营商在办理和激活时对我的人脸进行识别，仅用于确认本人办理。"
            "不同意也可以到营业厅或预约人工视频办理，服务相同。",
            "I agree separately that the operator compares my face when I apply and when I activate the "
            "card, only to make sure that it is me. Without this I can be served just as well in a store "
            "or in an attended video call.",
        ),
    ),
    "risk_notice": (
        Text("涉诈风险告知", "Risk notice"),
        Text(
            "我知道不得出租、出售、出借电话卡，也不得替他人办理；由此被用于诈骗的，我可能承担法律责任。",
            "I know that I must not rent out, sell or lend the card, nor take it out for somebody else, "
            "and that I may be liable if it is used for fraud.",
        ),
    ),
}


def text_digest(kind: str) -> str:
    """SHA-256 of title and text in both languages: what exactly was agreed to, 64 hex digits (R9.4)."""
    title, text = CONSENT_TEXTS[kind]
    words = json.dumps([kind, title.zh, title.en, text.zh, text.en], ensure_ascii=False)
    return hashlib.sha256(words.encode()).hexdigest()
