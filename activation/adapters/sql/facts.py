"""The log of facts: append-only, numbered per order, read back exactly as it was written."""

from __future__ import annotations

import math
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit import digest_of, note
from activation.adapters.sql.tables import FactRow, OrderRow
from activation.evidence import (
    CapturesMeasured,
    Evidence,
    FaceConsent,
    Facts,
    Handover,
    Hold,
    QuotaPlace,
    RegistryAnswer,
    ReviewDecision,
    SimBinding,
    VideoCheckMeasured,
)
from activation.ids import OrderId

_KINDS: dict[str, type[Evidence]] = {
    "captures": CapturesMeasured,
    "registry": RegistryAnswer,
    "quota": QuotaPlace,
    "sim": SimBinding,
    "handover": Handover,
    "video_check": VideoCheckMeasured,
    "review": ReviewDecision,
    "hold": Hold,
    "face_consent": FaceConsent,
}
#: Which rule a fact answers to; stands in the audit trail.
RULES = {
    "captures": "R3.1",
    "registry": "R1.5",
    "quota": "R2.1",
    "sim": "R4.1",
    "handover": "R3.3",
    "video_check": "R4.2",
    "review": "R4.2",
    "hold": "R9.3",
    "face_consent": "R9.4",
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_ADAPTERS: dict[str, TypeAdapter[Evidence]] = {name: TypeAdapter(kind) for name, kind in _KINDS.items()}


class UnknownOrder(LookupError):
    """A fact about an order that does not exist."""


def kind_of(fact: Evidence) -> str:
    """The stored tag of a fact."""
    return _NAMES[type(fact)]


def write_fact(fact: Evidence) -> dict[str, Any]:
    """JSON object of one fact, with its `kind`."""
    kind = kind_of(fact)
    body: dict[str, Any] = _json_floats(_ADAPTERS[kind].dump_python(fact, mode="json"))
    return {"kind": kind, **body}


def read_fact(stored: dict[str, Any]) -> Evidence:
    """Inverse of `write_fact`. Raises KeyError or pydantic's ValidationError on anything else."""
    body = dict(stored)
    return _ADAPTERS[body.pop("kind")].validate_python(body)


def _json_floats(value: Any) -> Any:
    """JSON has no NaN and PostgreSQL takes none; the gate must see one all the same, so it is spelled out."""
    match value:
        case dict():
            return {key: _json_floats(item) for key, item in value.items()}
        case list() | tuple():
            return [_json_floats(item) for item in value]
        case float() if not math.isfinite(value):
            return str(value)
        case _:
            return value


class FactLog:
    """Pure storage; `Flow.record` is the way in for everything that arrives."""

    async def append(self, session: AsyncSession, order_id: OrderId, fact: Evidence) -> int:
        """Index of the fact. Holds the order's row, so writers of one order take turns."""
        locked = await session.scalar(sa.select(OrderRow.id).where(OrderRow.id == order_id).with_for_update())
        if locked is None:
            raise UnknownOrder(order_id)
        last = await session.scalar(sa.select(sa.func.max(FactRow.seq)).where(FactRow.order_id == order_id))
        seq = 0 if last is None else last + 1
        kind, body = kind_of(fact), write_fact(fact)
        await session.execute(
            sa.insert(FactRow).values(order_id=order_id, seq=seq, kind=kind, body=body, at=fact.at)
        )
        await note(session, order_id, f"fact.{kind}", RULES[kind], seq=seq, sha256=digest_of(body))
        return seq

    async def load(self, session: AsyncSession, order_id: OrderId) -> Facts:
        """Everything known about one order, oldest first."""
        bodies = await session.scalars(
            sa.select(FactRow.body).where(FactRow.order_id == order_id).order_by(FactRow.seq)
        )
        return Facts(order_id, tuple(read_fact(body) for body in bodies))
