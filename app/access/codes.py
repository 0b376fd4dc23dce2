"""One-time codes to an order's contact phone: six digits, one valid at a time, ten minutes, five failures.

Only a keyed hash is stored. A try is counted before it is compared, in one statement, so that tries made at
the same moment cannot share a count; a right code is used up by being right.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.fields import FieldKeys
from activation.ids import Digest, OrderId
from app.tables import OneTimeCodeRow as C

DIGITS = 6
LIFETIME = timedelta(minutes=10)
FAILURES = 5


class OneTimeCodes:
    """Works inside the caller's transaction, which must be committed whatever `accept` says."""

    def __init__(self, keys: FieldKeys) -> None:
        self._keys = keys

    async def issue(self, session: AsyncSession, order_id: OrderId, at: datetime) -> str:
        """A new code, in clear, to be sent; the one before it is no longer good."""
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        values = {"code_digest": self._digest(order_id, code), "expires_at": at + LIFETIME, "failures": 0}
        dialect = session.get_bind().dialect.name
        insert = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(C)
        replace = insert.values(order_id=order_id, **values).on_conflict_do_update(
            index_elements=[C.order_id], set_=values
        )
        await session.execute(replace)
        return code

    async def accept(self, session: AsyncSession, order_id: OrderId, code: str, at: datetime) -> bool:
        """Uses the code up and says True; counts a failure and says False, never why."""
        counted = (
            sa.update(C)
            .where(C.order_id == order_id, C.expires_at > at, C.failures < FAILURES)
            .values(failures=C.failures + 1)
            .returning(C.code_digest)
        )
        expected = await session.scalar(counted)
        # Compared even where there is none, so that both take the same time.
        right = hmac.compare_digest(expected or "", self._digest(order_id, code))
        if not right:
            return False
        used = await session.execute(sa.delete(C).where(C.order_id == order_id).returning(C.order_id))
        return used.first() is not None

    def _digest(self, order_id: OrderId, code: str) -> Digest:
        return self._keys.digest("one_time_code", f"{order_id}:{code}")
