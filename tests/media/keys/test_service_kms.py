"""KMS that refuses, is silent or away; keys of others. Its ordinary work is in `tests/contracts`."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws
from types_boto3_kms.client import KMSClient

from activation.ids import OrderId
from activation.order_keys import KEY_BYTES, OrderKeysFault, Unreadable
from media.aws import AwsAccess, open_kms
from media.keys import service_kms
from media.keys.ports import KeyServiceAway
from media.keys.service_either import EitherKeyService
from media.keys.service_file import FileKeyService
from media.keys.service_kms import FORMAT, KmsKeyService, open_kms_service

ARN = "arn:aws-cn:kms:cn-north-1:123456789012:alias/kaika"
ORDER = OrderId.new()
SECRET = os.urandom(KEY_BYTES)


@dataclass
class Kms:
    client: KMSClient
    key: str
    service: KmsKeyService


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")


@pytest.fixture
def kms() -> Iterator[Kms]:
    with mock_aws():
        client = boto3.client("kms", region_name="cn-north-1")
        arn = client.create_key()["KeyMetadata"]["Arn"]
        service = open_kms_service(arn)
        yield Kms(client, arn, service)
        service.close()


REFUSALS = {
    "DisabledException": 400,
    "KMSInvalidStateException": 400,  # to be deleted, or being made
    "AccessDeniedException": 400,
    "ThrottlingException": 400,
    "KeyUnavailableException": 500,
    "KMSInternalException": 500,
}


@pytest.mark.parametrize("code", REFUSALS)
async def test_a_key_that_is_disabled_or_denied_is_a_fault_and_not_a_lost_key(code: str) -> None:
    """moto lets a disabled key work, so KMS's own answers are played here."""
    asked = client(1)
    with Stubber(asked) as stub:
        for call in ("encrypt", "decrypt", "describe_key"):
            stub.add_client_error(call, code, f"{ARN} {SECRET!r}", REFUSALS[code])
        service = KmsKeyService(ARN, asked)
        for work in (
            lambda: service.wrap(ORDER, SECRET),
            lambda: service.unwrap(ORDER, entry()),
            lambda: service.current(),
        ):
            with pytest.raises(KeyServiceAway) as fault:
                await work()
            assert ARN not in str(fault.value)
            assert fault.value.__cause__ is None
        service.close()


async def test_a_key_that_does_not_exist_is_a_fault(kms: Kms) -> None:
    stranger = open_kms_service(kms.key[:-4] + "0000")
    with pytest.raises(OrderKeysFault):
        await stranger.wrap(ORDER, SECRET)
    with pytest.raises(OrderKeysFault):
        await stranger.current()
    stranger.close()


async def test_the_context_is_the_order(kms: Kms) -> None:
    blob = (await kms.service.wrap(ORDER, SECRET)).partition(kms.key.encode() + b"\n")[2]
    opened = kms.client.decrypt(CiphertextBlob=blob, EncryptionContext={"order": ORDER})
    assert opened["Plaintext"] == SECRET
    for context in ({}, {"order": OrderId.new()}, {"Order": ORDER}):
        with pytest.raises(kms.client.exceptions.InvalidCiphertextException):
            kms.client.decrypt(CiphertextBlob=blob, EncryptionContext=context)


async def test_a_key_of_another_account_is_not_asked(kms: Kms) -> None:
    wrapped = await kms.service.wrap(ORDER, SECRET)
    for other in (b"arn:aws:kms:cn-north-1:999999999999:key/x", b"arn:aws:kms:eu-west-1:123456789012:key/x"):
        with pytest.raises(Unreadable):
            await kms.service.unwrap(ORDER, wrapped.replace(kms.key.encode(), other))


async def test_nothing_of_a_key_is_logged(kms: Kms, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    wrapped = await kms.service.wrap(ORDER, SECRET)
    await kms.service.unwrap(ORDER, wrapped)
    assert caplog.text == ""
    assert SECRET.hex() not in repr(kms.service)


async def test_a_service_that_is_down_is_away() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        service = KmsKeyService(ARN, client(taken.getsockname()[1]))
        for call in (service.wrap(ORDER, SECRET), service.unwrap(ORDER, entry()), service.current()):
            with pytest.raises(KeyServiceAway) as fault:
                await call
            assert "127.0.0.1" not in str(fault.value)
        service.close()


async def test_a_service_that_does_not_answer_is_away() -> None:
    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stop.wait()
        writer.close()

    stop = asyncio.Event()
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    service = KmsKeyService(ARN, client(server.sockets[0].getsockname()[1]))
    with pytest.raises(KeyServiceAway):
        await service.unwrap(ORDER, entry())
    stop.set()
    server.close()
    service.close()


async def test_more_calls_than_there_is_room_for_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Slow:
        def describe_key(self, **_given: str) -> dict[str, dict[str, str]]:
            gate.wait(60)
            return {"KeyMetadata": {"Arn": ARN}}

    gate = threading.Event()
    monkeypatch.setattr(service_kms, "MAX_CALLS", 2)
    service = KmsKeyService(ARN, cast(KMSClient, Slow()))
    asked = [asyncio.ensure_future(service.current()) for _ in range(5)]
    refused, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    gate.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(each) for each in answers] == [str] * 2 + [KeyServiceAway] * 3
    assert refused == set(asked[2:])
    service.close()


async def test_whoever_moves_from_files_to_kms_keeps_both(kms: Kms) -> None:
    files = FileKeyService(os.urandom(KEY_BYTES))
    either = EitherKeyService(kms.service, files)
    former = await files.wrap(ORDER, SECRET)
    anew = await either.wrap(ORDER, SECRET)
    assert [await either.unwrap(ORDER, each) for each in (former, anew)] == [SECRET, SECRET]
    assert either.wrapped_by(anew) == await either.current() == kms.key
    assert either.wrapped_by(former) == await files.current()


@pytest.mark.parametrize("key", ["", "alias/kaika", "arn:aws:kms:eu-west-1:1:key/x", ARN + "\n", ARN + " x"])
def test_a_key_is_named_by_its_arn(key: str) -> None:
    with pytest.raises(ValueError):
        open_kms_service(key)


def client(port: int) -> KMSClient:
    access = AwsAccess("cn-north-1", f"http://127.0.0.1:{port}")
    return open_kms(access, read_seconds=0.2, tries=1)


def entry() -> bytes:
    return FORMAT + ARN.replace("alias/kaika", "key/x").encode() + b"\nblob"
