"""What a case file says of one order, as JSON members; nothing personal but in `identity.json`.

Explicit columns, never whole rows: a column that is added later is left out until somebody has looked at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit_chain import digest_of
from activation.adapters.sql.audit_tables import AuditEntryRow as A
from activation.adapters.sql.hold_tables import HoldRow, HoldStopRow
from activation.adapters.sql.store import Store
from activation.adapters.sql.tables import (
    CardPlaceRow,
    ConsentRow,
    DecisionRow,
    EvidenceRow,
    FactRow,
    OrderRow,
    SimRow,
    VideoCheckRow,
)
from activation.ids import OrderId
from app.compliance.retention.tables import LegalHoldRow, SubjectRequestRow, TombstoneRow
from app.tables import EvidenceLookRow, ReviewCaseRow
from logistics.tables import DeliveryEventRow, DeliveryRow

#: Kind of evidence under which case files themselves are kept.
EXPORT = "export"
#: Rows of one kind; an order has seldom more than a hundred.
ROWS_LIMIT = 200_000
#: Entries of the audit chain in one member; a longer chain goes on in `audit-2.json`, `audit-3.json` …
ENTRIES_PER_MEMBER = 20_000

Document = dict[str, Any]


class TooMuch(Exception):
    """An order with more rows than a case file takes."""


async def read_members(session: AsyncSession, order_id: OrderId) -> dict[str, Document]:
    """Every JSON member but `evidence.json` and `identity.json`. The caller holds the order's row."""
    rows = _Rows(session, order_id)
    members: dict[str, Document] = {
        "order.json": await _order(rows),
        "facts.json": {"facts": await rows.of(FactRow, ("seq", "kind", "at", "body"), FactRow.seq)},
        "decisions.json": await _decisions(rows),
        "deliveries.json": await _deliveries(rows),
        "checks.json": {"checks": await rows.of(VideoCheckRow, _CHECK, VideoCheckRow.attempt)},
        "review.json": {
            "cases": await rows.of(ReviewCaseRow, _CASE, ReviewCaseRow.opened_at),
            "looks": await rows.of(EvidenceLookRow, _LOOK, EvidenceLookRow.id),
        },
        "consents.json": {"consents": await rows.of(ConsentRow, _CONSENT, ConsentRow.id)},
        "holds.json": await _holds(rows),
        "retention.json": {
            "legal_holds": await rows.of(LegalHoldRow, _LEGAL_HOLD, LegalHoldRow.id),
            "requests": await rows.of(SubjectRequestRow, _REQUEST, SubjectRequestRow.asked_at),
            "tombstones": await rows.of(TombstoneRow, _TOMBSTONE, TombstoneRow.begun_at),
        },
        **await _audit(session, order_id),
    }
    return {name: {"order": str(order_id), **member} for name, member in members.items()}


_ORDER = (
    *("state", "msisdn", "region", "province", "channel", "dealer", "locale", "iccid"),
    *("name_digest", "number_digest", "contact_digest", "created_at", "changed_at", "due_at"),
)
_CHECK = ("id", "attempt", "state", "script", "created_at", "expires_at", "closed_at")
_CASE = (
    *("id", "stage", "state", "reasons", "two_people", "about", "claimed_by", "claimed_until"),
    *("proposal", "opened_at", "closed_at"),
)
_LOOK = ("case_id", "staff_id", "digest", "at")
_CONSENT = ("kind", "version", "given", "at")
_DELIVERY = (
    *("id", "waybill", "carrier", "iccid", "state", "courier_id", "code_issue", "code_failures"),
    *("tail_failures", "photo_digest", "photo_comparisons", "created_at", "changed_at"),
)
_EVENT = ("source", "event", "moved_to", "happened_at", "recorded_at", "body")
_HOLD = (
    *("id", "state", "scope", "value", "authority", "document", "reason", "placed_by", "placed_at"),
    *("lift_asked_by", "lift_asked_at", "lifted_by", "lifted_at", "lift_reason"),
)
_STOP = ("hold_id", "what", "at", "times", "waits")
_LEGAL_HOLD = ("placed_at", "placed_by", "reason", "lifted_at", "lifted_by", "lift_reason")
_REQUEST = ("id", "kind", "state", "answer", "asked_at", "due_at", "closed_at")
_TOMBSTONE = ("state", "kept_as", "rule", "opened_at", "over_at", "begun_at", "begun_by", "destroyed_at")
_DECISION = ("id", "question", "facts_seen", "input", "answer", "at")
_OBJECT = ("digest", "kind", "media_type", "size", "at")


class _Rows:
    """Reads chosen columns of the order's rows."""

    def __init__(self, session: AsyncSession, order_id: OrderId) -> None:
        self._session, self.order = session, order_id

    async def of(self, table: Any, columns: Sequence[str], by: Any, where: Any = None) -> list[Document]:
        """Rows as JSON objects, ordered. Raises TooMuch."""
        condition = table.order_id == self.order if where is None else where
        chosen = [getattr(table, name) for name in columns]
        query = sa.select(*chosen).where(condition).order_by(by).limit(ROWS_LIMIT + 1)
        found = list(await self._session.execute(query))
        if len(found) > ROWS_LIMIT:
            raise TooMuch(table.__tablename__)
        return [{name: _plain(value) for name, value in zip(columns, row, strict=True)} for row in found]


async def _order(rows: _Rows) -> Document:
    (order,) = await rows.of(OrderRow, _ORDER, OrderRow.id, OrderRow.id == rows.order)
    cards = await rows.of(SimRow, ("iccid", "imsi", "state", "changed_at"), SimRow.iccid)
    places = await rows.of(CardPlaceRow, ("place", "taken_at"), CardPlaceRow.taken_at)
    return {**order, "cards": cards, "places": places}


async def _decisions(rows: _Rows) -> Document:
    made = await rows.of(DecisionRow, _DECISION, DecisionRow.id)
    for each in made:
        each["policy_sha256"] = digest_of(each["input"]["policy"])
    policies = {each["policy_sha256"]: each["input"]["policy"].get("version") for each in made}
    return {"policies": policies, "decisions": made}


async def _deliveries(rows: _Rows) -> Document:
    parcels = await rows.of(DeliveryRow, _DELIVERY, DeliveryRow.created_at)
    for parcel in parcels:
        of_it = DeliveryEventRow.delivery_id == parcel["id"]
        parcel["events"] = await rows.of(DeliveryEventRow, _EVENT, DeliveryEventRow.id, of_it)
    return {"deliveries": parcels}


async def _holds(rows: _Rows) -> Document:
    """What stopped this order, and every hold that was placed on it alone (R9.3)."""
    stops = await rows.of(HoldStopRow, _STOP, HoldStopRow.at, HoldStopRow.subject == rows.order)
    alone = sa.and_(HoldRow.scope == "order", HoldRow.value == rows.order)
    met = sa.or_(alone, HoldRow.id.in_({stop["hold_id"] for stop in stops}))
    return {"holds": await rows.of(HoldRow, _HOLD, HoldRow.placed_at, met), "stops": stops}


async def _audit(session: AsyncSession, order_id: OrderId) -> dict[str, Document]:
    """The chain in members of ENTRIES_PER_MEMBER. Raises TooMuch."""
    found: dict[str, Document] = {}
    last = 0
    while True:
        query = sa.select(A.seq, A.content, A.hash).where(A.chain == order_id, A.seq > last).order_by(A.seq)
        rows = list(await session.execute(query.limit(ENTRIES_PER_MEMBER)))
        if not rows and found:
            return found
        entries = [{"seq": each.seq, "hash": each.hash, "content": each.content} for each in rows]
        found[f"audit-{len(found) + 1}.json" if found else "audit.json"] = {"entries": entries}
        if len(rows) < ENTRIES_PER_MEMBER:
            return found
        last = rows[-1].seq
        if last > ROWS_LIMIT:
            raise TooMuch(A.__tablename__)


async def read_evidence(session: AsyncSession, order_id: OrderId) -> list[Document]:
    """Evidence by digest, kind, size and time; case files that were made before are not evidence."""
    objects = await _Rows(session, order_id).of(EvidenceRow, _OBJECT, EvidenceRow.at)
    return [
        {"sha256": each.pop("digest"), **each, "member": None} for each in objects if each["kind"] != EXPORT
    ]


async def read_identity(session: AsyncSession, order_id: OrderId) -> Document:
    """The applicant in clear, or that it was destroyed (R8.2). Record the reveal first (R9.1)."""
    orders = Store().orders
    document, contact = await orders.document(session, order_id), await orders.contact(session, order_id)
    members: Document = {"order": str(order_id), "destroyed": contact is None}
    if document is not None:
        members |= {
            "name": document.name,
            "number": document.number,
            "document_address": document.address,
        }
    if contact is not None:
        members |= {
            "contact_phone": str(contact.phone),
            "recipient": contact.recipient,
            "address": contact.address,
        }
    return members


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value
