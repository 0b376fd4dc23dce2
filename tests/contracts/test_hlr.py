"""One suite for every HLR: real osmo-hlr and the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from activation.adapters.hlr_osmocom import OsmocomHlr
from activation.adapters.hlr_sandbox import SandboxHlr
from activation.adapters.sql.engine import open_engine, open_sessions
from activation.ids import Imsi, Msisdn
from activation.ports import Hlr, HlrFault
from tests.servers.osmo_hlr import OsmoHlrServer

A, B = Imsi("460001234567890"), Imsi("460001234567891")
NUMBER, OTHER = Msisdn("13800000001"), Msisdn("13800000002")


class Closable(Protocol):
    async def close(self) -> None: ...


@pytest.fixture(params=["sandbox", pytest.param("osmocom", marks=pytest.mark.osmohlr)])
async def hlr(request: pytest.FixtureRequest) -> AsyncIterator[Hlr]:
    if request.param == "sandbox":
        engine: AsyncEngine = open_engine(request.getfixturevalue("sqlite_url"))
        yield SandboxHlr(open_sessions(engine))
        await engine.dispose()
    else:
        server: OsmoHlrServer = request.getfixturevalue("osmo_hlr")
        adapter = OsmocomHlr(*server.address)
        yield adapter
        await adapter.close()


async def test_a_new_subscriber_is_off_in_both_domains(hlr: Hlr) -> None:
    """R4.1"""
    assert await hlr.read(A) is None
    created = await hlr.create_off(A, NUMBER)
    assert created.is_off
    assert (created.imsi, created.msisdn) == (A, NUMBER)
    assert await hlr.read(A) == created


async def test_creating_again_switches_off_what_was_on_and_corrects_the_number(hlr: Hlr) -> None:
    await hlr.create_off(A, NUMBER)
    await hlr.switch_on(A)
    again = await hlr.create_off(A, OTHER)
    assert again.is_off
    assert again.msisdn == OTHER
    assert await hlr.create_off(A, OTHER) == again


async def test_on_and_off_are_read_back_and_may_be_repeated(hlr: Hlr) -> None:
    await hlr.create_off(A, NUMBER)
    for _ in range(2):
        assert (await hlr.switch_on(A)).is_on
    for _ in range(2):
        assert (await hlr.switch_off(A)).is_off
    read = await hlr.read(A)
    assert read is not None
    assert read.is_off


async def test_nobody_is_switched_who_does_not_exist(hlr: Hlr) -> None:
    with pytest.raises(HlrFault):
        await hlr.switch_on(A)
    with pytest.raises(HlrFault):
        await hlr.switch_off(A)
    assert await hlr.read(A) is None


async def test_a_number_belongs_to_one_subscriber_until_it_is_removed(hlr: Hlr) -> None:
    await hlr.create_off(A, NUMBER)
    with pytest.raises(HlrFault):
        await hlr.create_off(B, NUMBER)
    taken = await hlr.read(B)
    assert taken is None or taken.is_off
    await hlr.remove(A)
    await hlr.remove(A)
    assert await hlr.read(A) is None
    assert (await hlr.create_off(B, NUMBER)).msisdn == NUMBER


async def test_faults_name_nobody(hlr: Hlr) -> None:
    await hlr.create_off(A, NUMBER)
    with pytest.raises(HlrFault) as fault:
        await hlr.create_off(B, NUMBER)
    for personal in (A, B, NUMBER, NUMBER.international):
        assert personal not in str(fault.value)
