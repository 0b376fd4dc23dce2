"""OsmoHLR that is down, slow, talks nonsense, and comes back."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from activation.adapters.hlr_osmocom import MAX_ANSWER_BYTES, OsmocomHlr
from activation.ids import Imsi, Msisdn
from activation.ports import HlrFault
from tests.servers.osmo_hlr import OsmoHlrServer
from tests.servers.ports import free_port

A, NUMBER = Imsi("460001234567890"), Msisdn("13800000001")


def frame(text: bytes, protocol: int = 0xEE, extension: int = 0) -> bytes:
    return struct.pack(">HBB", len(text) + 1, protocol, extension) + text


def info(imsi: bytes, number: bytes = b"1", cs: bytes = b"1") -> bytes:
    head = b"GET_REPLY " + number + b" subscriber.by-imsi-460001234567890.info "
    return frame(head + b"\nid\t1\nimsi\t" + imsi + b"\nnam_cs\t" + cs + b"\nnam_ps\t1")


@asynccontextmanager
async def server_saying(answer: bytes | None) -> AsyncIterator[OsmocomHlr]:
    """An HLR that gives one fixed answer to everything; None: none at all."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.read(1024):
                if answer is not None:
                    writer.write(answer)
                    await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    hlr = OsmocomHlr(host, port, timeout=0.3)
    try:
        yield hlr
    finally:
        await hlr.close()
        server.close()


NONSENSE = {
    "not IPA": b"HTTP/1.1 200 OK\r\n\r\n",
    "another protocol": frame(b"GET_REPLY 1 x", protocol=0xFE),
    "another extension": frame(b"GET_REPLY 1 x", extension=3),
    "length zero": struct.pack(">HB", 0, 0xEE),
    "too long": struct.pack(">HB", MAX_ANSWER_BYTES + 1, 0xEE) + b"x" * 100,
    "cut short": frame(b"GET_REPLY 1 x")[:-3],
    "not a reply": frame(b"HELLO 1 world"),
    "another variable": frame(b"GET_REPLY 1 subscriber.by-imsi-460001234567891.info \nimsi\t1"),
    "another verb": frame(b"SET_REPLY 1 subscriber.create 1"),
    "another subscriber": info(b"460001234567891"),
    "no such domain state": info(b"460001234567890", cs=b"2"),
    "only traps": frame(b"TRAP 0 x y") * 40,
    "answers to nobody": frame(b"GET_REPLY 77 subscriber.by-imsi-460001234567890.info x") * 40,
    "bytes above ASCII": frame(b"\xff\xfe\x00\x80 1 \xff"),
    "silence": None,
}


@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE.keys())
async def test_nonsense_is_a_fault_and_never_a_subscriber(answer: bytes | None) -> None:
    async with server_saying(answer) as hlr:
        for _ in range(2):
            with pytest.raises(HlrFault):
                await hlr.read(A)
        with pytest.raises(HlrFault):
            await hlr.switch_on(A)


async def test_an_answer_is_matched_by_its_number() -> None:
    late = info(b"460001234567890", number=b"9", cs=b"0")
    async with server_saying(frame(b"TRAP 0 a b") + late + info(b"460001234567890")) as hlr:
        read = await hlr.read(A)
        assert read is not None
        assert read.is_on


async def test_nobody_listens() -> None:
    hlr = OsmocomHlr("127.0.0.1", free_port(), timeout=0.3)
    with pytest.raises(HlrFault):
        await hlr.read(A)


@pytest.mark.osmohlr
async def test_it_goes_down_and_comes_back(start_osmo_hlr: Callable[[], OsmoHlrServer]) -> None:
    server = start_osmo_hlr()
    hlr = OsmocomHlr(*server.address, timeout=1.0)
    await hlr.create_off(A, NUMBER)
    await hlr.switch_on(A)
    server.stop()
    with pytest.raises(HlrFault):
        await hlr.read(A)
    server.start()
    back = await hlr.read(A)
    assert back is not None
    assert back.is_on
    await hlr.close()


@pytest.mark.osmohlr
async def test_calls_at_once_get_their_own_answers(osmo_hlr: OsmoHlrServer) -> None:
    hlr = OsmocomHlr(*osmo_hlr.address)
    people = [(Imsi(f"46000123456{n:04d}"), Msisdn(f"1380000{n:04d}")) for n in range(30)]
    created = await asyncio.gather(*(hlr.create_off(imsi, msisdn) for imsi, msisdn in people))
    assert [(one.imsi, one.msisdn, one.is_off) for one in created] == [(*who, True) for who in people]
    await hlr.close()


@pytest.mark.osmohlr
async def test_a_cancelled_call_leaves_no_answer_for_the_next(osmo_hlr: OsmoHlrServer) -> None:
    hlr = OsmocomHlr(*osmo_hlr.address)
    await hlr.create_off(A, NUMBER)
    for wait in (0.0, 0.0001, 0.0003):
        call = asyncio.create_task(hlr.read(Imsi("460009999999999")))
        await asyncio.sleep(wait)
        call.cancel()
        read = await hlr.read(A)
        assert read is not None
        assert read.msisdn == NUMBER
    await hlr.close()
