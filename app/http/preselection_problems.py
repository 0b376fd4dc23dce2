"""Problems of preselection and sign-in."""

from __future__ import annotations

from app.http.problems import ProblemType
from app.texts.text import Text

NUMBER_TAKEN = ProblemType(
    "number_taken",
    409,
    Text("号码已被选走", "The number is taken"),
    Text("这个号码刚刚被选走，请换一个。", "Somebody has just taken this number. Choose another one."),
)
NUMBER_GONE = ProblemType(
    "number_gone",
    409,
    Text("号码保留已到期", "The number is no longer held"),
    Text("保留时间已过，请重新选号。", "The half hour is over. Choose a number again."),
)
PATTERN_INVALID = ProblemType(
    "pattern_invalid",
    422,
    Text("查找条件无效", "Not a pattern"),
    Text("请用 1 至 16 位数字、? 和 *。", "Use 1 to 16 digits, ? and *."),
)
CODE_NOT_ACCEPTED = ProblemType(
    "code_not_accepted",
    422,
    Text("验证码无效", "The code was not accepted"),
    Text("请核对后重试，或重新获取验证码。", "Check it and try again, or ask for a new code."),
)
CODE_NOT_SENT = ProblemType(
    "code_not_sent",
    503,
    Text("短信暂时无法发送", "No message could be sent"),
    Text("请稍候再次获取验证码。", "Wait a moment and ask for a code again."),
)
SIGN_IN_REFUSED = ProblemType(
    "sign_in_refused",
    401,
    Text("登录失败", "Signing in failed"),
    Text("用户名或密码不正确。", "User name or password is wrong."),
)
REFRESH_REFUSED = ProblemType(
    "refresh_refused",
    401,
    Text("登录已失效", "The sign-in is over"),
    Text("请重新登录。", "Sign in again."),
)
PACKAGE_UNKNOWN = ProblemType(
    "activation_code_unknown",
    404,
    Text("激活码无效", "Unknown activation code"),
    Text(
        "请核对包裹中的激活码，或重新扫描二维码。",
        "Check the code in the package, or scan its QR code again.",
    ),
)
CONSENT_WANTED = ProblemType(
    "consent_wanted",
    409,
    Text("需要您的同意", "Your consent is needed"),
    Text(
        "请先同意 missing 中列出的各项；不同意人脸识别的，可到营业厅或预约人工视频办理。",
        "Agree to the items in missing first. Without face recognition you are served just as well "
        "in a store or in an attended video call.",
    ),
)
CONSENT_VERSION = ProblemType(
    "consent_version",
    409,
    Text("条款已更新", "The text has changed"),
    Text("请阅读现行版本后再同意。", "Read the current version, then agree."),
)
CAPTURE_REFUSED = ProblemType(
    "capture_refused",
    422,
    Text("照片不可用", "The picture cannot be used"),
    Text("请重新拍摄。", "Please take it again."),
)
CAPTURES_WANTED = ProblemType(
    "captures_wanted",
    409,
    Text("照片不齐", "Pictures are missing"),
    Text("请先拍摄 missing 中列出的照片。", "Take the pictures listed in missing first."),
)
READING_CHANGED = ProblemType(
    "reading_changed",
    409,
    Text("读取的信息已变化", "The reading has changed"),
    Text("请重新核对读取的信息后再确认。", "Check what was read again, then confirm."),
)
