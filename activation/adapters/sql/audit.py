"""The audit trail: what happened, by whom and under which rule, in the transaction of the change itself.

Entries of one chain are linked: `hash = SHA-256(previous hash | chain | seq | content)`. There is a chain
for each order and each member of staff, and one for each office (`OFFICES`), so that nobody waits for a
lock that is not their own.

Notes are gathered while a transaction runs and appended in one round trip when it commits, chain by chain
in one order: chains are the last thing a transaction locks, so they make no two wait for each other. A
transaction that cannot append does not commit.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

from activation.acting import acting
from activation.adapters.sql.audit_chain import START, canonical, digest_of, link
from activation.adapters.sql.audit_tables import AuditEntryRow
from activation.adapters.sql.engine import reads_only

__all__ = ["OFFICES", "START", "AuditEntryRow", "canonical", "digest_of", "link", "note"]

#: Chains beside those of orders and staff.
OFFICES = ("holds", "incidents", "keys", "policy", "retention", "stock", "sign_in", "exports", "checkpoints")

_PENDING = "kaika_audit_notes"
# PostgreSQL: a function of the tables' owner, who alone may insert (`audit_guards`).
_APPEND_POSTGRESQL = "SELECT audit_append(%s::jsonb)"
# SQLite has one writer at a time, who holds the lock already.
_APPEND_SQLITE = (
    "INSERT INTO audit_entries (chain, seq, at, actor, event, content, hash) "
    "SELECT ?1, last.seq + 1, ?2, ?3, ?4, ?5, kaika_link(last.hash, ?1, last.seq + 1, ?5) FROM ("
    "SELECT seq, hash FROM audit_heads WHERE chain = ?1 UNION ALL SELECT 0, ?6 ORDER BY seq DESC LIMIT 1"
    ") AS last"
)
_SQLITE_INSTANT = "%Y-%m-%d %H:%M:%S.%f"


async def note(
    session: AsyncSession, chain: str, event: str, rule: str, reason: str = "", **details: Any
) -> None:
    """Append one entry to `chain`, an order id, a staff id or one of `OFFICES`, when `session` commits.

    event: `order.shipped`, `fact.registry`, `hold.placed` …; rule: `R9.1`. reason, details: JSON, nothing
    personal. Raises RuntimeError in a session that only reads, or within a savepoint.
    """
    if reads_only(session) or session.in_nested_transaction():
        raise RuntimeError("an audit entry needs a transaction that writes, and no savepoint")
    if not session.in_transaction():
        await session.begin()  # so that a rollback is told of
    session.info.setdefault(_PENDING, []).append(entry(chain, event, rule, reason, details))


def entry(chain: str, event: str, rule: str, reason: str, details: dict[str, Any]) -> dict[str, Any]:
    """What `append` takes: happened now, by whoever acts."""
    at, actor = datetime.now(UTC), acting()
    content = canonical(
        {
            "at": at.isoformat(timespec="microseconds"),
            "actor": actor,
            "event": event,
            "rule": rule,
            "reason": reason,
            "details": details,
        }
    )
    return {"chain": str(chain), "at": at, "actor": actor, "event": event, "content": content}


@sa.event.listens_for(Session, "before_commit")
def _append(session: Session) -> None:
    if _PENDING not in session.info or session.in_nested_transaction():
        return
    session.flush()  # whatever rows it locks come before the chains
    append(session.connection(), session.info.pop(_PENDING))


def append(connection: sa.Connection, entries: list[dict[str, Any]]) -> None:
    """One round trip. entries: chain, at, actor, event, content of each; sorted here by chain."""
    entries.sort(key=lambda each: str(each["chain"]))
    if connection.dialect.name == "postgresql":
        told = [{**each, "at": each["at"].isoformat()} for each in entries]
        connection.exec_driver_sql(_APPEND_POSTGRESQL, (json.dumps(told),))
        return
    rows = [
        (
            *(each["chain"], each["at"].strftime(_SQLITE_INSTANT)),
            *(each["actor"], each["event"], each["content"], START),
        )
        for each in entries
    ]
    connection.exec_driver_sql(_APPEND_SQLITE, rows)


@sa.event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, rolled_back: SessionTransaction) -> None:
    if not rolled_back.nested:
        session.info.pop(_PENDING, None)
