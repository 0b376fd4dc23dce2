"""Problems that any operation can have."""

from __future__ import annotations

from app.http.problems import ProblemType
from app.texts.text import Text

NOT_JSON = ProblemType(
    "not_json",
    400,
    Text("内容不是有效的 JSON", "Not valid JSON"),
    Text("请发送一个以 UTF-8 编码的 JSON 对象。", "Send one JSON object, encoded as UTF-8."),
)
INVALID = ProblemType(
    "invalid_request",
    422,
    Text("请求内容有误", "The request is not valid"),
    Text("请改正 errors 中列出的各项。", "Correct the members listed in errors."),
)
BODY_TOO_LARGE = ProblemType(
    "body_too_large",
    413,
    Text("内容过大", "Too large"),
    Text("发送的内容超过了允许的大小。", "What was sent is larger than allowed."),
)
BODY_TOO_SLOW = ProblemType(
    "body_too_slow",
    408,
    Text("上传超时", "Too slow"),
    Text("内容未能在规定时间内传完，请重试。", "The body did not arrive in time. Try again."),
)
BODY_CUT_OFF = ProblemType(
    "body_cut_off",
    400,
    Text("内容不完整", "Cut off"),
    Text("内容在传输中断开或编码有误，请重试。", "The body broke off or was badly encoded. Try again."),
)
WRONG_MEDIA_TYPE = ProblemType(
    "wrong_media_type",
    415,
    Text("内容类型不支持", "Wrong kind of content"),
    Text("请检查 Content-Type。", "Check the Content-Type."),
)
NOT_SIGNED_IN = ProblemType(
    "not_signed_in",
    401,
    Text("需要登录", "Sign in first"),
    Text(
        "请携带有效的访问令牌。令牌过期后请重新获取。",
        "Send a valid access token. Get a new one when it has expired.",
    ),
)
NOT_ALLOWED = ProblemType(
    "not_allowed",
    403,
    Text("没有权限", "Not allowed"),
    Text("您的身份不能进行此操作。", "Your role may not do this."),
)
PAUSED = ProblemType(
    "paused",
    403,
    Text("业务暂停办理", "Paused by order"),
    Text("根据要求，此业务暂停办理，请稍后再试。", "This is paused by order. Please try again later."),
)
NOT_FOUND = ProblemType(
    "not_found",
    404,
    Text("未找到", "Not found"),
    Text("没有此内容，或它不属于您。", "There is no such thing, or it is not yours."),
)
METHOD_NOT_ALLOWED = ProblemType(
    "method_not_allowed",
    405,
    Text("方法不允许", "Method not allowed"),
    Text("此地址不支持该请求方法。", "This address does not take that method."),
)
WRONG_STATE = ProblemType(
    "wrong_state",
    409,
    Text("当前状态下不能进行", "Not possible now"),
    Text("订单当前的状态不允许此操作。", "The order is in a state that does not allow this."),
)
TOO_MANY = ProblemType(
    "too_many_requests",
    429,
    Text("操作过于频繁", "Too many requests"),
    Text("请稍候再试，等待时间见 Retry-After。", "Wait for as long as Retry-After says, then try again."),
)
BUSY = ProblemType(
    "busy",
    503,
    Text("系统繁忙", "Busy"),
    Text("请稍候再试，等待时间见 Retry-After。", "Wait for as long as Retry-After says, then try again."),
)
KEY_WANTED = ProblemType(
    "idempotency_key_wanted",
    400,
    Text("缺少 Idempotency-Key", "Idempotency-Key wanted"),
    Text(
        "请携带 Idempotency-Key：16 至 128 个字母、数字或 -_.:，每次新操作用新的值。",
        "Send an Idempotency-Key: 16 to 128 letters, digits or -_.:, a new one for each new operation.",
    ),
)
KEY_REUSED = ProblemType(
    "idempotency_key_reused",
    422,
    Text("Idempotency-Key 已用于其他请求", "Idempotency-Key already used"),
    Text("同一个 Idempotency-Key 只能用于同样的内容。", "One Idempotency-Key is for one content only."),
)
IN_FLIGHT = ProblemType(
    "request_in_flight",
    409,
    Text("同样的请求正在处理", "The same request is being worked on"),
    Text(
        "请稍候用同一个 Idempotency-Key 再试。",
        "Wait a moment, then send it again with the same Idempotency-Key.",
    ),
)
FAULT = ProblemType(
    "internal_error",
    500,
    Text("系统内部错误", "Internal error"),
    Text(
        "请稍后再试；联系客服时请提供 request_id。",
        "Try again later; give request_id when you ask for support.",
    ),
)
REFUSED_BY_SERVER = ProblemType(
    "request_refused",
    400,
    Text("请求无法处理", "The request was refused"),
    Text("请检查请求的格式。", "Check the form of the request."),
)

#: What every operation may answer, for its description.
EVERYWHERE = (INVALID, NOT_FOUND, METHOD_NOT_ALLOWED, REFUSED_BY_SERVER, FAULT, BUSY)
WITH_JSON = (NOT_JSON, BODY_TOO_LARGE, BODY_TOO_SLOW, BODY_CUT_OFF, WRONG_MEDIA_TYPE)
WITH_RAW = (BODY_TOO_LARGE, BODY_TOO_SLOW, BODY_CUT_OFF, WRONG_MEDIA_TYPE)
WITH_TOKEN = (NOT_SIGNED_IN, NOT_ALLOWED)
WITH_KEY = (KEY_WANTED, KEY_REUSED, IN_FLIGHT)
