"""What a reviewer sees of a case: measurements and scores, evidence by digest, identity masked (R9.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.facts import write_fact
from activation.adapters.sql.orders import Document
from activation.adapters.sql.store import Store
from activation.adapters.sql.tables import EvidenceRow
from activation.evidence import Evidence
from activation.ids import Digest
from app.compliance.casefile.members import EXPORT
from app.review.cases import Case
from logistics.codes import masked_name

#: Objects of one order that are listed.
EVIDENCE_LIMIT = 500
#: Members of facts that hold keyed hashes of personal data.
_KEYED = frozenset({"name", "number", "handheld_number"})
_HASH = re.compile(r"[0-9a-f]{64}")
_TAG = 6
_NUMBER_SHOWN = 3


@dataclass(frozen=True)
class FactSeen:
    """One fact. body: as it was measured; in place of keyed hashes short tags, alike where they agree."""

    index: int
    kind: str
    body: dict[str, Any]


@dataclass(frozen=True)
class EvidenceSeen:
    digest: Digest
    kind: str
    media_type: str
    size: int
    at: datetime


@dataclass(frozen=True, repr=False)
class MaskedIdentity:
    name: str
    number: str


@dataclass(frozen=True)
class CaseSeen:
    """identity and evidence: only for the reviewer who has claimed the case, else None and nothing."""

    case: Case
    facts: tuple[FactSeen, ...]
    identity: MaskedIdentity | None
    evidence: tuple[EvidenceSeen, ...]


async def see_case(session: AsyncSession, case: Case, *, claimed: bool) -> CaseSeen:
    """The facts 0 to `case.about`: what a decision about the case speaks of."""
    store = Store()
    facts = await store.facts.load(session, case.order)
    shown = tuple(see_fact(index, fact) for index, fact in enumerate(facts.evidence[: case.about + 1]))
    if not claimed:
        return CaseSeen(case, shown, None, ())
    document = await store.orders.document(session, case.order)
    return CaseSeen(case, shown, _masked(document), await _evidence(session, case))


def see_fact(index: int, fact: Evidence) -> FactSeen:
    body = write_fact(fact)
    kind = str(body.pop("kind"))
    veiled: dict[str, Any] = _veil(body)
    return FactSeen(index, kind, veiled)


def _veil(value: Any, name: str = "") -> Any:
    match value:
        case dict():
            return {key: _veil(member, key) for key, member in value.items()}
        case list():
            return [_veil(member, name) for member in value]
        case str() if name in _KEYED and _HASH.fullmatch(value):
            return f"#{value[:_TAG]}"
        case _:
            return value


def _masked(document: Document | None) -> MaskedIdentity | None:
    if document is None:
        return None
    hidden = "*" * max(len(document.number) - _NUMBER_SHOWN - 1, 0)
    number = document.number[:_NUMBER_SHOWN] + hidden + document.number[-1:]
    return MaskedIdentity(masked_name(document.name), number)


async def _evidence(session: AsyncSession, case: Case) -> tuple[EvidenceSeen, ...]:
    columns = (EvidenceRow.digest, EvidenceRow.kind, EvidenceRow.media_type, EvidenceRow.size, EvidenceRow.at)
    query = (
        sa.select(*columns)
        .where(EvidenceRow.order_id == case.order, EvidenceRow.kind != EXPORT)
        .order_by(EvidenceRow.at, EvidenceRow.digest)
        .limit(EVIDENCE_LIMIT)
    )
    return tuple(
        EvidenceSeen(Digest(row.digest), row.kind, row.media_type, row.size, row.at)
        for row in await session.execute(query)
    )
