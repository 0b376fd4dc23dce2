"""Direct uploads against a real S3 server: what its form lets in, and what becomes of it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import ClientSession, FormData
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy.ext.asyncio import AsyncEngine

from activation.adapters.sql.engine import open_engine
from activation.ids import Digest, OrderId
from activation.order_keys import order_keys
from app.access.rates import TAKES_PER_ORDER
from app.preselection import uploading
from app.preselection.upload_sweep import UploadSweep, upload_routines
from app.preselection.upload_tables import UploadRow
from app.server import build_app
from media.aws import open_s3
from media.buckets import NOTHING_MORE, Bucket, Found, Protection
from media.captures import CaptureBusy
from media.captures.codes import HandheldRefusal
from media.envelope import ObjectKeys
from media.images import MAX_BYTES
from media.uploads import MAX_HELD, Quarantine
from media.vault import VaultBusy
from media.vault_local import LocalVault
from media.vault_s3 import S3Vault
from tests.app.ground import Ground, lay_ground
from tests.app.http.conftest import Client
from tests.app.http.walking import CONSENTS, Json, bearer, consent, key, open_order, script
from tests.servers.radosgw import KMS_KEY, RadosGateway

PHOTO = b"front"
REFUSED = b"blurred"


@dataclass
class Storage:
    objects: Bucket
    keys: Bucket
    uploads: Bucket
    vault: S3Vault
    quarantine: Quarantine

    def waiting(self) -> list[str]:
        return list(self.uploads.all_keys(""))


@pytest.fixture
async def engine(sqlite_url: str) -> AsyncIterator[AsyncEngine]:
    """One database is enough; what is different here is the storage."""
    opened = open_engine(sqlite_url)
    yield opened
    await opened.dispose()


@pytest.fixture
def versions() -> bool:
    """Whether the bucket of objects keeps versions, among which nothing in clear may be."""
    return True


@pytest.fixture
def storage(radosgw: RadosGateway, versions: bool) -> Iterator[Storage]:
    objects, keys = radosgw.new_bucket(lock=versions), radosgw.new_bucket()
    uploads = radosgw.new_quarantine()
    vault = S3Vault(objects, keys, ObjectKeys(order_keys()), NOTHING_MORE, uploads)
    quarantine = Quarantine(uploads, uploads, NOTHING_MORE)
    yield Storage(objects, keys, uploads, vault, quarantine)
    vault.close()
    quarantine.close()


@pytest.fixture
def ground(engine: AsyncEngine, tmp_path: Path, storage: Storage) -> Iterator[Ground]:
    laid = lay_ground(engine, tmp_path)
    laid.services = replace(laid.services, vault=storage.vault, quarantine=storage.quarantine)
    script(laid)
    laid.captures.answers[REFUSED] = HandheldRefusal.FACE_BLURRED
    yield laid
    laid.close()


@pytest.fixture
async def client(ground: Ground) -> AsyncIterator[Client]:
    async with TestClient(TestServer(build_app(ground.services))) as opened:
        yield opened


@pytest.fixture
async def order(client: Client, ground: Ground) -> tuple[str, Json]:
    """An order with its consents, and its token's headers."""
    opened = await open_order(client, ground)
    token = bearer(ground.applicant_token(opened))
    await consent(client, opened, token)
    return opened, token


async def begin(client: Client, order: str, token: Json, **body: str) -> tuple[int, Json]:
    wanted = {"kind": "id_front", "media_type": "image/jpeg", **body}
    headers = {**token, **key()}
    async with client.post(f"/v1/orders/{order}/uploads", json=wanted, headers=headers) as answer:
        return answer.status, await answer.json()


async def send(upload: Json, data: bytes = PHOTO, changed: Json | None = None) -> int:
    """What the storage answers to the form with these bytes. changed: fields that are not as signed."""
    form = FormData()
    for name, value in {**upload["fields"], **(changed or {})}.items():
        form.add_field(name, value)
    form.add_field("file", data, filename="photo")
    async with ClientSession() as phone, phone.post(upload["url"], data=form) as answer:
        return answer.status


async def take(
    client: Client, order: str, token: Json, upload: Json, once: Json | None = None
) -> tuple[int, Json]:
    path = f"/v1/orders/{order}/uploads/{upload['upload_id']}/taken"
    async with client.post(path, headers={**token, **(once or key())}) as answer:
        return answer.status, await answer.json()


async def withdraw(client: Client, order: str, token: Json, kind: str) -> None:
    body = {"kind": kind, "version": "2026-1", "given": False}
    async with client.post(f"/v1/orders/{order}/consents", json=body, headers={**token, **key()}) as answer:
        assert answer.status == 201


def code(answer: tuple[int, Json]) -> tuple[int, Any]:
    return answer[0], answer[1].get("code")


pytestmark = pytest.mark.radosgw


@pytest.mark.parametrize("versions", [True, False])
async def test_an_upload_becomes_a_capture_like_any_other(
    client: Client, ground: Ground, storage: Storage, order: tuple[str, Json]
) -> None:
    whose, token = order
    status, upload = await begin(client, whose, token, sha256=hashlib.sha256(PHOTO).hexdigest())
    assert status == 201
    assert (await send(upload), len(storage.waiting())) == (201, 1)
    status, taken = await take(client, whose, token, upload)
    assert (status, taken["captures"], taken["kind"]) == (200, ["id_front"], "id_front")
    digest = Digest(hashlib.sha256(PHOTO).hexdigest())
    assert await storage.vault.get(OrderId(whose), digest) == PHOTO
    assert storage.waiting() == []
    listed = storage.uploads.client.list_object_versions(Bucket=storage.uploads.name)
    assert not listed.get("Versions")
    assert not listed.get("DeleteMarkers")
    kept = storage.objects.client.list_object_versions(Bucket=storage.objects.name).get("Versions", [])
    assert len(kept) == 1  # the sealed object: nothing in clear ever lay beside it
    bodies = [storage.objects.read(each["Key"], 1 << 20) for each in kept]
    assert [found for found in bodies if found is not None and PHOTO in found.data] == []


async def test_the_storage_lets_in_only_what_the_form_says(
    client: Client, storage: Storage, order: tuple[str, Json]
) -> None:
    _, upload = await begin(client, *order)
    other_order = str(OrderId.new())
    elsewhere = upload["fields"]["key"].replace(order[0], other_order)
    refused = [
        await send(upload, b"x" * (MAX_BYTES + 1)),
        await send(upload, b""),
        await send(upload, changed={"Content-Type": "text/html"}),
        await send(upload, changed={"key": elsewhere}),
        await send(upload, changed={"key": f"objects/{order[0]}/{'0' * 32}"}),
        await send(upload, changed={"acl": "public-read"}),
        await send(upload, changed={"Content-Encoding": "gzip"}),
        await send(upload, changed={"x-amz-signature": "0" * 64}),
        await send(upload, changed={"policy": upload["fields"]["policy"][:-4] + "AAAA"}),
        await send({**upload, "fields": {"key": upload["fields"]["key"], "Content-Type": "image/jpeg"}}),
    ]
    assert {status // 100 for status in refused} == {4}
    assert storage.waiting() == []
    assert await send(upload) == 201


async def test_a_form_that_is_over_is_refused(storage: Storage) -> None:
    order = OrderId.new()
    over = await storage.quarantine.offer(order, "upl_" + "0" * 24, "image/jpeg", seconds=-5)
    assert await send({"url": over.url, "fields": over.fields}) == 403
    assert storage.waiting() == []


async def test_the_form_is_signed_anew_for_the_same_request_and_stored_nowhere(
    client: Client, ground: Ground, order: tuple[str, Json]
) -> None:
    whose, token = order
    path, headers = f"/v1/orders/{whose}/uploads", {**token, **key()}
    body = {"kind": "id_front", "media_type": "image/jpeg"}
    answers = []
    for _ in range(2):
        async with client.post(path, json=body, headers=headers) as answer:
            answers.append((answer.status, await answer.json()))
    (_, first), (_, again) = answers
    assert [status for status, _ in answers] == [201, 201]
    assert again["upload_id"] == first["upload_id"]
    assert await send(again) == 201
    async with ground.services.readers() as session:
        assert len((await session.scalars(sa.select(UploadRow))).all()) == 1
    ground.clock.forward(timedelta(minutes=11))
    async with client.post(path, json=body, headers=headers) as answer:
        assert answer.status == 404


async def test_a_form_is_not_signed_anew_for_what_nobody_would_look_at(
    client: Client, order: tuple[str, Json]
) -> None:
    whose, token = order
    path, headers = f"/v1/orders/{whose}/uploads", {**token, **key()}
    body = {"kind": "id_front", "media_type": "image/jpeg"}

    async def asked() -> tuple[int, Json]:
        async with client.post(path, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    _, upload = await asked()
    await withdraw(client, whose, token, "identity")
    assert code(await asked()) == (409, "consent_wanted")
    await consent(client, whose, token, "identity")
    assert (await asked())[0] == 201
    await send(upload)
    assert (await take(client, whose, token, upload))[0] == 200
    assert (await asked())[0] == 404


async def test_of_two_who_take_at_once_one_does(
    client: Client, ground: Ground, storage: Storage, order: tuple[str, Json]
) -> None:
    _, upload = await begin(client, *order)
    await send(upload)
    answers = await asyncio.gather(*(take(client, *order, upload) for _ in range(4)))
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409]
    assert storage.waiting() == []
    assert len(await storage.vault.digests(OrderId(order[0]))) == 1


@pytest.mark.parametrize("kind", ["identity", "face_recognition"])
async def test_consent_taken_back_removes_what_waits(
    client: Client, storage: Storage, order: tuple[str, Json], kind: str
) -> None:
    _, upload = await begin(client, *order)
    _, later = await begin(client, *order)
    await send(upload)
    await withdraw(client, *order, kind)
    assert storage.waiting() == []
    await send(later)  # with a form from before
    assert code(await take(client, *order, later)) == (409, "consent_wanted")
    assert storage.waiting() == []


async def test_a_cancelled_order_takes_nothing_and_what_waits_is_removed_unseen(
    client: Client, ground: Ground, storage: Storage, order: tuple[str, Json]
) -> None:
    _, upload = await begin(client, *order)
    await send(upload)
    path = f"/v1/orders/{order[0]}/cancellation"
    async with client.post(path, headers={**order[1], **key()}) as answer:
        assert answer.status < 300
    assert storage.waiting() == []
    await send(upload)
    del ground.captures.answers[PHOTO]  # looking at it would be a fault
    assert code(await take(client, *order, upload)) == (409, "wrong_state")
    assert storage.waiting() == []


async def test_asking_again_and_again_does_not_fetch_again_and_again(
    client: Client, ground: Ground, storage: Storage, order: tuple[str, Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, upload = await begin(client, *order)
    fetched, read = [], storage.uploads.read

    def counted(key: str, most: int) -> Found | None:
        fetched.append(key)
        return read(key, most)

    monkeypatch.setattr(storage.uploads, "read", counted)
    monkeypatch.setattr(uploading, "TAKES_PER_ORDER", replace(TAKES_PER_ORDER, hits=2))
    answers = [code(await take(client, *order, upload)) for _ in range(4)]
    assert answers == [(409, "upload_missing")] * 2 + [(429, "too_many_requests")] * 2
    assert len(fetched) == 2


async def test_pictures_in_memory_are_counted_until_they_were_looked_at(storage: Storage) -> None:
    order = OrderId.new()
    async with AsyncExitStack() as held:
        for _ in range(MAX_HELD):
            assert await held.enter_async_context(storage.quarantine.fetched(order, "upl_0")) is None
        with pytest.raises(VaultBusy):
            await held.enter_async_context(storage.quarantine.fetched(order, "upl_0"))
    async with storage.quarantine.fetched(order, "upl_0") as found:
        assert found is None


async def test_an_upload_is_taken_once(client: Client, storage: Storage, order: tuple[str, Json]) -> None:
    _, upload = await begin(client, *order)
    assert code(await take(client, *order, upload)) == (409, "upload_missing")
    await send(upload)
    once = key()
    first = await take(client, *order, upload, once)
    assert first[0] == 200
    assert await take(client, *order, upload, once) == first  # the same request, asked again
    assert code(await take(client, *order, upload)) == (409, "upload_taken")
    await send(upload)  # the form is still good; what comes in is never looked at
    assert code(await take(client, *order, upload)) == (409, "upload_taken")


async def test_another_orders_upload_is_not_there(
    client: Client, ground: Ground, storage: Storage, order: tuple[str, Json]
) -> None:
    _, upload = await begin(client, *order)
    await send(upload)
    other = await open_order(client, ground, "13800000002", "13900000002")
    token = bearer(ground.applicant_token(other))
    await consent(client, other, token)
    assert code(await take(client, other, token, upload)) == (404, "not_found")
    assert (await take(client, order[0], token, upload))[0] in (403, 404)
    assert (await begin(client, order[0], token))[0] in (403, 404)
    assert len(storage.waiting()) == 1
    assert (await take(client, *order, upload))[0] == 200


async def test_other_bytes_than_announced_are_refused_and_removed(
    client: Client, storage: Storage, order: tuple[str, Json]
) -> None:
    """Ceph does not compare the checksum of a form; the server does."""
    _, upload = await begin(client, *order, sha256=hashlib.sha256(b"another").hexdigest())
    assert await send(upload) == 201
    assert code(await take(client, *order, upload)) == (422, "upload_changed")
    assert storage.waiting() == []


async def test_a_refused_picture_is_removed_and_one_that_had_to_wait_is_not(
    client: Client, ground: Ground, storage: Storage, order: tuple[str, Json]
) -> None:
    _, refused = await begin(client, *order)
    await send(refused, REFUSED)
    answer = await take(client, *order, refused)
    assert (code(answer), answer[1]["refusal"]) == ((422, "capture_refused"), HandheldRefusal.FACE_BLURRED)
    assert storage.waiting() == []
    _, waiting = await begin(client, *order)
    await send(waiting)
    scripted, ground.captures.answers[PHOTO] = ground.captures.answers[PHOTO], CaptureBusy()
    assert code(await take(client, *order, waiting)) == (503, "busy")
    assert len(storage.waiting()) == 1
    ground.captures.answers[PHOTO] = scripted
    assert (await take(client, *order, waiting))[0] == 200
    assert storage.waiting() == []


async def test_no_form_without_consent_or_for_kinds_and_types_that_are_not(
    client: Client, ground: Ground
) -> None:
    order = await open_order(client, ground)
    token = bearer(ground.applicant_token(order))
    assert code(await begin(client, order, token)) == (409, "consent_wanted")
    await consent(client, order, token, *CONSENTS)
    for wrong in ({"kind": "clip"}, {"media_type": "text/html"}, {"sha256": "no"}, {"key": "objects/x"}):
        assert code(await begin(client, order, token, **wrong)) == (422, "invalid_request")


async def test_quarantine_is_swept_after_an_hour(
    client: Client, ground: Ground, storage: Storage, order: tuple[str, Json]
) -> None:
    _, upload = await begin(client, *order)
    await send(upload)
    sweep = UploadSweep(ground.services.sessions, ground.clock, storage.quarantine, storage.vault)
    ground.clock.forward(timedelta(minutes=55))
    assert (await sweep.sweep(), len(storage.waiting())) == (0, 1)
    ground.clock.forward(timedelta(minutes=10))
    token = bearer(ground.applicant_token(order[0]))
    assert code(await take(client, order[0], token, upload)) == (404, "not_found")
    assert (await sweep.sweep(), storage.waiting()) == (1, [])
    async with ground.services.readers() as session:
        assert (await session.scalars(sa.select(UploadRow))).all() == []


async def test_parts_that_lost_their_writer_are_swept_where_no_upload_is_offered(
    ground: Ground, storage: Storage, tmp_path: Path
) -> None:
    services, objects = ground.services, storage.objects
    objects.client.create_multipart_upload(Bucket=objects.name, Key="objects/left")
    (routine,) = upload_routines(None, storage.vault, services.sessions, ground.clock)
    await routine.run()
    assert objects.client.list_multipart_uploads(Bucket=objects.name).get("Uploads")
    ground.clock.forward(timedelta(hours=25))
    await routine.run()
    assert not objects.client.list_multipart_uploads(Bucket=objects.name).get("Uploads")
    folder = LocalVault(tmp_path / "folder", ObjectKeys(order_keys()))
    assert upload_routines(None, folder, services.sessions, ground.clock) == ()
    folder.close()


async def test_destroying_an_order_empties_its_quarantine(
    client: Client, storage: Storage, order: tuple[str, Json]
) -> None:
    _, upload = await begin(client, *order)
    await send(upload)
    await storage.vault.destroy_order(OrderId(order[0]))
    assert storage.waiting() == []


async def test_the_storage_encrypts_what_waits_where_it_is_told_to(radosgw: RadosGateway) -> None:
    objects = radosgw.new_bucket()
    quarantine = Quarantine(objects, objects, Protection(kms_key=KMS_KEY))
    order, upload_id = OrderId.new(), "upl_" + "0" * 24
    form = await quarantine.offer(order, upload_id, "image/jpeg")
    assert await send({"url": form.url, "fields": form.fields}) == 201
    (place,) = objects.all_keys("")
    assert objects.client.head_object(Bucket=objects.name, Key=place)["ServerSideEncryption"] == "aws:kms"
    async with quarantine.fetched(order, upload_id) as found:
        assert found == PHOTO
    quarantine.close()


async def test_a_storage_that_is_away_is_busy_and_loses_nothing(
    client: Client, ground: Ground, storage: Storage, order: tuple[str, Json], radosgw: RadosGateway
) -> None:
    _, upload = await begin(client, *order)
    await send(upload)
    hasty = open_s3(radosgw.access, read_seconds=0.3, tries=1)
    storage.quarantine._bucket = Bucket(hasty, storage.uploads.name)
    radosgw.pause()
    try:
        assert code(await take(client, *order, upload)) == (503, "busy")
    finally:
        radosgw.resume()
    assert (await take(client, *order, upload))[0] == 200
