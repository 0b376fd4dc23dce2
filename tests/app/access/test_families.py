"""Refresh tokens: good once, on one device, for so long; a second use ends all that came of the sign-in."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.audit_tables import AuditEntryRow
from activation.adapters.sql.fields import FieldKeys
from activation.adapters.sql.holds import Holds, HoldView
from activation.holds import HoldState, Scope, ScopeKind, Stopped
from activation.ids import HoldId, OrderId, StaffId
from app.access import families as module
from app.access.devices import new_device
from app.access.families import (
    KNOWN_FOR,
    LOST_ANSWER,
    MAX_FAMILIES,
    SPANS,
    RefreshRefusal,
    SignedIn,
    TokenFamilies,
)
from app.access.principals import Applicant, Role, Staff
from app.access.revocations import Revocations
from app.access.token_tables import RefreshTokenRow, TokenFamilyRow
from app.access.tokens import Tokens
from app.tables import StaffRow
from tests.app.ground import StandingClock

Sessions = async_sessionmaker[AsyncSession]


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def tokens(sessions: Sessions, readers: Sessions, clock: StandingClock) -> Tokens:
    return Tokens(Ed25519PrivateKey.generate(), Revocations(sessions, readers, clock), clock)


@pytest.fixture
def families(
    sessions: Sessions, tokens: Tokens, field_keys: FieldKeys, clock: StandingClock
) -> TokenFamilies:
    return TokenFamilies(sessions, field_keys, tokens, clock)


async def _begun(families: TokenFamilies, principal: Applicant | Staff, device: str) -> SignedIn:
    begun = await families.begin(principal, device)
    assert begun is not None
    return begun


async def _renewed(families: TokenFamilies, text: str, device: str) -> SignedIn:
    renewed = await families.refresh(text, device)
    assert isinstance(renewed, SignedIn), renewed
    return renewed


async def _add_staff(sessions: Sessions, clock: StandingClock) -> Staff:
    staff = StaffId.new()
    async with sessions.begin() as session:
        row = StaffRow(id=staff, username=staff, role="operator", password_hash="x", created_at=clock())
        session.add(row)
    return Staff(staff, Role.OPERATOR)


async def test_an_activation_of_hours_goes_on_with_ever_new_tokens(
    families: TokenFamilies, tokens: Tokens, clock: StandingClock
) -> None:
    applicant, device = Applicant(OrderId.new()), new_device()
    now = await _begun(families, applicant, device)
    seen = {now.refresh}
    for _ in range(12):
        clock.forward(timedelta(minutes=14))
        now = await _renewed(families, now.refresh, device)
        seen.add(now.refresh)
        bearer = await tokens.verify(now.access.text, device)
        assert bearer is not None
        assert bearer.principal == applicant
    assert len(seen) == 13


async def test_a_second_use_ends_the_whole_sign_in(
    families: TokenFamilies, tokens: Tokens, sessions: Sessions
) -> None:
    order, device = OrderId.new(), new_device()
    first = await _begun(families, Applicant(order), device)
    second = await _renewed(families, first.refresh, device)
    third = await _renewed(families, second.refresh, device)
    assert await tokens.verify(third.access.text, device) is not None
    assert await families.refresh(first.refresh, device) is RefreshRefusal.REUSED
    assert await tokens.verify(second.access.text, device) is None
    assert await tokens.verify(first.access.text, device) is None
    assert await families.refresh(third.refresh, device) is RefreshRefusal.OVER
    async with sessions() as session:
        noted = await session.scalars(sa.select(AuditEntryRow.event).where(AuditEntryRow.chain == order))
        assert [*noted] == ["sign_in.began", "sign_in.ended"]


async def test_of_many_uses_at_once_by_its_device_one_leads_on(
    families: TokenFamilies, sessions: Sessions
) -> None:
    device = new_device()
    first = await _begun(families, Applicant(OrderId.new()), device)
    answers = await asyncio.gather(*(families.refresh(first.refresh, device) for _ in range(5)))
    made = [each.refresh for each in answers if isinstance(each, SignedIn)]
    assert len({*made}) == 5
    async with sessions() as session:
        unused = sa.select(RefreshTokenRow.digest).where(RefreshTokenRow.used_at.is_(None))
        (left,) = await session.scalars(unused)
    (good,) = (text for text in made if families._digest(text) == left)
    await _renewed(families, good, device)


async def test_an_answer_that_was_lost_is_asked_for_again(
    families: TokenFamilies, tokens: Tokens, clock: StandingClock
) -> None:
    device = new_device()
    first = await _begun(families, Applicant(OrderId.new()), device)
    lost = await _renewed(families, first.refresh, device)
    clock.forward(LOST_ANSWER)
    again = await _renewed(families, first.refresh, device)
    third = await _renewed(families, again.refresh, device)
    assert await tokens.verify(third.access.text, device) is not None
    assert await families.refresh(lost.refresh, device) is RefreshRefusal.REUSED
    assert await tokens.verify(third.access.text, device) is None


async def test_revocations_are_read_anew_only_where_a_sign_in_ended(
    families: TokenFamilies, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[str] = []
    monkeypatch.setattr(tokens.revocations, "forget", lambda: forgotten.append("now"))
    device, other = new_device(), new_device()
    first = await _begun(families, Applicant(OrderId.new()), device)
    second = await _renewed(families, first.refresh, device)
    assert await families.refresh(new_device(), device) is RefreshRefusal.UNKNOWN
    assert forgotten == []
    assert await families.refresh(second.refresh, other) is RefreshRefusal.OTHER_DEVICE
    assert forgotten == ["now"]
    assert await families.refresh(second.refresh, device) is RefreshRefusal.REUSED
    assert forgotten == ["now"]


async def test_repeated_late_it_is_theft(
    families: TokenFamilies, tokens: Tokens, clock: StandingClock
) -> None:
    device = new_device()
    first = await _begun(families, Applicant(OrderId.new()), device)
    second = await _renewed(families, first.refresh, device)
    clock.forward(LOST_ANSWER + timedelta(seconds=1))
    assert await families.refresh(first.refresh, device) is RefreshRefusal.REUSED
    assert await tokens.verify(second.access.text, device) is None


@pytest.mark.parametrize("shown", [None, "another"])
async def test_repeated_by_another_device_it_is_theft(
    families: TokenFamilies, tokens: Tokens, shown: str | None
) -> None:
    device = new_device()
    first = await _begun(families, Applicant(OrderId.new()), device)
    second = await _renewed(families, first.refresh, device)
    assert await families.refresh(first.refresh, shown and new_device()) is RefreshRefusal.REUSED
    assert await tokens.verify(second.access.text, device) is None


@pytest.mark.parametrize("shown", [None, "another"])
async def test_another_device_ends_the_sign_in(
    families: TokenFamilies, tokens: Tokens, shown: str | None
) -> None:
    device = new_device()
    first = await _begun(families, Applicant(OrderId.new()), device)
    stolen = await families.refresh(first.refresh, shown and new_device())
    assert stolen is RefreshRefusal.OTHER_DEVICE
    assert await tokens.verify(first.access.text, device) is None


async def test_what_was_never_given_is_unknown(families: TokenFamilies) -> None:
    assert await families.refresh(new_device(), new_device()) is RefreshRefusal.UNKNOWN


@pytest.mark.parametrize("role", [Role.APPLICANT, Role.OPERATOR])
async def test_a_sign_in_has_an_end_and_idleness_an_earlier_one(
    families: TokenFamilies, sessions: Sessions, clock: StandingClock, role: Role
) -> None:
    span, device = SPANS[role], new_device()
    who = Applicant(OrderId.new()) if role is Role.APPLICANT else await _add_staff(sessions, clock)
    idle = await _begun(families, who, device)
    assert idle.refresh_expires_in == span.idle.total_seconds()
    clock.forward(span.idle)
    assert await families.refresh(idle.refresh, device) is RefreshRefusal.OVER
    now, began = await _begun(families, who, device), clock()
    while clock() < began + span.whole - span.idle:
        clock.forward(span.idle - timedelta(minutes=1))
        now = await _renewed(families, now.refresh, device)
    assert clock() + timedelta(seconds=now.refresh_expires_in) <= began + span.whole
    clock.at = began + span.whole
    assert await families.refresh(now.refresh, device) is RefreshRefusal.OVER


async def test_the_last_token_ends_with_its_sign_in(families: TokenFamilies, clock: StandingClock) -> None:
    device, span = new_device(), SPANS[Role.APPLICANT]
    now, began = await _begun(families, Applicant(OrderId.new()), device), clock()
    while clock() < began + span.whole - timedelta(minutes=5):
        clock.at = min(clock() + timedelta(hours=2), began + span.whole - timedelta(minutes=5))
        now = await _renewed(families, now.refresh, device)
    assert now.access.expires_in == 300


async def test_nobody_renews_without_end(families: TokenFamilies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REFRESHES", 2)
    device = new_device()
    now = await _begun(families, Applicant(OrderId.new()), device)
    for _ in range(2):
        now = await _renewed(families, now.refresh, device)
    assert await families.refresh(now.refresh, device) is RefreshRefusal.TOO_MANY


async def test_a_disabled_account_gets_no_new_token(
    families: TokenFamilies, sessions: Sessions, clock: StandingClock
) -> None:
    staff, device = await _add_staff(sessions, clock), new_device()
    first = await _begun(families, staff, device)
    async with sessions.begin() as session:
        await session.execute(sa.update(StaffRow).values(disabled=True))
    assert await families.refresh(first.refresh, device) is RefreshRefusal.OVER


async def test_so_many_devices_at_once_and_the_oldest_gives_way(
    families: TokenFamilies, tokens: Tokens, clock: StandingClock
) -> None:
    applicant, devices = Applicant(OrderId.new()), [new_device() for _ in range(MAX_FAMILIES + 1)]
    made = []
    for device in devices:
        made.append(await _begun(families, applicant, device))
        clock.forward(timedelta(seconds=1))
    good = [
        await tokens.verify(each.access.text, on) is not None for each, on in zip(made, devices, strict=True)
    ]
    assert good == [False, *[True] * MAX_FAMILIES]


async def test_signing_out_ends_what_could_still_come(families: TokenFamilies, tokens: Tokens) -> None:
    device = new_device()
    first = await _begun(families, Applicant(OrderId.new()), device)
    bearer = await tokens.verify(first.access.text, device)
    assert bearer is not None
    for _ in range(2):
        await families.end(bearer.family)
    assert await tokens.verify(first.access.text, device) is None
    assert await families.refresh(first.refresh, device) is RefreshRefusal.OVER


async def test_a_device_is_known_for_a_while_unless_it_was_stolen_from(
    families: TokenFamilies, sessions: Sessions, clock: StandingClock
) -> None:
    staff, device, stolen = await _add_staff(sessions, clock), new_device(), new_device()
    await _begun(families, staff, device)
    first = await _begun(families, staff, stolen)
    await families.refresh(first.refresh, new_device())

    async def known(which: str | None) -> bool:
        async with sessions() as session:
            return await families.knows(session, staff.subject, which)

    assert [await known(each) for each in (device, stolen, new_device(), None)] == [True, False, False, False]
    clock.forward(KNOWN_FOR)
    assert not await known(device)


async def test_only_hashes_are_stored_and_what_is_over_is_forgotten(
    families: TokenFamilies, sessions: Sessions, clock: StandingClock
) -> None:
    device = new_device()
    first = await _begun(families, Applicant(OrderId.new()), device)
    async with sessions() as session:
        tables = (RefreshTokenRow.__table__, TokenFamilyRow.__table__)
        stored = [row for table in tables for row in await session.execute(sa.select(table))]
    assert first.refresh not in str(stored)
    assert device not in str(stored)
    clock.forward(KNOWN_FOR + timedelta(days=1))
    await _begun(families, Applicant(OrderId.new()), device)
    async with sessions() as session:
        for table in (RefreshTokenRow, TokenFamilyRow):
            assert await session.scalar(sa.select(sa.func.count()).select_from(table)) == 1


async def test_a_hold_that_lands_while_somebody_signs_in_stops_them(
    families: TokenFamilies, sessions: Sessions, clock: StandingClock
) -> None:
    """It is looked for in the transaction that begins the sign-in, whatever was checked before."""
    staff = Staff(StaffId.new(), Role.COURIER)
    hold = HoldView(HoldId.new(), HoldState.ACTIVE, Scope(ScopeKind.ALL), "", "", "x", StaffId.new(), clock())
    async with sessions.begin() as session:
        await Holds().place(session, hold)
    assert await families.begin(staff, new_device()) is None
    async with sessions.begin() as session:
        assert await session.scalar(sa.select(sa.func.count()).select_from(TokenFamilyRow)) == 0
        assert await Holds().counts(session, hold.id) == {Stopped.SIGN_IN: 1}
