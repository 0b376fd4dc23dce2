"""What the sandbox outbox holds, instead of a phone. Absent in production."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from aiohttp import web

from activation.adapters.sql.outbox import read_text
from activation.adapters.sql.tables import MessageRow
from app.access.rights import Action, Resource
from app.http.contract import Input, Output, Reply, operation
from app.http.inputs import Phone
from app.services import SERVICES

SANDBOX_ONLY = True
#: Newest messages shown.
SHOWN = 50


class OutboxQuery(Input):
    to: Phone


class OutboxMessage(Output):
    key: str
    kind: str
    text: str
    at: datetime


class Outbox(Output):
    """Newest first."""

    messages: list[OutboxMessage]


@operation(
    summary="Messages to a phone, sandbox only",
    right=(Resource.SANDBOX, Action.READ),
    query=OutboxQuery,
    returns={200: Outbox},
)
async def sandbox_messages(request: web.Request, query: OutboxQuery) -> Reply:
    services = request.app[SERVICES]
    whose = MessageRow.to_digest == services.keys.fields.digest("phone", query.to)
    newest = sa.select(MessageRow).where(whose).order_by(MessageRow.at.desc(), MessageRow.key).limit(SHOWN)
    async with services.readers() as session:
        rows = (await session.scalars(newest)).all()
    texts = [await read_text(row) for row in rows]
    found = [
        OutboxMessage(key=row.key, kind=row.kind, text=text, at=row.at)
        for row, text in zip(rows, texts, strict=True)
        if text is not None
    ]
    return Reply(200, Outbox(messages=found))


ROUTES = (web.get("/sandbox/messages", sandbox_messages, allow_head=False),)
