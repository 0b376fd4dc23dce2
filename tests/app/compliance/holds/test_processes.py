"""Ordered in one process, obeyed in another (R9.3): two real processes over one database."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.durable import DurableWork
from activation.adapters.hlr_sandbox import SandboxHlr
from activation.adapters.sql.holds import HoldView
from activation.adapters.sql.tables import MessageRow
from activation.holds import Scope, Stopped
from activation.ids import Imsi, OrderId, StaffId
from activation.order import OrderState as S
from app.access.passwords import Passwords
from app.access.principals import Role
from app.access.staff import NewAccount, StaffAccounts
from app.compliance.holds.desk import HoldDesk, NewHold
from app.compliance.holds.shown import HoldShown, show_hold
from app.compliance.holds.watch import POLL_S
from tests.activation.stand_ins import Bench, make_bench, now, until
from tests.app.http.walking import key, order_body

ROOT = Path(__file__).parents[4]
OTHER = "other"
PASSWORD = "a long pass phrase"
Sessions = async_sessionmaker[AsyncSession]


@dataclass
class Here:
    """This process: it orders, and looks at what the other one does."""

    url: str
    folder: Path
    bench: Bench
    desk: HoldDesk

    @asynccontextmanager
    async def serving(self, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """The other process, once it serves; killed at the end where it still lives."""
        command = [sys.executable, "-m", "tests.app.compliance.holds.serving_process"]
        given = ("--url", self.url, "--executor", OTHER, "--folder", str(self.folder), *arguments)
        process = await asyncio.create_subprocess_exec(
            *command, *given, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert process.stdout is not None
            port = await asyncio.wait_for(process.stdout.readline(), 60)
            (self.folder / "port").write_bytes(port)
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{int((self.folder / 'port').read_text())}"

    def touch(self, name: str, imsi: Imsi) -> Path:
        path = self.folder / f"{name}-{imsi}"
        path.touch()
        return path

    async def shipped(self) -> tuple[OrderId, Imsi]:
        order_id = await self.bench.draft()
        assert await self.bench.submit(order_id)
        await self.bench.reaches(order_id, S.SHIPPED)
        async with self.bench.sessions.begin() as session:
            card = await self.bench.store.sims.of_order(session, order_id)
        assert card is not None
        return order_id, card.imsi

    async def last_facts(self, order_id: OrderId) -> None:
        await self.bench.handed_over(order_id)
        await self.bench.checked(order_id)

    async def place(self, scope: str) -> HoldView:
        placed = await self.desk.place(StaffId.new(), NewHold(Scope.parse(scope), "as ordered"))
        assert isinstance(placed, HoldView)
        return placed

    async def show(self, hold: HoldView) -> HoldShown:
        async with self.bench.sessions.begin() as session:
            shown = await show_hold(session, hold.id, now())
        assert shown is not None
        return shown

    async def seen(self, hold: HoldView) -> float:
        """Seconds until the other process saw it, as that wrote them down."""

        async def is_seen() -> bool:
            return any(each.executor == OTHER and each.obeys for each in (await self.show(hold)).processes)

        await until(is_seen)
        [process] = [each for each in (await self.show(hold)).processes if each.executor == OTHER]
        assert process.delay_s is not None
        return process.delay_s

    async def is_on(self, imsi: Imsi) -> bool:
        subscriber = await SandboxHlr(self.bench.sessions).read(imsi)
        return subscriber is not None and subscriber.is_on


@pytest.fixture
def here(database_url: str, sessions: Sessions, tmp_path: Path) -> Here:
    work = DurableWork(database_url, sessions.kw["bind"], "nobody")
    return Here(database_url, tmp_path, make_bench(sessions, work), HoldDesk(sessions, now, work))


async def exists(path: Path) -> None:
    async def there() -> bool:
        return await asyncio.to_thread(path.exists)

    await until(there)


async def test_what_is_in_flight_in_another_process_is_stopped(here: Here) -> None:
    assert POLL_S <= 0.5
    await here.bench.furnish()
    async with here.serving():
        (asked, at_hlr), (silent, no_hlr), (late, not_yet) = [await here.shipped() for _ in range(3)]
        here.touch("slow", at_hlr)
        away = here.touch("away", no_hlr)
        await here.last_facts(asked)
        await here.last_facts(silent)
        await exists(here.folder / f"asked-{at_hlr}")
        await here.bench.reaches(silent, S.ACTIVATING)
        hold = await here.place("province:广东")
        assert await here.seen(hold) < 10  # some 0.2 s; the machine may be very busy
        here.touch("go", at_hlr)
        await here.last_facts(late)
        for order_id in (asked, silent, late):
            await here.bench.reaches(order_id, S.VERIFIED)

        async def counted() -> bool:
            return (await here.show(hold)).stopped.get(Stopped.ACTIVATION) == 3

        await until(counted)
        hlr = SandboxHlr(here.bench.sessions)
        assert [await here.is_on(imsi) for imsi in (at_hlr, no_hlr, not_yet)] == [False] * 3
        assert [await hlr.switched_on(imsi) for imsi in (at_hlr, no_hlr, not_yet)] == [1, 0, 0]
        async with here.bench.sessions.begin() as session:
            told = sa.select(MessageRow.key).where(MessageRow.kind == "activated")
            assert (await session.scalars(told)).all() == []
        away.unlink()
        await here.desk.lift(StaffId.new(), hold.id, "it is over")
        for order_id in (asked, silent, late):
            await here.bench.reaches(order_id, S.ACTIVE)


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("point", ["decide.2 after", "decide.4 before", "decide.5 before"])
async def test_killed_while_it_switches_on_it_obeys_after_it_resumes(here: Here, point: str) -> None:
    await here.bench.furnish()
    held_before = point == "decide.5 before"
    async with here.serving("--kill-at", point) as process:
        order_id, imsi = await here.shipped()
        if held_before:
            here.touch("slow", imsi)
        await here.last_facts(order_id)
        if held_before:
            await exists(here.folder / f"asked-{imsi}")
            await here.place("all")
            here.touch("go", imsi)
        assert await asyncio.wait_for(process.wait(), 30) == -signal.SIGKILL
    assert await here.is_on(imsi)
    if not held_before:
        await here.place("all")
    async with here.serving():
        await here.bench.reaches(order_id, S.VERIFIED)
    assert not await here.is_on(imsi)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_ordered_on_the_command_line_and_obeyed_by_the_server(here: Here, sessions: Sessions) -> None:
    passwords = Passwords()
    async with sessions.begin() as session:
        account = NewAccount("operator.zhao", PASSWORD, Role.OPERATOR)
        await StaffAccounts(passwords, now).create(session, account)
    passwords.close()
    async with here.serving(), aiohttp.ClientSession() as client:

        async def orders() -> tuple[int, str]:
            body = order_body("13800000000", "13900000002")
            async with client.post(f"{here.address}/v1/orders", json=body, headers=key()) as answer:
                return answer.status, (await answer.json()).get("code", "")

        await here.bench.furnish()
        placed = await command(here.url, "place", "all", "--reason", "abnormal openings")
        hold, *processes, summary = placed.splitlines()
        assert hold.startswith("hld_")
        assert [line.split(",")[0].strip() for line in processes] == [f"{OTHER} obeys"]
        assert summary.startswith("obeyed by 1 living process")
        assert await orders() == (403, "paused")
        listed = await command(here.url, "list", signed_in=False)
        assert "stopped 1 new_order" in listed
        lifted = await command(here.url, "lift", hold.split()[0], "--reason", "looked into")
        assert "obeyed by 1 living process" in lifted
        assert (await orders())[0] == 201


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_wrong_password_stops_nothing(here: Here, sessions: Sessions) -> None:
    with pytest.raises(AssertionError, match="no operator has this name and password"):
        await command(here.url, "place", "all", "--reason", "abnormal openings")
    async with sessions.begin() as session:
        assert await here.bench.store.holds.newest(session, active=True, limit=1) == []


async def command(url: str, *arguments: str, signed_in: bool = True) -> str:
    """What `python -m app hold …` says; raises AssertionError with its complaint where it fails."""
    account = ("--by", "operator.zhao", "--password-stdin") if signed_in else ()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "hold", *arguments, *account),
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await asyncio.wait_for(process.communicate(f"{PASSWORD}\n".encode()), 60)
    assert process.returncode == 0, complained.decode() + said.decode()
    return said.decode()
