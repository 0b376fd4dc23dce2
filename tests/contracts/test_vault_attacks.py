"""Every vault adapter against who can write to its storage, against kills, and without its services."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from activation.ids import Digest, OrderId
from activation.order_keys import OrderKey, OrderKeysFault
from media.aws import AwsAccess, open_s3
from media.buckets import PART_BYTES, Bucket
from media.envelope import CHUNK_BYTES, MAGIC, TAG_BYTES
from media.vault import (
    EvidenceNotFound,
    EvidenceUnreadable,
    Vault,
    VaultAway,
    VaultBusy,
    VaultFault,
    VaultKeysAway,
)
from tests.contracts.vaults import LocalUnderTest, S3UnderTest, VaultUnderTest, key_place, one_object
from tests.order_keys import DerivedOrderKeys
from tests.servers.ports import free_port
from tests.servers.radosgw import REGION, RadosGateway

CHUNK = CHUNK_BYTES + TAG_BYTES
#: Three chunks, the last one short.
DATA = os.urandom(2 * CHUNK_BYTES + 500)
#: Bytes of the clip that is written and read in bounded memory; CLIP_BYTES=1073741824 for the gigabyte.
CLIP_BYTES = int(os.environ.get("CLIP_BYTES", 192 * 1024**2))
MOST_MEMORY = 64 * 1024**2


@pytest.fixture
def vault(under: VaultUnderTest, keys: DerivedOrderKeys) -> Vault:
    return under.open(keys)


def _parts(sealed: bytes) -> list[bytes]:
    body = sealed[len(MAGIC) :]
    return [body[start : start + CHUNK] for start in range(0, len(body), CHUNK)]


def _flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


TAMPERING: dict[str, Callable[[bytes], bytes]] = {
    "nothing left": lambda sealed: b"",
    "magic changed": lambda sealed: _flip(sealed, 0),
    "first chunk changed": lambda sealed: _flip(sealed, len(MAGIC) + 10),
    "a tag changed": lambda sealed: _flip(sealed, len(MAGIC) + CHUNK - 1),
    "last byte changed": lambda sealed: _flip(sealed, len(sealed) - 1),
    "cut short by a byte": lambda sealed: sealed[:-1],
    "last chunk cut off": lambda sealed: MAGIC + b"".join(_parts(sealed)[:-1]),
    "only the magic left": lambda sealed: MAGIC,
    "first chunk left out": lambda sealed: MAGIC + b"".join(_parts(sealed)[1:]),
    "chunks swapped": lambda sealed: MAGIC + b"".join([_parts(sealed)[i] for i in (1, 0, 2)]),
    "a chunk twice": lambda sealed: MAGIC + b"".join([_parts(sealed)[i] for i in (0, 0, 1, 2)]),
    "lengthened": lambda sealed: sealed + b"x",
    "lengthened by a chunk": lambda sealed: sealed + _parts(sealed)[2],
}


async def _refused(vault: Vault, order: OrderId, digest: Digest) -> None:
    with pytest.raises(EvidenceUnreadable):
        await vault.get(order, digest)
    with pytest.raises(EvidenceUnreadable):
        async for _ in vault.read(order, digest):
            pass


async def test_changed_bytes_are_refused(vault: Vault, under: VaultUnderTest, order: OrderId) -> None:
    digest = await vault.put(order, "clip", "video/webm", DATA)
    place = one_object(under, order)
    sealed = under.stored()[place]
    for change in TAMPERING.values():
        under.write(place, change(sealed))
        await _refused(vault, order, digest)
    under.write(place, sealed)
    assert await vault.get(order, digest) == DATA


async def test_a_stream_gives_no_chunk_that_was_changed(
    vault: Vault, under: VaultUnderTest, order: OrderId
) -> None:
    digest = await vault.put(order, "clip", "video/webm", DATA)
    place = one_object(under, order)
    under.write(place, TAMPERING["last byte changed"](under.stored()[place]))
    read = b""
    chunks = vault.read(order, digest)
    for _ in range(2):
        read += await anext(chunks)
    with pytest.raises(EvidenceUnreadable):
        await anext(chunks)
    assert read == DATA[: 2 * CHUNK_BYTES]


async def test_lost_bytes_are_not_a_missing_object(
    vault: Vault, under: VaultUnderTest, order: OrderId
) -> None:
    digest = await vault.put(order, "clip", "video/webm", DATA)
    under.remove(one_object(under, order))
    await _refused(vault, order, digest)


async def test_objects_that_swapped_places_are_refused(
    vault: Vault, under: VaultUnderTest, order: OrderId
) -> None:
    other = OrderId.new()
    mine = await vault.put(order, "id_front", "image/jpeg", b"mine")
    theirs = await vault.put(other, "id_front", "image/jpeg", b"not!")
    a, b, stored = one_object(under, order), one_object(under, other), under.stored()
    under.write(a, stored[b])
    under.write(b, stored[a])
    await _refused(vault, order, mine)
    await _refused(vault, other, theirs)


async def test_an_object_with_its_key_moved_to_another_order_is_refused(
    vault: Vault, under: VaultUnderTest, order: OrderId
) -> None:
    digest = await vault.put(order, "id_front", "image/jpeg", b"whose?")
    thief = OrderId.new()
    for place, content in under.stored().items():
        under.write(place.replace(order, thief), content)
    await _refused(vault, thief, digest)


async def test_an_object_with_its_key_under_another_digest_is_refused(
    vault: Vault, under: VaultUnderTest, order: OrderId
) -> None:
    digest = await vault.put(order, "id_front", "image/jpeg", b"one")
    claimed = Digest("0" * 64)
    under.write(key_place(order, claimed), under.stored()[key_place(order, digest)])
    await _refused(vault, order, claimed)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"id_front", b"handheld"),
        (b"image/jpeg", b"text/html"),
        (b'"size": 3', b'"size": 4'),
        (b'"name": "', b'"name": "0'),
        (b'"wrapped": "', b'"wrapped": "AAAA'),
        (b'"wrapped": "', b'"wrapped": "\xff'),
        (b'"kind"', b'"king"'),
        (b"{", b"["),
        (b"{", b"{" + b" " * 5000),
    ],
)
async def test_changed_key_files_are_refused(
    vault: Vault, under: VaultUnderTest, order: OrderId, old: bytes, new: bytes
) -> None:
    digest = await vault.put(order, "id_front", "image/jpeg", b"one")
    place = key_place(order, digest)
    content = under.stored()[place]
    assert old in content
    under.write(place, content.replace(old, new))
    await _refused(vault, order, digest)
    with pytest.raises(EvidenceUnreadable):
        await vault.describe(order, digest)


async def test_a_former_key_file_put_back_is_refused(
    vault: Vault, under: VaultUnderTest, order: OrderId
) -> None:
    """Of an object that was destroyed, and of one that was destroyed and put again."""
    digest = await vault.put(order, "id_front", "image/jpeg", b"once")
    former = under.stored()[key_place(order, digest)]
    await vault.destroy(order, digest)
    under.write(key_place(order, digest), former)
    await _refused(vault, order, digest)
    assert await vault.put(order, "id_front", "image/jpeg", b"once") == digest
    under.write(key_place(order, digest), former)
    await _refused(vault, order, digest)


async def test_a_backup_put_back_after_the_orders_key_was_destroyed_holds_nothing(
    vault: Vault, under: VaultUnderTest, keys: DerivedOrderKeys, order: OrderId
) -> None:
    digest = await vault.put(order, "id_front", "image/jpeg", b"once")
    backup = under.stored()
    await keys.destroy(order)
    await vault.destroy_order(order)
    for place, content in backup.items():
        under.write(place, content)
    with pytest.raises(EvidenceNotFound):
        await vault.get(order, digest)
    with pytest.raises(EvidenceUnreadable):
        await under.open(DerivedOrderKeys(os.urandom(32))).get(order, digest)


async def test_clear_bytes_are_nowhere(vault: Vault, under: VaultUnderTest, order: OrderId) -> None:
    await vault.put(order, "id_front", "image/jpeg", b"clear-marker-" * 50)
    stored = under.stored()
    assert len(stored) == 2
    assert not [place for place, content in stored.items() if b"clear-marker-" in content]


async def test_evidence_that_was_damaged_can_be_put_again(
    vault: Vault, under: VaultUnderTest, order: OrderId
) -> None:
    digest = await vault.put(order, "id_front", "image/jpeg", b"again")
    under.write(one_object(under, order), b"noise")
    assert await vault.put(order, "id_front", "image/jpeg", b"again") == digest
    assert await vault.get(order, digest) == b"again"


async def test_a_silent_key_service_is_not_a_missing_object(under: VaultUnderTest, order: OrderId) -> None:
    class Away(DerivedOrderKeys):
        async def of(self, order_id: OrderId) -> OrderKey:
            raise OrderKeysFault("down")

    vault = under.open(Away())
    for _ in range(80):  # more than there are places: each gives its own back
        for call in (vault.put(order, "clip", "video/webm", b"x"), vault.get(order, Digest("0" * 64))):
            with pytest.raises(VaultKeysAway):
                await call
        with pytest.raises(VaultKeysAway):
            await anext(vault.read(order, Digest("0" * 64)))
    assert under.stored() == {}


async def test_a_process_killed_while_it_writes_leaves_no_object(
    under: VaultUnderTest, keys: DerivedOrderKeys
) -> None:
    process = _process("write", 2 * PART_BYTES + CHUNK_BYTES, under)
    assert process.stdout is not None
    said = await asyncio.to_thread(process.stdout.readline)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (said, process.returncode) == (b"written so far\n", -signal.SIGKILL)
    vault = under.open(keys)
    assert await vault.orders() == []
    stored = under.stored()
    assert not [place for place in stored if place.startswith("keys/")]
    if isinstance(under, S3UnderTest):  # not even bytes that nobody can read
        assert stored == {}
        assert await under.open(keys).sweep(datetime.now(UTC)) == 1
        assert await under.open(keys).sweep(datetime.now(UTC)) == 0
        assert under.objects.client.list_multipart_uploads(Bucket=under.objects.name).get("Uploads") is None


@pytest.mark.slow
async def test_a_long_clip_takes_little_memory(under: VaultUnderTest) -> None:
    process = _process("measure", CLIP_BYTES, under)
    said, _ = await asyncio.to_thread(process.communicate)
    assert process.returncode == 0
    grown = json.loads(said)["grown"]
    print(f"{CLIP_BYTES} bytes there and back: {grown} bytes of memory")
    assert grown < MOST_MEMORY


def _process(action: str, size: int, under: VaultUnderTest) -> subprocess.Popen[bytes]:
    where = ["local", str(under.folder)] if isinstance(under, LocalUnderTest) else _s3_arguments(under)
    return subprocess.Popen(
        [sys.executable, "-m", "tests.contracts.vault_process", action, str(size), *where],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )


def _s3_arguments(under: VaultUnderTest) -> list[str]:
    assert isinstance(under, S3UnderTest)
    assert under.access is not None
    where = (under.access.endpoint, under.access.access_key, under.access.secret_key)
    return ["s3", REGION, *map(str, where), under.objects.name, under.keys.name]


@pytest.mark.radosgw
async def test_buckets_that_do_not_answer_are_away(radosgw: RadosGateway, order: OrderId) -> None:
    objects, keys = radosgw.new_bucket(), radosgw.new_bucket()
    hasty = open_s3(radosgw.access, read_seconds=0.3, tries=1)
    under = S3UnderTest(Bucket(hasty, objects.name), Bucket(hasty, keys.name))
    vault = under.open(DerivedOrderKeys())
    digest = await vault.put(order, "clip", "video/webm", b"kept")
    radosgw.pause()
    try:
        for call in (vault.get(order, digest), vault.put(order, "clip", "video/webm", b"x"), vault.orders()):
            with pytest.raises(VaultAway):
                await call
    finally:
        radosgw.resume()
    assert await vault.get(order, digest) == b"kept"
    under.close()


@pytest.mark.radosgw
@pytest.mark.parametrize("wrong", ["secret", "bucket", "endpoint"])
async def test_buckets_that_refuse_are_a_fault_that_names_nothing(
    radosgw: RadosGateway, order: OrderId, wrong: str
) -> None:
    right = radosgw.access
    endpoint = f"http://127.0.0.1:{free_port()}" if wrong == "endpoint" else right.endpoint
    secret = "0" * 40 if wrong == "secret" else right.secret_key
    client = open_s3(AwsAccess(right.region, endpoint, right.access_key, secret), tries=1)
    name = "no-such-bucket" if wrong == "bucket" else radosgw.new_bucket().name
    under = S3UnderTest(Bucket(client, name), Bucket(client, name))
    with pytest.raises(VaultFault) as fault:
        await under.open(DerivedOrderKeys()).get(order, Digest("0" * 64))
    assert isinstance(fault.value, VaultBusy) == (wrong == "endpoint")
    assert not isinstance(fault.value, EvidenceNotFound | EvidenceUnreadable)
    text = str(fault.value)
    assert not [part for part in (name, order, str(right.access_key), "127.0.0.1") if part in text]
    under.close()
