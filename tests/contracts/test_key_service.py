"""What every key service must do; `media.keys.ports.KeyService` says it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import boto3
import pytest
from moto import mock_aws

from activation.ids import OrderId
from activation.order_keys import Unreadable
from media.keys.ports import MAX_ENTRY_BYTES, KeyService
from media.keys.service_file import FileKeyService
from media.keys.service_kms import open_kms_service

#: Opens a service whose current key is the second where `rotated`; it knows the first, too.
Open = Callable[[bool], KeyService]


def file_services() -> Iterator[Open]:
    first, second = os.urandom(32), os.urandom(32)
    yield lambda rotated: FileKeyService(second, (first,)) if rotated else FileKeyService(first)


def kms_services(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    opened = []
    with mock_aws():
        client = boto3.client("kms", region_name="cn-north-1")
        keys = [client.create_key()["KeyMetadata"] for _ in range(2)]
        client.create_alias(AliasName="alias/kaika", TargetKeyId=keys[0]["KeyId"])
        account = keys[0]["Arn"].rpartition(":")[0]

        def open_one(rotated: bool) -> KeyService:
            client.update_alias(AliasName="alias/kaika", TargetKeyId=keys[rotated]["KeyId"])
            opened.append(open_kms_service(f"{account}:alias/kaika"))
            return opened[-1]

        yield open_one
        for service in opened:
            service.close()


@pytest.fixture(params=["file", "kms"])
def open_service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    yield from file_services() if request.param == "file" else kms_services(monkeypatch)


@pytest.fixture
def service(open_service: Open) -> KeyService:
    return open_service(False)


@pytest.fixture
def order() -> OrderId:
    return OrderId.new()


async def test_unwraps_what_it_wrapped(service: KeyService, order: OrderId) -> None:
    secret = os.urandom(32)
    wrapped = await service.wrap(order, secret)
    assert secret not in wrapped
    assert 0 < len(wrapped) <= MAX_ENTRY_BYTES
    assert await service.unwrap(order, wrapped) == secret
    assert wrapped != await service.wrap(order, secret)


async def test_a_key_opens_for_its_own_order_only(service: KeyService, order: OrderId) -> None:
    wrapped = await service.wrap(order, os.urandom(32))
    with pytest.raises(Unreadable):
        await service.unwrap(OrderId.new(), wrapped)


async def test_changed_bytes_are_unreadable(service: KeyService, order: OrderId) -> None:
    wrapped = await service.wrap(order, os.urandom(32))
    for changed in (
        b"",
        wrapped[:5],
        wrapped[:-1],
        wrapped + b"x",
        wrapped[:-1] + bytes([wrapped[-1] ^ 1]),
        b"x" + wrapped[1:],
        os.urandom(len(wrapped)),
    ):
        with pytest.raises(Unreadable):
            await service.unwrap(order, changed)


async def test_says_which_key_wraps_and_which_has_wrapped(open_service: Open, order: OrderId) -> None:
    before = open_service(False)
    wrapped, first = await before.wrap(order, os.urandom(32)), await before.current()
    assert before.wrapped_by(wrapped) == first
    after = open_service(True)
    assert await after.current() != first
    assert after.wrapped_by(wrapped) == first
    assert after.wrapped_by(await after.wrap(order, os.urandom(32))) == await after.current()


async def test_what_a_former_key_wrapped_still_opens(open_service: Open, order: OrderId) -> None:
    secret = os.urandom(32)
    wrapped = await open_service(False).wrap(order, secret)
    assert await open_service(True).unwrap(order, wrapped) == secret


@pytest.mark.parametrize("size", [0, 16, 31, 33])
async def test_wraps_only_keys(service: KeyService, order: OrderId, size: int) -> None:
    with pytest.raises(ValueError):
        await service.wrap(order, bytes(size))
