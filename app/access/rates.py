"""Limits on how often something may be tried, held in the database, so that all processes count together.

Fixed windows: at worst twice `hits` pass across the edge of two windows, which every limit here can bear.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.fields import FieldKeys
from app.tables import RateRow


@dataclass(frozen=True)
class Limit:
    """At most `hits` in every `window_s` seconds. name: at most 40 characters."""

    name: str
    hits: int
    window_s: int


ORDERS_PER_ADDRESS = Limit("orders.address", 300, 3600)
"""Behind one address of a mobile network stand many people."""
ORDERS_PER_PHONE = Limit("orders.phone", 10, 3600)
CODES_PER_PHONE = Limit("codes.phone", 6, 3600)
FIRST_CODES_PER_PHONE = Limit("codes.phone_first", 3, 3600)
"""Of new orders, which anybody can open on anybody's phone: they use up no codes of those who own it."""
DRAFT_CODES_PER_PHONE = Limit("codes.phone_draft", 6, 3600)
"""Further codes of drafts that nobody has signed in to yet, for the same reason."""
CODES_PER_ORDER = Limit("codes.order", 8, 3600)
TRIES_PER_ORDER = Limit("tries.order", 20, 3600)
"""Of a six-digit code: with five failures per code, a guess succeeds once in 50,000 hours."""
TRIES_PER_ADDRESS = Limit("tries.address", 600, 3600)
"""Also of orders that do not exist, each of which would be counted for itself."""
CONSENTS_PER_ORDER = Limit("consents.order", 60, 3600)
REQUESTS_PER_ORDER = Limit("requests.order", 20, 3600)
"""Each is a row and an entry in the order's audit chain, which its case file holds whole."""
CAPTURES_PER_ORDER = Limit("captures.order", 60, 3600)
TAKES_PER_ORDER = Limit("takes.order", 60, 3600)
"""Of direct uploads: each is fetched from the storage before it is counted as a capture."""
ACTIVATIONS_PER_ADDRESS = Limit("activations.address", 60, 600)
SIGN_INS_PER_NAME_AND_ADDRESS = Limit("sign_in.name_address", 10, 900)
SIGN_INS_PER_NAME = Limit("sign_in.name", 100, 900)
"""From all strange devices (`app.access.staff_sign_in`): guessing at a name locks nobody out of their own."""
SIGN_INS_PER_ADDRESS = Limit("sign_in.address", 100, 900)
SIGN_INS_PER_KNOWN_DEVICE = Limit("sign_in.device", 20, 900)
REFRESHES_PER_ADDRESS = Limit("refresh.address", 1200, 600)
"""Of tokens that were never given; those of people who are signed in are not counted here."""
NUMBERS_PER_ADDRESS = Limit("numbers.address", 1200, 600)
"""Some hundred people behind one address may search at once; nobody reads out the whole pool in a day."""
CHECKS_PER_ADDRESS = Limit("checks.address", 150, 3600)

#: One hit in so many clears away old windows.
CLEAR_ONE_IN = 200
KEEP_S = 86_400

# Both databases understand this; the counter is made or raised in one statement, so none is lost.
_HIT = sa.text(
    'INSERT INTO rates (bucket, "window", hits) VALUES (:bucket, :window, 1) '
    'ON CONFLICT (bucket, "window") DO UPDATE SET hits = rates.hits + 1 RETURNING hits'
)


class Rates:
    """Counts hits by keyed hash of the subject; no phone, name or address is stored.

    factor: multiplies every limit; for load tests, whose requests all come from one place.
    """

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        keys: FieldKeys,
        clock: Callable[[], datetime],
        factor: int = 1,
    ) -> None:
        self._sessions = sessions
        self._keys = keys
        self._clock = clock
        self._factor = factor

    async def wait_for(self, limit: Limit, subject: str) -> int | None:
        """Counts one hit, in a transaction of its own. None: go on; else seconds until the window ends."""
        now = int(self._clock().timestamp())
        window = now // limit.window_s
        bucket = f"{limit.name}:{self._keys.digest('rate', subject)}"
        async with self._sessions.begin() as session:
            hits = await session.scalar(_HIT, {"bucket": bucket, "window": window})
            if secrets.randbelow(CLEAR_ONE_IN) == 0:
                await self._clear(session, limit, now)
        if hits is None or hits <= limit.hits * self._factor:
            return None
        return (window + 1) * limit.window_s - now

    async def _clear(self, session: AsyncSession, limit: Limit, now: int) -> None:
        """Windows of this limit that ended long ago."""
        old = (now - KEEP_S) // limit.window_s
        await session.execute(
            sa.delete(RateRow).where(RateRow.bucket.startswith(f"{limit.name}:"), RateRow.window < old)
        )
