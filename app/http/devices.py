"""Which device a request shows, and the cookie that makes a browser show it.

Nothing is authorised by the cookie: without a bearer token, or a refresh token in the body, it does nothing,
so a request that another site makes a browser send does nothing either (no CSRF).
"""

from __future__ import annotations

from dataclasses import dataclass
from http.cookies import SimpleCookie

from aiohttp import web

from app.access.devices import HEADER, is_device, new_device
from app.config import Settings
from app.environment import is_https
from app.http.problems import ProblemRaised, ProblemType
from app.services import SERVICES
from app.texts.text import Text

COOKIE = "kaika-device"
COOKIE_TLS = f"__Host-{COOKIE}"
"""Browsers take this name only over TLS, for one host and from no other (RFC 6265bis, section 4.1.3)."""
KEEP_S = 30 * 86_400
"""As long as `app.access.families` knows a device."""

DEVICE_INVALID = ProblemType(
    "device_invalid",
    400,
    Text("设备标识无效", "Not a device's secret"),
    Text(
        f"{HEADER} 须为 32 个随机字节的 base64url（43 个字符）；浏览器无需发送。",
        f"{HEADER} is 32 random bytes in base64url, 43 characters. Browsers need not send it.",
    ),
)


@dataclass(frozen=True, repr=False)
class NewDevice:
    """What a sign-in is bound to; headers: those of the answer, with the cookie where one is needed."""

    secret: str
    headers: dict[str, str]


def shown_device(request: web.Request) -> str | None:
    """The secret that the request shows: the header's, or else the cookie's."""
    headers = request.headers.getall(HEADER, [])
    if headers:
        return headers[0] if len(headers) == 1 and is_device(headers[0]) else None
    cookie = request.cookies.get(cookie_name(request.app[SERVICES].settings))
    return cookie if cookie is not None and is_device(cookie) else None


def device_for_sign_in(request: web.Request) -> NewDevice:
    """The header's secret, or a new one as a cookie; never an old cookie's. Raises ProblemRaised."""
    if HEADER in request.headers:
        secret = shown_device(request)
        if secret is None:
            raise ProblemRaised(DEVICE_INVALID)
        return NewDevice(secret, {})
    secret = new_device()
    return NewDevice(secret, {"Set-Cookie": _cookie(secret, request.app[SERVICES].settings)})


def cookie_name(settings: Settings) -> str:
    return COOKIE_TLS if is_https(settings.base_url) else COOKIE


def _cookie(secret: str, settings: Settings) -> str:
    cookie = SimpleCookie({cookie_name(settings): secret})
    (morsel,) = cookie.values()
    morsel["path"] = "/"
    morsel["max-age"] = KEEP_S
    morsel["httponly"] = True
    morsel["samesite"] = "Strict"
    if is_https(settings.base_url):
        morsel["secure"] = True
    return morsel.OutputString()
