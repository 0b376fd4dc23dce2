"""Preselection with pictures of a studio applicant, measured by real workers (R3.1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from activation.adapters.sql.store import Store
from activation.evidence import CapturesMeasured
from activation.ids import OrderId
from app.server import build_app
from app.studio import make_applicant
from media.captures import CapturePool, open_engines
from tests.app.ground import Ground
from tests.app.http import walking as walk
from tests.app.http.conftest import Client

pytestmark = pytest.mark.slow


@pytest.fixture
async def seeing(ground: Ground, tmp_path: Path) -> AsyncIterator[Client]:
    """The application with a capture worker."""
    captures = CapturePool(partial(open_engines, "dlib", tmp_path), workers=1)
    await captures.start()
    application = build_app(replace(ground.services, captures=captures))
    async with TestClient(TestServer(application)) as opened:
        yield opened
    await captures.close()


async def test_what_is_read_from_pictures_is_shown_and_confirmed(seeing: Client, ground: Ground) -> None:
    person = make_applicant(seed=1)
    order = await walk.open_order(seeing, ground)
    token = walk.bearer(ground.applicant_token(order))
    await walk.consent(seeing, order, token)
    status, problem = await walk.put(seeing, order, token, "id_back", person.front_jpeg())
    assert (status, problem["refusal"]) == (422, "front_shown")
    status, problem = await walk.put(seeing, order, token, "id_front", b"\x89PNG no picture")
    assert (status, problem["code"]) == (422, "capture_refused")
    pictures = {
        "id_front": person.front_jpeg(),
        "id_back": person.back_jpeg(),
        "handheld": person.handheld_jpeg(),
    }
    for kind, picture in pictures.items():
        status, body = await walk.put(seeing, order, token, kind, picture)
        assert status == 200, body
    assert person.applicant.number not in str(body)
    reading = await (await seeing.get(f"/v1/orders/{order}/reading", headers=token)).json()
    assert reading["name"] == person.applicant.name
    assert reading["number"] == person.applicant.number
    confirmed = {"reading_digest": reading["reading_digest"]}
    path = f"/v1/orders/{order}/confirmation"
    assert (await seeing.post(path, json=confirmed, headers={**token, **walk.key()})).status == 201
    async with ground.services.readers() as session:
        (fact,) = (await Store().facts.load(session, OrderId(order))).evidence
    assert isinstance(fact, CapturesMeasured)
    assert len(fact.comparisons) == 3
    assert fact.handheld_number == fact.identity.number
    assert fact.valid_today
