"""What one bucket promises where several write and delete at once, on a real S3 server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from media.aws import AwsAway
from media.buckets import PART_BYTES, Bucket, PartWriter, Protection, RangeReader
from tests.servers.radosgw import RadosGateway

pytestmark = pytest.mark.radosgw

WRITERS = 12


@pytest.fixture
def bucket(radosgw: RadosGateway) -> Bucket:
    return radosgw.new_bucket()


def test_of_many_who_write_where_nothing_stands_one_is_told_so(bucket: Bucket) -> None:
    together = Barrier(WRITERS)

    def write(key: str, number: int) -> bool:
        together.wait()
        return bucket.write_if_absent(key, b"%d" % number)

    with ThreadPoolExecutor(WRITERS) as threads:
        for key in map(str, range(10)):
            won = list(threads.map(lambda number, key=key: write(key, number), range(WRITERS)))
            found = bucket.read(key, 100)
            assert found is not None
            assert (won.count(True), found.data) == (1, b"%d" % won.index(True))


def test_a_delete_that_was_only_said_to_be_done_is_repeated(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So does Ceph where a replacement comes at the same moment."""
    really, asked = bucket.client.delete_object, list[str]()

    def lazy(**call: Any) -> object:
        asked.append(call["Key"])
        return really(**call) if len(asked) > 2 else {}

    bucket.write("key", b"wrapped")
    monkeypatch.setattr(bucket.client, "delete_object", lazy)
    bucket.delete("key")
    assert (len(asked), bucket.read("key", 10)) == (3, None)
    bucket.write("key", b"wrapped")
    monkeypatch.setattr(bucket.client, "delete_object", lambda **_: {})
    with pytest.raises(AwsAway):
        bucket.delete("key")


def test_what_replaces_has_seen_what_it_replaces(bucket: Bucket) -> None:
    bucket.write("key", b"first")
    found = bucket.read("key", 100)
    assert found is not None
    assert bucket.replace("key", found.tag, b"second")
    assert not bucket.replace("key", found.tag, b"third")
    bucket.delete("key")
    assert not bucket.replace("key", found.tag, b"fourth")
    assert bucket.read("key", 100) is None


@pytest.mark.parametrize("size", [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES])
def test_parts_come_back_as_they_were_written(bucket: Bucket, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    writer = PartWriter(bucket, "long", Protection())
    for start in range(0, size, 1_000_003):
        writer.write(data[:size][start : start + 1_000_003])
    assert list(bucket.all_keys("")) == []
    writer.commit()
    reader, read = RangeReader(bucket, "long"), b""
    while part := reader.read(1_000_000):
        read += part
    assert read == data[:size]


def test_what_is_given_up_leaves_nothing(bucket: Bucket) -> None:
    """Before it stands, after it stands, and where the process died in between."""
    for commit in (False, True):
        writer = PartWriter(bucket, "long", Protection())
        writer.write(bytes(PART_BYTES + 1))
        if commit:
            writer.commit()
        writer.abort()
        assert list(bucket.all_keys("")) == []
        assert bucket.abort_uploads(datetime.now(UTC) + timedelta(hours=1)) == 0
    PartWriter(bucket, "left", Protection()).write(bytes(PART_BYTES))
    assert bucket.abort_uploads(datetime.now(UTC) - timedelta(hours=1)) == 0
    assert bucket.abort_uploads(datetime.now(UTC) + timedelta(hours=1)) == 1
