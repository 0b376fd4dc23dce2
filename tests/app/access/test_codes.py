"""One-time codes, passwords, rate limits and rights."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.fields import FieldKeys
from activation.ids import OrderId
from app.access import passwords as passwords_module
from app.access.codes import FAILURES, LIFETIME, OneTimeCodes
from app.access.passwords import Passwords, PasswordsBusy
from app.access.principals import Role
from app.access.rates import Limit, Rates
from app.access.rights import RIGHTS, Action, Resource, may
from app.access.staff import AccountRefusal, NewAccount, StaffAccounts
from app.tables import OneTimeCodeRow, RateRow, StaffRow
from tests.app.ground import StandingClock

Sessions = async_sessionmaker[AsyncSession]
ORDER = OrderId.new()
LIMIT = Limit("test", 5, 60)
PASSWORD = "correct horse battery"


def _wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


async def _accept(sessions: Sessions, keys: FieldKeys, clock: StandingClock, code: str) -> bool:
    async with sessions.begin() as session:
        return await OneTimeCodes(keys).accept(session, ORDER, code, clock())


async def _issue(sessions: Sessions, keys: FieldKeys, clock: StandingClock) -> str:
    async with sessions.begin() as session:
        return await OneTimeCodes(keys).issue(session, ORDER, clock())


async def test_a_code_is_good_once(sessions: Sessions, field_keys: FieldKeys) -> None:
    clock = StandingClock()
    code = await _issue(sessions, field_keys, clock)
    accepted = await asyncio.gather(*(_accept(sessions, field_keys, clock, code) for _ in range(5)))
    assert sum(accepted) == 1
    assert not await _accept(sessions, field_keys, clock, code)


async def test_only_the_newest_code_is_good_and_not_for_long(
    sessions: Sessions, field_keys: FieldKeys
) -> None:
    clock = StandingClock()
    first, second = [await _issue(sessions, field_keys, clock) for _ in range(2)]
    assert first == second or not await _accept(sessions, field_keys, clock, first)
    clock.forward(LIFETIME)
    assert not await _accept(sessions, field_keys, clock, second)


async def test_five_failures_end_a_code_also_when_they_come_at_once(
    sessions: Sessions, field_keys: FieldKeys
) -> None:
    clock = StandingClock()
    code = await _issue(sessions, field_keys, clock)
    await asyncio.gather(*(_accept(sessions, field_keys, clock, _wrong(code)) for _ in range(FAILURES + 3)))
    async with sessions() as session:
        assert await session.scalar(sa.select(OneTimeCodeRow.failures)) == FAILURES
        assert code not in str(await session.scalar(sa.select(OneTimeCodeRow.code_digest)))
    assert not await _accept(sessions, field_keys, clock, code)
    again = await _issue(sessions, field_keys, clock)
    assert await _accept(sessions, field_keys, clock, again)


async def test_hits_are_counted_across_processes_until_the_window_ends(
    sessions: Sessions, field_keys: FieldKeys
) -> None:
    clock = StandingClock()
    clock.at = clock.at.replace(second=0)
    both = [Rates(sessions, field_keys, clock) for _ in range(2)]
    waits = await asyncio.gather(*(both[n % 2].wait_for(LIMIT, "13900000001") for n in range(8)))
    assert sorted(waits, key=str) == [60] * 3 + [None] * 5
    assert await both[0].wait_for(LIMIT, "13900000002") is None
    async with sessions() as session:
        buckets = list(await session.scalars(sa.select(RateRow.bucket)))
    assert not any("139" in bucket.split(":")[0] or "13900000001" in bucket for bucket in buckets)
    clock.forward(timedelta(seconds=60))
    assert await both[0].wait_for(LIMIT, "13900000001") is None


async def test_old_windows_are_cleared_away(
    sessions: Sessions, field_keys: FieldKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.access.rates.CLEAR_ONE_IN", 1)
    clock = StandingClock()
    rates = Rates(sessions, field_keys, clock)
    await rates.wait_for(LIMIT, "a")
    clock.forward(timedelta(days=2))
    await rates.wait_for(LIMIT, "b")
    async with sessions() as session:
        assert await session.scalar(sa.select(sa.func.count()).select_from(RateRow)) == 1


async def test_passwords_are_checked_slowly_and_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords_module, "LOG2_N", 10)
    checked = Passwords()
    stored = await checked.hash(PASSWORD)
    assert PASSWORD not in stored
    assert await checked.verify(PASSWORD, stored)
    assert not await checked.verify(PASSWORD + " ", stored)
    for broken in ("", "x", "scrypt$99$8$1$AA==$AA==", "scrypt$10$8$1$!$!", "md5$1$1$1$AA==$AA=="):
        assert not await checked.verify(PASSWORD, broken or None)
    monkeypatch.setattr(passwords_module, "WAITING", 0)
    with pytest.raises(PasswordsBusy):
        await checked.verify(PASSWORD, stored)
    checked.close()


async def test_accounts_are_made_once_and_couriers_have_a_carrier(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords_module, "LOG2_N", 10)
    checked = Passwords()
    accounts = StaffAccounts(checked, StandingClock())

    async def make(new: NewAccount) -> object:
        async with sessions.begin() as session:
            return await accounts.create(session, new)

    assert await make(NewAccount("a", "short", Role.REVIEWER)) is AccountRefusal.PASSWORD_WEAK
    assert await make(NewAccount("a", "a" * 20, Role.REVIEWER)) is AccountRefusal.PASSWORD_WEAK
    assert await make(NewAccount("a", PASSWORD, Role.APPLICANT)) is AccountRefusal.NOT_STAFF
    assert await make(NewAccount("li", PASSWORD, Role.COURIER)) is AccountRefusal.CARRIER_WANTED
    made = await asyncio.gather(*(make(NewAccount("li", PASSWORD, Role.COURIER, "kaika")) for _ in range(3)))
    assert sorted(map(str, made))[:2] == [AccountRefusal.NAME_TAKEN] * 2
    staff = await accounts.sign_in(sessions, "li", PASSWORD)
    assert staff is not None
    assert await accounts.sign_in(sessions, "li", "wrong") is None
    assert await accounts.sign_in(sessions, "nobody", PASSWORD) is None
    async with sessions.begin() as session:
        assert await accounts.active(session, "kaika") == [staff.id]
        assert await accounts.carrier_of(session, staff.id) == "kaika"
        assert await accounts.disable(session, staff.id)
        assert await accounts.active(session, "kaika") == []
        assert PASSWORD not in str(await session.scalar(sa.select(StaffRow.password_hash)))
    assert await accounts.sign_in(sessions, "li", PASSWORD) is None
    checked.close()


def test_what_is_not_listed_is_denied() -> None:
    assert not any(may(role, (Resource.EVIDENCE, Action.END)) for role in Role)
    assert [role for role in Role if may(role, (Resource.READING, Action.READ))] == [Role.APPLICANT]
    # R9.1: nobody but reviewers sees pictures, and reviewers change nothing that was read.
    assert RIGHTS[Resource.EVIDENCE, Action.READ] == {Role.REVIEWER}
    assert RIGHTS[Resource.ORDER, Action.READ] == {Role.APPLICANT}
    assert RIGHTS[Resource.ORDER_FILE, Action.READ] == {Role.OPERATOR}
    changing = {
        right for right, roles in RIGHTS.items() if Role.REVIEWER in roles and right[1] is Action.CHANGE
    }
    assert changing == {(Resource.CASE, Action.CHANGE)}
