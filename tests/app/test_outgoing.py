"""Whom the server speaks to: addresses out of settings, and nobody whom a request could name (SSRF)."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from activation.adapters.messages_http import HttpMessages
from activation.adapters.registry_http import HttpRegistry
from activation.ids import Msisdn
from activation.ports import MessageKind, MessagesFault, PersonalIdentity, RegistryFault
from app.http.contract import operation_of
from app.server import resource_modules

ROOT = Path(__file__).parents[2]
#: Everything that opens a connection outwards, with where its address comes from.
OUTWARDS = {
    "activation/adapters/registry_http.py": "KAIKA_REGISTRY_URL",
    "activation/adapters/messages_http.py": "KAIKA_MESSAGES_URL",
    "activation/adapters/hlr_osmocom.py": "KAIKA_HLR_ADDRESS",
    "media/models/download.py": "the list of models, on the command line alone",
    "media/aws.py": "the settings of object store and key service",
    "media/webrtc/peer.py": "candidates (`media.webrtc.candidates`) and KAIKA_STUN_URLS, KAIKA_TURN_URLS",
    "media/webrtc/phone.py": "the phone's end, for demo and tests",
    "app/selfsigned.py": "nobody: a socket that sends nothing, to learn the own address (development)",
}
_OPENS = re.compile(
    r"ClientSession\(|urlopen\(|urlretrieve\(|open_connection\(|create_connection\(|HTTPS?Connection\(|"
    r"\brequests\.(?:get|post|Session)\(|\bhttpx\.|RTCPeerConnection\(|\bboto3\.\w+|"
    r"socket\.socket\(|\bsmtplib|ftplib"
)


def test_only_these_modules_open_connections() -> None:
    found = set()
    for room in ("app", "activation", "media", "logistics"):
        for path in (ROOT / room).rglob("*.py"):
            name = str(path.relative_to(ROOT))
            if not name.startswith(("app/demo/", "app/studio/")) and _OPENS.search(_code(path)):
                found.add(name)
    assert found == set(OUTWARDS)


def _code(path: Path) -> str:
    """The module without its comments and docstrings."""
    return ast.unparse(_without_docs(ast.parse(path.read_text())))


def _without_docs(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant(value=None)
    return tree


def test_no_request_names_an_address() -> None:
    """No input of the API has a member that could be one."""
    wrong = []
    for module in resource_modules():
        for route in module.ROUTES:
            operation = operation_of(route.handler)
            for model in (operation.path, operation.query, operation.body) if operation else ():
                for name in model.model_fields if model else ():
                    if re.search(r"url|uri|host|callback|webhook|redirect|endpoint", name):
                        wrong.append(f"{route.path}: {name}")
    assert wrong == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    """An answer of the registry or the gateway cannot send us elsewhere either."""
    asked: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=status, headers={"Location": "/inside"})

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", elsewhere)
    async with TestServer(application) as server:
        base = str(server.make_url("")).rstrip("/")
        messages, registry = HttpMessages(base, None), HttpRegistry(base, None)
        with pytest.raises(MessagesFault):
            await messages.send(Msisdn("13900000001"), MessageKind.ONE_TIME_CODE, {"code": "1"}, "en", "k")
        with pytest.raises(RegistryFault):
            await registry.compare(PersonalIdentity("样本甲", "110101199003070011"), "k")
        await messages.close()
        await registry.close()
    assert asked
    assert "/inside" not in asked
