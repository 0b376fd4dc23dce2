"""The whole application on a port of its own, with a blocking call in the event loop as an error."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from blockbuster import BlockBuster, blockbuster_ctx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.server import build_app
from tests.app.ground import Ground, lay_ground

Client = TestClient[Request, Application]


@pytest.fixture
def no_blocking() -> Iterator[BlockBuster]:
    """A call of ours that blocks the event loop is an error."""
    with blockbuster_ctx(["app", "activation", "logistics", "media"]) as watching:
        yield watching


@pytest.fixture
def ground(engine: AsyncEngine, tmp_path: Path) -> Iterator[Ground]:
    laid = lay_ground(engine, tmp_path)
    yield laid
    laid.close()


@pytest.fixture
def application(ground: Ground) -> Application:
    return build_app(ground.services)


@pytest.fixture
async def client(application: Application, no_blocking: BlockBuster) -> AsyncIterator[Client]:
    async with TestClient(TestServer(application)) as opened:
        yield opened


@pytest.fixture
async def production(engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Client]:
    """The same in production mode."""
    laid = lay_ground(engine, tmp_path, production=True)
    async with TestClient(TestServer(build_app(laid.services))) as opened:
        yield opened
    laid.close()
