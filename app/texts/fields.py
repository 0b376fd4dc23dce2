"""What is wrong with one member of a request, by pydantic's error type."""

from __future__ import annotations

from app.texts.text import Text

_OTHER = Text("值无效。", "Not a valid value.")
_BY_TYPE = {
    "missing": Text("缺少此项。", "Missing."),
    "extra_forbidden": Text("没有此项。", "There is no such member."),
    "string_too_short": Text("内容过短。", "Too short."),
    "string_too_long": Text("内容过长。", "Too long."),
    "string_pattern_mismatch": Text("格式不正确。", "Not in the right form."),
    "repeated": Text("重复出现。", "Given more than once."),
    "bytes_not_text": Text("含有不允许的字符。", "Holds characters that are not allowed."),
    "greater_than_equal": Text("数值过小。", "Too small."),
    "less_than_equal": Text("数值过大。", "Too large."),
    "too_long": Text("项数过多。", "Too many items."),
    "enum": Text("不在允许的取值之中。", "Not one of the allowed values."),
    "literal_error": Text("不在允许的取值之中。", "Not one of the allowed values."),
    "holds_numbers": Text("请勿填写证件号码或电话号码。", "Without document or phone numbers, please."),
    "number_not_on_yet": Text(
        "所选号码尚未开通，请填写现在能接收短信的手机号码。",
        "The number you chose is not switched on yet. Give a phone that can receive messages now.",
    ),
    "phone": Text("请填写有效的中国大陆手机号码。", "Give a valid mobile number of mainland China."),
}


def field_text(error_type: str) -> Text:
    """The sentence for one error type; `*_type` errors mean a wrong JSON type."""
    if error_type.endswith("_type"):
        return Text("类型不正确。", "Of the wrong type.")
    return _BY_TYPE.get(error_type, _OTHER)
