"""Headers that say what a browser may do with an answer (ASVS 5.0, chapter V3)."""

from __future__ import annotations

from collections.abc import Mapping

SERVER = "kaika"
"""Instead of the versions of what the server is made with."""

ALWAYS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
#: Data is never a page: whatever a browser takes it for, it runs nothing and has no device to use.
DATA: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
#: Pages run only our own scripts and styles and talk only to us; the camera is theirs alone.
PAGE: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "media-src 'self' blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
        "worker-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
    ),
    "Permissions-Policy": (
        "camera=(self), geolocation=(self), microphone=(), display-capture=(), payment=(), usb=(), "
        "serial=(), hid=(), bluetooth=(), midi=()"
    ),
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cache-Control": "no-cache",
}
PAGE_TYPES = frozenset(
    {"text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml"}
)
TRANSPORT: Mapping[str, str] = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}
"""Two years, for every name below the host's own as well."""


def headers_for(media_type: str, *, tls_only: bool) -> dict[str, str]:
    """What every answer of this media type carries, unless it says something else itself."""
    by_kind = PAGE if media_type in PAGE_TYPES else DATA
    return {**ALWAYS, **by_kind, **(TRANSPORT if tls_only else {})}
