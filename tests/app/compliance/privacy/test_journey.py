"""R9.1: after a journey nothing personal lies in clear, whatever database and vault; a grep says the same."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from activation.ids import OrderId
from activation.order_keys import order_keys
from app.compliance.privacy.buckets import objects_of
from app.compliance.privacy.needles import patterns_of
from app.compliance.privacy.report import clean, lines
from app.compliance.privacy.scan import Place, Scope, scan
from app.compliance.privacy.search import Pattern
from app.compliance.privacy.subjects import needles_of_orders
from app.server import build_app
from media.buckets import Bucket
from media.captures import CaptureMeasured, FaceMeasured
from media.envelope import ObjectKeys
from media.vault_s3 import S3Vault
from tests.app.ground import ADDRESS, NAME, NUMBER, Ground, back, front, handheld, lay_ground
from tests.app.http import walking as walk
from tests.app.http.conftest import Client
from tests.servers.postgres import binaries
from tests.servers.radosgw import RadosGateway

_PLACES = ["folder", pytest.param("radosgw", marks=pytest.mark.radosgw)]


def jpeg(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    return bytes(cv2.imencode(".jpg", pixels)[1])


def with_real_face(measured: CaptureMeasured, seed: int) -> CaptureMeasured:
    vector = np.random.default_rng(seed).normal(size=128).astype(np.float32)
    faces = tuple(
        FaceMeasured(face.source, vector / np.linalg.norm(vector), b"", face.size, face.model)
        for face in measured.faces
    )
    return replace(measured, faces=faces)


@pytest.fixture(params=_PLACES)
def buckets(request: pytest.FixtureRequest) -> tuple[Bucket, ...]:
    """None for the vault in a folder."""
    if request.param == "folder":
        return ()
    gateway: RadosGateway = request.getfixturevalue("radosgw")
    return gateway.new_bucket(), gateway.new_bucket()


@pytest.fixture
def ground(engine: AsyncEngine, tmp_path: Path, buckets: tuple[Bucket, ...]) -> Iterator[Ground]:
    folder = tmp_path / "data"
    folder.mkdir()
    laid = lay_ground(engine, folder)
    if not buckets:
        yield laid
    else:
        objects, keys = buckets
        vault = S3Vault(objects, keys, ObjectKeys(order_keys()))
        laid.services = replace(laid.services, vault=vault)
        yield laid
        vault.close()
    laid.close()


@pytest.fixture
async def client(ground: Ground) -> AsyncIterator[Client]:
    async with TestClient(TestServer(build_app(ground.services))) as opened:
        yield opened


@pytest.fixture
async def order(client: Client, ground: Ground) -> OrderId:
    """Preselection to its end, with real pictures and faces."""
    pictures = {"id_front": jpeg(1), "id_back": jpeg(2), "handheld": jpeg(3)}
    ground.captures.answers |= {
        pictures["id_front"]: with_real_face(front(jpeg=pictures["id_front"]), 1),
        pictures["id_back"]: back(jpeg=pictures["id_back"]),
        pictures["handheld"]: with_real_face(handheld(jpeg=pictures["handheld"]), 2),
    }
    order = await walk.open_order(client, ground)
    token = walk.bearer(ground.applicant_token(order))
    await walk.consent(client, order, token)
    for kind in ("handheld", "id_front", "id_back"):
        status, body = await walk.put(client, order, token, kind, pictures[kind])
        assert status == 200, body
    reading = await (await client.get(f"/v1/orders/{order}/reading", headers=token)).json()
    body = {"reading_digest": reading["reading_digest"]}
    headers = {**token, **walk.key()}
    assert (await client.post(f"/v1/orders/{order}/confirmation", json=body, headers=headers)).status < 300
    return OrderId(order)


async def looked(ground: Ground, order: OrderId, url: str, buckets: tuple[Bucket, ...]) -> list[Place]:
    async with ground.services.readers() as session:
        sought = await needles_of_orders(session, order)
    assert {needle.kind for needle in sought.needles if hasattr(needle, "kind")} == {
        *("name", "number", "address", "phone")
    }
    patterns: list[Pattern] = patterns_of(sought.needles)
    assert any(pattern.label == "embedding float32" for pattern in patterns)
    scope = Scope(
        ground.services.settings.data_dir,
        url,
        here=ground.services.settings.data_dir,
        # A PostgreSQL cluster's log is of all tests of this run, some of which plant needles.
        raw=make_url(url).get_backend_name() == "sqlite",
        buckets=tuple((each.name, partial(objects_of, each)) for each in buckets),
    )
    return await asyncio.to_thread(scan, scope, patterns)


async def test_a_journey_leaves_nothing_in_clear(
    ground: Ground, order: OrderId, database_url: str, buckets: tuple[Bucket, ...]
) -> None:
    places = await looked(ground, order, database_url, buckets)
    assert clean(places), "\n".join(lines(places))
    seen = {place.name: place for place in places}
    assert sum(place.size for name, place in seen.items() if name.endswith("captures")) > 3000
    if buckets:
        assert seen[f"bucket {buckets[0].name}"].files == 3
    else:
        assert seen["vault/objects"].files == 3
    assert await asyncio.to_thread(grepped, ground, database_url, buckets) == []


def grepped(ground: Ground, url: str, buckets: tuple[Bucket, ...]) -> list[str]:
    """What another program finds of it."""
    folder = ground.services.settings.data_dir / "grepped"
    folder.mkdir()
    if make_url(url).get_backend_name() == "sqlite":
        for path in Path(make_url(url).database or "").parent.glob("kaika.sqlite*"):
            shutil.copy(path, folder)
    else:
        programs = binaries()
        assert programs is not None
        dump = [str(programs / "pg_dump"), "--inserts", "-d", url, "-f", str(folder / "dump.sql")]
        subprocess.run(dump, check=True, capture_output=True)
        assert (folder / "dump.sql").stat().st_size > 10_000
    for bucket in buckets:
        for number, key in enumerate(bucket.all_keys("")):
            found: Any = bucket.client.get_object(Bucket=bucket.name, Key=key)["Body"]
            (folder / f"{bucket.name}-{number}").write_bytes(found.read())
    texts = (NAME, NUMBER, ADDRESS, walk.PHONE)
    wanted = [word for text in texts for word in (text, text.encode().hex())] + ["JFIF", "Exif"]
    return [word for word in wanted if found_by_grep(word, ground.services.settings.data_dir)]


def found_by_grep(word: str, folder: Path) -> bool:
    done = subprocess.run(
        ["grep", "-rqaF", "-e", word, str(folder)], env={**os.environ, "LC_ALL": "C"}, check=False
    )
    return done.returncode == 0


async def test_the_grep_and_the_scan_are_not_blind(
    ground: Ground, order: OrderId, database_url: str, buckets: tuple[Bucket, ...]
) -> None:
    data = ground.services.settings.data_dir
    (data / "forgotten.txt").write_text(f"{NAME} {walk.PHONE}")
    (data / "forgotten.jpg").write_bytes(jpeg(9))
    if buckets:
        buckets[0].write("quarantine/left-behind", jpeg(8) + NUMBER.encode())
    found = {place.name.strip(): place for place in await looked(ground, order, database_url, buckets)}
    assert {"name utf-8", "phone utf-8"} <= set(found["forgotten.txt"].hits)
    assert "JPEG" in found["forgotten.jpg"].hits
    if buckets:
        assert {"JPEG", "number utf-8"} <= set(found[f"bucket {buckets[0].name}"].hits)
    assert {NAME, walk.PHONE, "JFIF"} <= set(await asyncio.to_thread(grepped, ground, database_url, buckets))
