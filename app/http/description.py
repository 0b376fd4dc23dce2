"""`/openapi.json` and `/docs`: what this API can do, for programs and for people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated
from weakref import WeakKeyDictionary

from aiohttp import web
from pydantic import Field

from app.access.rights import Action, Resource
from app.http import common
from app.http.contract import Input, ProblemRaised, Raw, operation
from app.http.openapi import describe

VERSION = "1.0.0"

_FOLDER = Path(__file__).parent / "docs_page"
_KINDS = {"docs.js": "text/javascript", "docs.css": "text/css"}
_INDEX = (_FOLDER / "index.html").read_bytes()
_ASSETS = {name: (_FOLDER / name).read_bytes() for name in _KINDS}
_documents: WeakKeyDictionary[web.Application, bytes] = WeakKeyDictionary()


class AssetPath(Input):
    name: Annotated[str, Field(pattern=r"^docs\.(js|css)$")]


@operation(
    summary="This API as OpenAPI 3.1",
    right=(Resource.SERVICE, Action.READ),
    returns={200: Raw("application/json")},
)
async def openapi(request: web.Request) -> web.Response:
    application = request.app
    if application not in _documents:
        document = describe(application.router.routes(), VERSION)
        _documents[application] = json.dumps(document, ensure_ascii=False).encode()
    return web.Response(body=_documents[application], content_type="application/json", charset="utf-8")


@operation(
    summary="This API to read in a browser",
    right=(Resource.SERVICE, Action.READ),
    returns={200: Raw("text/html")},
)
async def docs(request: web.Request) -> web.Response:
    return web.Response(body=_INDEX, content_type="text/html", charset="utf-8")


@operation(
    summary="Script and style of the page",
    right=(Resource.SERVICE, Action.READ),
    path=AssetPath,
    returns={200: Raw("text/javascript", ("text/css",))},
)
async def docs_asset(request: web.Request, path: AssetPath) -> web.Response:
    if path.name not in _ASSETS:
        raise ProblemRaised(common.NOT_FOUND)
    return web.Response(body=_ASSETS[path.name], content_type=_KINDS[path.name], charset="utf-8")


ROUTES = (
    web.get("/openapi.json", openapi, allow_head=False),
    web.get("/docs", docs, allow_head=False),
    web.get("/docs/{name}", docs_asset, allow_head=False),
)
