"""A message gateway for development: writes what would have been sent into our own database."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.message_texts import text_of
from activation.adapters.sql.engine import insert_if_absent
from activation.adapters.sql.fields import field_keys
from activation.adapters.sql.outbox import sealed_text
from activation.adapters.sql.tables import MessageRow
from activation.ids import Msisdn
from activation.ports import Clock, MessageKind


class SandboxMessages:
    """`activation.ports.Messages`. Texts are stored sealed, receivers as keyed hashes."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], clock: Clock) -> None:
        self._sessions, self._clock = sessions, clock

    async def send(
        self, to: Msisdn, kind: MessageKind, values: dict[str, str], locale: str, idempotency_key: str
    ) -> None:
        text = await sealed_text(idempotency_key, text_of(kind, values, locale))
        async with self._sessions.begin() as session:
            await insert_if_absent(
                session,
                MessageRow,
                key=idempotency_key,
                to_digest=field_keys().digest("phone", to),
                kind=kind,
                text=text,
                at=self._clock(),
            )
