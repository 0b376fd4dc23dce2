"""The applicant's page and its files: read once, served from memory, never anything outside of the list."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from app.http import common
from app.http.problems import ProblemRaised

_FOLDER = Path(__file__).parent.parent / "web"
_PAGE = "activate.html"
_MEDIA_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Asset:
    """One file; tag: entity tag, so that a browser asks again and seldom gets it twice."""

    body: bytes
    media_type: str
    tag: str


@functools.cache
def assets() -> dict[str, Asset]:
    """Every file of the page, by its name."""
    found = {}
    for path in sorted(_FOLDER.iterdir()):
        media_type = _MEDIA_TYPES.get(path.suffix)
        if media_type is not None:
            body = path.read_bytes()
            found[path.name] = Asset(body, media_type, hashlib.sha256(body).hexdigest()[:32])
    return found


async def activate(request: web.Request) -> web.Response:
    """The code in the link stands after `#`, which browsers send to nobody."""
    return _sent(request, assets()[_PAGE])


async def file(request: web.Request) -> web.Response:
    """A script, a style, or a picture of the page."""
    asset = assets().get(request.match_info["name"])
    if asset is None:
        raise ProblemRaised(common.NOT_FOUND)
    return _sent(request, asset)


def _sent(request: web.Request, asset: Asset) -> web.Response:
    known = request.if_none_match or ()
    unchanged = any(tag.value in (asset.tag, "*") for tag in known)
    response = web.Response(status=304) if unchanged else web.Response(body=asset.body)
    response.content_type = asset.media_type
    if asset.media_type != "image/svg+xml":
        response.charset = "utf-8"
    response.etag = asset.tag
    return response


assets()  # the event loop never reads files

ROUTES = (
    web.get("/activate", activate),
    web.get("/web/{name}", file),
)
