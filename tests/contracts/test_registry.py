"""The registry's adapter and the sandbox registry over real HTTP: every verdict, every failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from activation.adapters import registry_http
from activation.adapters.registry_http import ATTEMPTS, FAULTS_UNTIL_OPEN, MAX_ANSWER_BYTES, HttpRegistry
from activation.adapters.registry_sandbox import Mode, SandboxRegistry
from activation.evidence import RegistryVerdict
from activation.ports import PersonalIdentity, RegistryFault
from tests.activation.stand_ins import until

PERSON = PersonalIdentity("样本", "11010519491231002X")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_http, "RETRY_SECONDS", (0.05, 0.05))


@dataclass
class Scene:
    sandbox: SandboxRegistry
    client: TestClient[web.Request, web.Application]
    registry: HttpRegistry

    async def citizen(self, name: str, number: str) -> None:
        answer = await self.client.post("/sandbox/citizens", json={"name": name, "number": number})
        assert answer.status == 204

    async def mode(self, mode: Mode, number: str = "*") -> None:
        answer = await self.client.post("/sandbox/modes", json={"mode": mode, "number": number})
        assert answer.status == 204

    async def fails(self) -> str:
        with pytest.raises(RegistryFault) as fault:
            await self.registry.compare(PERSON, "order-1")
        return str(fault.value)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    sandbox = SandboxRegistry(slow_seconds=5.0)
    async with TestClient(TestServer(sandbox.application())) as client:
        async with HttpRegistry(str(client.make_url("/")), timeout=0.3, open_seconds=0.2) as registry:
            yield Scene(sandbox, client, registry)


async def test_it_compares_names_and_numbers_in_their_normal_form(scene: Scene) -> None:
    assert (await scene.registry.compare(PERSON, "a"))[0] is RegistryVerdict.UNKNOWN
    await scene.citizen("样·本 ", "11010519491231002x")
    verdict, reference = await scene.registry.compare(PERSON, "b")
    assert verdict is RegistryVerdict.MATCH
    assert reference
    other = PersonalIdentity("别人", PERSON.number)
    assert (await scene.registry.compare(other, "c"))[0] is RegistryVerdict.MISMATCH


@pytest.mark.parametrize("mode", [Mode.MATCH, Mode.MISMATCH, Mode.UNKNOWN])
async def test_verdicts_on_demand(scene: Scene, mode: Mode) -> None:
    await scene.mode(mode, "11010519491231002x")
    assert (await scene.registry.compare(PERSON, "a"))[0] == mode.value


async def test_the_same_key_gets_the_same_answer(scene: Scene) -> None:
    await scene.mode(Mode.MATCH)
    first = await scene.registry.compare(PERSON, "key")
    await scene.mode(Mode.MISMATCH)
    assert await scene.registry.compare(PERSON, "key") == first


@pytest.mark.parametrize(
    ("mode", "attempts"), [(Mode.SLOW, ATTEMPTS), (Mode.FAILING, ATTEMPTS), (Mode.NONSENSE, 1)]
)
async def test_failures_are_faults_after_limited_attempts_and_name_nobody(
    scene: Scene, mode: Mode, attempts: int
) -> None:
    await scene.mode(mode)
    text = await scene.fails()
    assert scene.sandbox.calls == attempts
    assert PERSON.name not in text
    assert PERSON.number not in text


async def test_it_recovers_within_one_call(scene: Scene) -> None:
    await scene.mode(Mode.FAILING)
    asking = asyncio.create_task(scene.registry.compare(PERSON, "a"))

    async def was_asked() -> bool:
        return scene.sandbox.calls > 0

    await until(was_asked)
    scene.sandbox.modes["*"] = Mode.MATCH
    assert (await asking)[0] is RegistryVerdict.MATCH


async def test_the_circuit_opens_and_closes_again(scene: Scene) -> None:
    await scene.mode(Mode.FAILING)
    while scene.sandbox.calls < FAULTS_UNTIL_OPEN:
        await scene.fails()
    asked = scene.sandbox.calls
    assert "left alone" in await scene.fails()
    assert scene.sandbox.calls == asked
    await scene.mode(Mode.MATCH)
    await asyncio.sleep(0.3)  # longer than the circuit stays open
    assert (await scene.registry.compare(PERSON, "z"))[0] is RegistryVerdict.MATCH
    assert (await scene.registry.compare(PERSON, "y"))[0] is RegistryVerdict.MATCH


async def test_nobody_is_there() -> None:
    async with HttpRegistry("http://127.0.0.1:9", timeout=0.3) as registry:
        with pytest.raises(RegistryFault):
            await registry.compare(PERSON, "a")


ANSWERS: dict[str, tuple[int, str]] = {
    "empty": (200, ""),
    "not JSON": (200, "{"),
    "a list": (200, "[]"),
    "no reference": (200, '{"verdict": "match"}'),
    "empty reference": (200, '{"verdict": "match", "reference": ""}'),
    "reference with white space": (200, '{"verdict": "match", "reference": "a b"}'),
    "a verdict of its own": (200, '{"verdict": "maybe", "reference": "r"}'),
    "a verdict that only we may give": (200, '{"verdict": "unavailable", "reference": "r"}'),
    "too long": (200, '{"verdict": "match", "reference": "r", "x": "' + "x" * MAX_ANSWER_BYTES + '"}'),
    "created": (201, '{"verdict": "match", "reference": "r"}'),
    "refused": (403, "{}"),
    "echo of the person": (400, '{"name": "样本", "number": "11010519491231002X"}'),
}


@pytest.mark.parametrize(("status", "body"), ANSWERS.values(), ids=ANSWERS.keys())
async def test_whatever_is_not_an_answer_is_a_fault(status: int, body: str) -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=body, content_type="application/json")

    await _faults(answer)


async def test_redirects_are_not_followed() -> None:
    async def elsewhere(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPTemporaryRedirect("/elsewhere")

    await _faults(elsewhere)


async def _faults(handler: Handler) -> None:
    app = web.Application()
    app.router.add_post("/v1/comparisons", handler)
    async with TestServer(app) as server, HttpRegistry(str(server.make_url("/")), timeout=1) as registry:
        with pytest.raises(RegistryFault) as fault:
            await registry.compare(PERSON, "a")
        assert PERSON.name not in str(fault.value)
        assert PERSON.number not in str(fault.value)


@pytest.mark.parametrize("body", ["", "[]", "{", '{"name": ""}', '{"name": "a", "number": "b", "c": 1}'])
async def test_the_sandbox_refuses_other_bodies_without_repeating_them(scene: Scene, body: str) -> None:
    for path in ("/v1/comparisons", "/sandbox/citizens", "/sandbox/modes"):
        answer = await scene.client.post(path, data=body.encode())
        assert answer.status == 422
        assert await answer.text() in {f"{count} fields are wrong" for count in range(4)}
