"""The audit trail: what happened, by whom and under which rule, in the transaction of the change itself.

Entries of one chain are linked: `hash = SHA-256(previous hash | chain | seq | content)`. There is a chain
for each order and each member of staff, and one for each office (`OFFICES`), so that nobody waits for a
lock that is not their own.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.acting import acting
from activation.adapters.sql.audit_tables import AuditEntryRow, AuditHeadRow

#: Chains beside those of orders and staff.
OFFICES = ("holds", "incidents", "keys", "policy", "retention", "stock", "sign_in", "exports", "checkpoints")
START = "0" * 64

# Makes the chain or takes its lock; gives the head as it was before.
_NEXT = sa.text(
    "INSERT INTO audit_heads (chain, seq, hash) VALUES (:chain, 1, :start) "
    "ON CONFLICT (chain) DO UPDATE SET seq = audit_heads.seq + 1 RETURNING seq, hash"
)


async def note(
    session: AsyncSession, chain: str, event: str, rule: str, reason: str = "", **details: Any
) -> None:
    """Append one entry to `chain`: an order id, a staff id or one of `OFFICES`.

    event: `order.shipped`, `fact.registry`, `hold.placed` …; rule: `R9.1`. details: JSON, nothing personal.
    In one transaction the order's chain comes first, then others, so that two never wait for each other.
    """
    at = datetime.now(UTC)
    content = canonical(
        {
            "at": at.isoformat(timespec="microseconds"),
            "actor": acting(),
            "event": event,
            "rule": rule,
            "reason": reason,
            "details": details,
        }
    )
    seq, previous = (await session.execute(_NEXT, {"chain": chain, "start": START})).one()
    linked = link(previous, chain, seq, content)
    await session.execute(
        sa.insert(AuditEntryRow).values(
            chain=chain, seq=seq, at=at, actor=acting(), event=event, content=content, hash=linked
        )
    )
    await session.execute(sa.update(AuditHeadRow).where(AuditHeadRow.chain == chain).values(hash=linked))


def canonical(content: dict[str, Any]) -> str:
    """JSON in one form: sorted keys, no spaces, ASCII."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def link(previous: str, chain: str, seq: int, content: str) -> str:
    """Hash of an entry, 64 hex digits. `content` comes last, so nothing can be moved between the parts."""
    return hashlib.sha256(f"{previous}\n{chain}\n{seq}\n{content}".encode()).hexdigest()
