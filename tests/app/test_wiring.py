"""The composition root: everything opens from an empty folder, serves, and closes again."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

import migrations
from activation.adapters.hlr_osmocom import OsmocomHlr
from activation.adapters.hlr_sandbox import SandboxHlr
from activation.adapters.sql.fields import use_field_keys
from app.config import HlrChoice, Settings, TurnSettings, load_settings
from app.keys import KeyUnusable
from app.schema import SchemaOutdated
from app.server import build_app, resource_modules
from app.serving import serve
from app.wiring import ice_settings, open_services, policy_of
from tests.app.test_config import production, secret
from tests.conftest import TEST_KEYS
from tests.servers.ports import free_port


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    ports = {"KAIKA_PORT": str(free_port()), "KAIKA_METRICS_PORT": str(free_port())}
    return load_settings({"KAIKA_DATA_DIR": str(tmp_path / "data"), **ports})


@pytest.fixture(autouse=True)
def _keys_of_tests_again() -> object:
    """The root sets its own keys for the whole process."""
    yield
    use_field_keys(TEST_KEYS)


@pytest.mark.slow
async def test_everything_opens_from_an_empty_folder_and_closes(settings: Settings) -> None:
    async with open_services(settings) as services:
        assert isinstance(services.hlr, SandboxHlr)
        assert await migrations.is_current(settings.database_url)
        assert set(services.policy.faces) == {settings.recogniser}
        assert build_app(services).router.routes()
    pools = ("look", "read", "vault", "captures", "passwords", "door-photos")
    assert [each.name for each in threading.enumerate() if each.name.startswith(pools)] == []
    assert multiprocessing.active_children() == []


@pytest.mark.slow
async def test_it_serves_until_it_is_told_to_stop(settings: Settings) -> None:
    ready = asyncio.Event()

    async def on_ready(_services: object) -> None:
        ready.set()

    serving = asyncio.create_task(serve(settings, on_ready))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    try:
        async with aiohttp.ClientSession() as session:
            for path in ("/healthz", "/readyz", "/openapi.json", "/docs", "/activate"):
                async with session.get(f"http://127.0.0.1:{settings.port}{path}") as answer:
                    assert answer.status == 200, path
            for port, status in ((settings.port, 401), (settings.bounds.metrics_port, 200)):
                async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                    assert answer.status == status
    finally:
        serving.cancel()
        await asyncio.gather(serving, waiting, return_exceptions=True)


async def test_production_does_not_change_the_schema(tmp_path: Path) -> None:
    environ = production(tmp_path) | {"DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite'}"}
    with pytest.raises(SchemaOutdated, match="app migrate"):
        async with open_services(load_settings(environ)):
            pass


@pytest.mark.slow
async def test_production_opens_without_any_stand_in(tmp_path: Path) -> None:
    environ = production(tmp_path) | {"DATABASE_URL": f"sqlite:///{tmp_path / 'kaika.sqlite'}"}
    settings = load_settings(environ)
    await migrations.upgrade(settings.database_url)
    async with open_services(settings) as services:
        chosen = (services.hlr, services.registry, services.messages)
        assert [type(each).__name__ for each in chosen] == ["OsmocomHlr", "HttpRegistry", "HttpMessages"]
        paths = {str(route.resource) for route in build_app(services).router.routes()}
        assert not any("/sandbox" in path for path in paths)
    assert not (settings.data_dir / "keys").exists()


async def test_a_fault_while_opening_closes_what_was_open(settings: Settings, tmp_path: Path) -> None:
    broken = replace(settings, recogniser="absent", models_dir=tmp_path)
    with pytest.raises(LookupError, match="absent"):
        async with open_services(broken):
            pass


def test_each_resource_module_gives_routes() -> None:
    routes = [route for module in resource_modules() for route in module.ROUTES]
    assert len(routes) > 30
    assert all(isinstance(route, web.AbstractRouteDef) for route in routes)
    where = [(route.method, route.path) for route in routes]
    assert len(where) == len(set(where))


def test_the_sandbox_is_absent_in_production() -> None:
    sandbox = [module for module in resource_modules() if getattr(module, "SANDBOX_ONLY", False)]
    assert [module.__name__ for module in sandbox] == ["app.http.sandbox"]


def test_the_policy_is_made_of_settings_and_the_recognisers_band(settings: Settings) -> None:
    policy = policy_of(replace(settings, minimum_age=18, courier_confirms=False))
    assert (policy.minimum_age, policy.courier_confirms) == (18, False)
    band = policy.faces["dlib"]
    assert -1 <= band.refuse < band.accept <= 1


def test_a_relay_needs_its_secret(settings: Settings, tmp_path: Path) -> None:
    turn = TurnSettings(("turn:turn.example",), Path(secret(tmp_path / "turn", "shared secret")))
    assert ice_settings(replace(settings, turn=turn)).turn_secret == b"shared secret"
    with pytest.raises(KeyUnusable, match="KAIKA_TURN_SECRET_FILE"):
        ice_settings(replace(settings, turn=TurnSettings(turn.urls, Path(secret(tmp_path / "none", "")))))


async def test_osmocom_is_chosen_by_its_setting(tmp_path: Path) -> None:
    from contextlib import AsyncExitStack

    from app.wiring import _open_ground, _open_hlr

    settings = replace(load_settings({"KAIKA_DATA_DIR": str(tmp_path)}), hlr=HlrChoice.OSMOCOM)
    async with AsyncExitStack() as stack:
        assert isinstance(_open_hlr(stack, settings, await _open_ground(stack, settings)), OsmocomHlr)
