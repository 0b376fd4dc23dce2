"""Sign-ins that last: short access tokens, renewed with refresh tokens of which each is good once.

What one sign-in leads to is a family. A refresh token that comes a second time was stolen, by whoever came
first or second: the whole family ends (RFC 9700, section 4.14.2). So does one that another device shows.
Only the last one may come again, from its own device and at once: then the answer with the next one was lost.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.audit import note
from activation.adapters.sql.fields import FieldKeys
from activation.ids import OrderId, StaffId
from app.access.devices import device_digest, is_of
from app.access.principals import STAFF_ROLES, Applicant, Role, Staff
from app.access.token_tables import RefreshTokenRow as R
from app.access.token_tables import TokenFamilyRow as F
from app.access.tokens import IssuedToken, Tokens
from app.compliance.holds.pausing import is_paused
from app.tables import StaffRow

REFRESH_BYTES = 32
#: Good refresh tokens of one family over its whole time; an honest client needs some fifty.
MAX_REFRESHES = 500
#: For so long after its use the last token may be repeated by its device, if nobody has used the next one.
LOST_ANSWER = timedelta(seconds=60)
#: Devices signed in at once for one order or member of staff; the oldest gives way.
MAX_FAMILIES = 3
#: A device from which somebody signed in is theirs for so long (`knows`); its row is kept until then.
KNOWN_FOR = timedelta(days=30)
#: Forgotten families cleared away with each sign-in.
CLEAR_AT_ONCE = 20

#: In a session's `info`: it has ended a family.
_ENDED = "family_ended"


@dataclass(frozen=True)
class Span:
    """whole: the longest that a sign-in lasts. idle: the longest without a refresh in between."""

    whole: timedelta
    idle: timedelta


SPANS = {
    Role.APPLICANT: Span(timedelta(hours=12), timedelta(hours=3)),
    Role.COURIER: Span(timedelta(hours=10), timedelta(hours=10)),  # one shift, often without a network
    Role.REVIEWER: Span(timedelta(hours=8), timedelta(hours=1)),
    Role.OPERATOR: Span(timedelta(hours=8), timedelta(minutes=30)),
}


@dataclass(frozen=True, repr=False)
class SignedIn:
    """Both tokens in clear. refresh_expires_in: seconds."""

    access: IssuedToken
    refresh: str
    refresh_expires_in: int


class RefreshRefusal(StrEnum):
    """Why there is no new token; all but PAUSED (a hold, R9.3) look the same from outside."""

    UNKNOWN = "unknown"
    REUSED = "reused"
    OVER = "over"
    OTHER_DEVICE = "other_device"
    TOO_MANY = "too_many"
    PAUSED = "paused"


class TokenFamilies:
    """Every call is a transaction of its own, unless it takes a session."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        keys: FieldKeys,
        tokens: Tokens,
        clock: Callable[[], datetime],
    ) -> None:
        self._sessions = sessions
        self._keys = keys
        self._tokens = tokens
        self._clock = clock

    async def begin(self, principal: Applicant | Staff, device: str) -> SignedIn | None:
        """The first tokens of a sign-in on the device with this secret. None: a hold is in the way (R9.3)."""
        now, span = self._clock(), SPANS[principal.role]
        family = F(
            id=secrets.token_urlsafe(16),
            subject=principal.subject,
            role=principal.role,
            device_digest=device_digest(device),
            began_at=now,
            expires_at=now + span.whole,
            refreshes=0,
        )
        async with self._ending() as session:
            if await is_paused(session, principal, now):
                return None
            await self._clear(session, now)
            await self._make_room(session, principal.subject, now)
            session.add(family)
            refresh, seconds = self._new_refresh(session, family, now)
            await note(session, principal.subject, "sign_in.began", "R9.1", family=family.id)
        return SignedIn(self._tokens.issue(principal, device, family.id, family.expires_at), refresh, seconds)

    async def refresh(self, text: str, device: str | None) -> SignedIn | RefreshRefusal:
        """New tokens for a refresh token, which is used up by it. A theft that shows ends the family.

        Within `LOST_ANSWER` its own device may repeat it: what it was exchanged for becomes void.
        Under a hold (R9.3) the token is good again once that is lifted.
        """
        now = self._clock()
        async with self._ending() as session:
            # Rows are held in the order of succession, then the family's.
            token = await session.get(R, self._digest(text), with_for_update=True)
            if token is None:
                return RefreshRefusal.UNKNOWN
            unseen = await self._unseen_successor(session, token, now)
            family = await session.get_one(F, token.family_id, with_for_update=True)
            if token.used_at is not None and (unseen is None or not is_of(family.device_digest, device)):
                await self._end(session, family, "reused", now)
                return RefreshRefusal.REUSED
            refusal = await self._refusal(session, family, token.expires_at, device, now)
            if refusal is not None or device is None:
                token.used_at = now
                return refusal or RefreshRefusal.OTHER_DEVICE
            if await is_paused(session, _principal(family), now):
                return RefreshRefusal.PAUSED
            if unseen is not None:
                unseen.used_at = now
            token.used_at = token.used_at or now
            family.refreshes += 1
            refresh, seconds = self._new_refresh(session, family, now)
            token.successor = self._digest(refresh)
            access = self._tokens.issue(_principal(family), device, family.id, family.expires_at)
        return SignedIn(access, refresh, seconds)

    @asynccontextmanager
    async def _ending(self) -> AsyncIterator[AsyncSession]:
        """A transaction; what it ended counts here at once. Only then are revocations read anew."""
        async with self._sessions.begin() as session:
            yield session
        if session.info.pop(_ENDED, False):
            self.forget_revocations()

    async def _unseen_successor(self, session: AsyncSession, used: R, now: datetime) -> R | None:
        """What a used token was exchanged for, where the answer may have been lost: just now, and unused."""
        if used.used_at is None or used.successor is None or now > used.used_at + LOST_ANSWER:
            return None
        successor = await session.get(R, used.successor, with_for_update=True)
        return successor if successor is not None and successor.used_at is None else None

    async def end(self, family_id: str) -> None:
        """The holder's own wish; its access tokens die here at once, elsewhere within a second."""
        async with self._ending() as session:
            family = await session.get(F, family_id, with_for_update=True)
            if family is not None:
                await self._end(session, family, "signed_out", self._clock())

    async def end_all(self, session: AsyncSession, subject: str, why: str) -> None:
        """Every sign-in of one subject. The caller commits, then calls `forget_revocations`."""
        for family in await self._living(session, subject):
            await self._end(session, family, why, self._clock())

    def forget_revocations(self) -> None:
        """What ended counts here at once; in other processes within a second it does anyhow."""
        self._tokens.revocations.forget()

    async def began(self, session: AsyncSession, subject: str) -> bool:
        """Whether this subject has ever signed in, as far back as is known."""
        return await session.scalar(sa.select(F.id).where(F.subject == subject).limit(1)) is not None

    async def knows(self, session: AsyncSession, subject: str, device: str | None) -> bool:
        """Whether this subject has signed in on this device within `KNOWN_FOR`."""
        if device is None:
            return False
        found = await session.scalar(
            sa.select(F.id)
            .where(
                F.subject == subject,
                F.device_digest == device_digest(device),
                F.began_at > self._clock() - KNOWN_FOR,
                F.ended_for.is_(None) | F.ended_for.in_(("signed_out", "made_room")),
            )
            .limit(1)
        )
        return found is not None

    async def _refusal(
        self, session: AsyncSession, family: F, expires_at: datetime, device: str | None, now: datetime
    ) -> RefreshRefusal | None:
        if family.ended_at is not None or now >= min(expires_at, family.expires_at):
            return RefreshRefusal.OVER
        if not is_of(family.device_digest, device):
            await self._end(session, family, "other_device", now)
            return RefreshRefusal.OTHER_DEVICE
        if family.refreshes >= MAX_REFRESHES:
            await self._end(session, family, "too_many", now)
            return RefreshRefusal.TOO_MANY
        if Role(family.role) in STAFF_ROLES and not await _still_staff(session, family):
            await self._end(session, family, "disabled", now)
            return RefreshRefusal.OVER
        return None

    def _new_refresh(self, session: AsyncSession, family: F, now: datetime) -> tuple[str, int]:
        text = secrets.token_urlsafe(REFRESH_BYTES)
        expires_at = min(now + SPANS[Role(family.role)].idle, family.expires_at)
        session.add(R(digest=self._digest(text), family_id=family.id, expires_at=expires_at))
        return text, int((expires_at - now).total_seconds())

    async def _end(self, session: AsyncSession, family: F, why: str, now: datetime) -> None:
        if family.ended_at is not None:
            return
        family.ended_at, family.ended_for = now, why
        session.info[_ENDED] = True
        await note(session, family.subject, "sign_in.ended", "R9.1", reason=why, family=family.id)

    async def _living(self, session: AsyncSession, subject: str) -> list[F]:
        """Newest first."""
        found = await session.scalars(
            sa.select(F)
            .where(F.subject == subject, F.ended_at.is_(None), F.expires_at > self._clock())
            .order_by(F.began_at.desc(), F.id)
            .with_for_update()
        )
        return [*found]

    async def _make_room(self, session: AsyncSession, subject: str, now: datetime) -> None:
        for family in (await self._living(session, subject))[MAX_FAMILIES - 1 :]:
            await self._end(session, family, "made_room", now)

    async def _clear(self, session: AsyncSession, now: datetime) -> None:
        """Families that nothing can be asked of any more. What another request clears is left to it."""
        old = (
            sa.select(F.id)
            .where(F.expires_at < now - KNOWN_FOR)
            .limit(CLEAR_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        ids = [*(await session.scalars(old))]
        if ids:
            await session.execute(sa.delete(R).where(R.family_id.in_(ids)))
            await session.execute(sa.delete(F).where(F.id.in_(ids)))

    def _digest(self, text: str) -> str:
        return self._keys.digest("refresh_token", text)


def _principal(family: F) -> Applicant | Staff:
    role = Role(family.role)
    if role in STAFF_ROLES:
        return Staff(StaffId(family.subject), role)
    return Applicant(OrderId(family.subject))


async def _still_staff(session: AsyncSession, family: F) -> bool:
    row = (
        await session.execute(
            sa.select(StaffRow.role, StaffRow.disabled).where(StaffRow.id == family.subject)
        )
    ).first()
    return row is not None and not row.disabled and row.role == family.role
