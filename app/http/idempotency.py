"""`Idempotency-Key`: the same key from the same caller with the same content makes one thing, once.

The row's primary key lets one of two simultaneous requests through on every database. Only answers that
made something are kept, encrypted, for a day; a refusal made nothing, and may be tried again. Credentials
are never kept: such an answer is kept without them and made whole again (`renew`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from aiohttp import web
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.http import common
from app.http.callers import CALLER
from app.http.problems import ProblemRaised
from app.http.replies import Reply, Sent
from app.services import SERVICES
from app.tables import IdempotencyRow

HEADER = "Idempotency-Key"
KEEP = timedelta(hours=24)
#: A request that is still unanswered after this long died with its process; the next one takes its place.
GIVE_UP = timedelta(minutes=3)
RETRY_AFTER_S = 1
#: Old rows cleared away with each new one.
CLEAR_AT_ONCE = 50

_FORM = re.compile(r"[A-Za-z0-9_.:\-]{16,128}")


async def once(
    request: web.Request,
    body: bytes,
    work: Callable[[], Awaitable[Reply]],
    renew: Callable[[Sent], Awaitable[Sent]] | None = None,
) -> web.Response:
    """The answer of `work`, or the one that the same request got before. Raises ProblemRaised.

    renew: puts back into a kept answer what was left out of it.
    """
    services = request.app[SERVICES]
    ledger = _Ledger(services.sessions, services.clock)
    entry = _entry(request, body)
    earlier = await ledger.open(entry)
    if earlier is not None:
        return (earlier if renew is None else await renew(earlier)).response(replayed=True)
    try:
        reply = await work()
        if reply.kept is not None and renew is None:
            raise TypeError("an answer that is kept without a part needs a way to renew it")
    except BaseException:
        await ledger.drop(entry)
        raise
    await ledger.close(entry, Sent.to_keep(reply))
    return Sent.of(reply).response()


@dataclass(frozen=True)
class _Entry:
    key: str
    request_digest: str


def _entry(request: web.Request, body: bytes) -> _Entry:
    given = request.headers.getall(HEADER, [])
    if len(given) != 1 or not _FORM.fullmatch(given[0]):
        raise ProblemRaised(common.KEY_WANTED)
    parts = (request[CALLER].subject, request.method, request.path, given[0])
    name = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    content = hashlib.sha256(request.query_string.encode() + b"\n" + body).hexdigest()
    # A body may be a password or a person's name: without the key its digest could be guessed at.
    return _Entry(name, request.app[SERVICES].keys.fields.digest("idempotency", content))


class _Ledger:
    def __init__(self, sessions: async_sessionmaker[AsyncSession], clock: Callable[[], datetime]) -> None:
        self._sessions = sessions
        self._clock = clock

    async def open(self, entry: _Entry) -> Sent | None:
        """None: ours to do. Raises KEY_REUSED or IN_FLIGHT."""
        for _ in range(2):
            if await self._insert(entry):
                return None
            row = await self._read(entry.key)
            if row is None:
                continue  # dropped in the meantime
            if row.request_digest != entry.request_digest:
                raise ProblemRaised(common.KEY_REUSED)
            if row.status is not None and row.body is not None:
                return Sent.from_kept(row.status, row.body)
            if await self._take_over(row):
                return None
        raise ProblemRaised(common.IN_FLIGHT, retry_after_s=RETRY_AFTER_S)

    async def close(self, entry: _Entry, sent: Sent) -> None:
        await self._execute(
            sa.update(IdempotencyRow)
            .where(IdempotencyRow.key == entry.key)
            .values(status=sent.status, body=sent.kept())
        )

    async def drop(self, entry: _Entry) -> None:
        await self._execute(sa.delete(IdempotencyRow).where(IdempotencyRow.key == entry.key))

    async def _insert(self, entry: _Entry) -> bool:
        now = self._clock()
        row = IdempotencyRow(
            key=entry.key, request_digest=entry.request_digest, status=None, body=None, created_at=now
        )
        try:
            async with self._sessions.begin() as session:
                await self._clear(session, entry.key, now)
                session.add(row)
        except IntegrityError:
            return False
        return True

    async def _clear(self, session: AsyncSession, key: str, now: datetime) -> None:
        old = sa.select(IdempotencyRow.key).where(IdempotencyRow.created_at < now - KEEP).limit(CLEAR_AT_ONCE)
        # What another request is clearing away is left to it; two could wait for each other.
        old = old.with_for_update(skip_locked=True)
        keys = [*(await session.scalars(old))]
        if keys:
            await session.execute(
                sa.delete(IdempotencyRow).where(
                    IdempotencyRow.key.in_(keys), IdempotencyRow.created_at < now - KEEP
                )
            )
        await session.execute(
            sa.delete(IdempotencyRow).where(IdempotencyRow.key == key, IdempotencyRow.created_at < now - KEEP)
        )

    async def _read(self, key: str) -> IdempotencyRow | None:
        async with self._sessions() as session:
            return await session.get(IdempotencyRow, key)

    async def _take_over(self, row: IdempotencyRow) -> bool:
        """True where the request that opened the row is dead and we were the first to see it."""
        now = self._clock()
        if row.created_at > now - GIVE_UP:
            return False
        taken = await self._execute(
            sa.update(IdempotencyRow)
            .where(
                IdempotencyRow.key == row.key,
                IdempotencyRow.status.is_(None),
                IdempotencyRow.created_at == row.created_at,
            )
            .values(created_at=now)
        )
        return taken == 1

    async def _execute(self, statement: sa.Update | sa.Delete) -> int:
        async with self._sessions.begin() as session:
            result = await session.execute(statement)
            return int(getattr(result, "rowcount", 0))
