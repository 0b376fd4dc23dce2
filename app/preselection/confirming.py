"""What was read is shown to the applicant, who confirms it as it is or takes pictures again (R1.4)."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import TypeAdapter

from activation.adapters.sql.fields import FieldKeys
from activation.adapters.sql.orders import Document
from activation.adapters.sql.store import Store
from activation.evidence import CaptureKind, CapturesMeasured
from activation.ids import Digest, OrderId
from activation.normal import normal_number
from activation.order import OrderState
from app.preselection.capturing import today
from app.preselection.consents import FOR_SUBMISSION, ConsentKind, given_consents
from app.preselection.stored import StoredCaptures, fresh_captures, whole_years
from app.services import Services
from media.captures import compare_faces
from media.documents.readings import BackReading, FrontReading


@dataclass(frozen=True, repr=False)
class ReadingShown:
    """digest: stands for exactly these three captures and what was read from them."""

    front: FrontReading
    back: BackReading
    digest: Digest


@dataclass(frozen=True)
class CapturesWanted:
    missing: tuple[CaptureKind, ...]


@dataclass(frozen=True)
class ConsentsWanted:
    missing: tuple[ConsentKind, ...]


class ConfirmRefusal(StrEnum):
    """READING_CHANGED: a capture was taken again since. NUMBER_GONE: its half hour is over."""

    WRONG_STATE = "wrong_state"
    READING_CHANGED = "reading_changed"
    NUMBER_GONE = "number_gone"


async def show_reading(services: Services, order_id: OrderId) -> ReadingShown | CapturesWanted:
    """The applicant's own data, for the applicant only."""
    async with services.readers() as session:
        captures = await fresh_captures(session, order_id)
    front, back = captures.front, captures.back
    if front is None or back is None or captures.missing:
        return CapturesWanted(captures.missing)
    return ReadingShown(front, back, reading_digest(services.keys.fields, captures))


async def confirm_reading(
    services: Services, order_id: OrderId, digest: str
) -> OrderState | ConfirmRefusal | CapturesWanted | ConsentsWanted:
    """Fact, state and the work that follows in one transaction; then nobody can change a reading."""
    async with services.sessions.begin() as session:
        order = await Store().orders.lock(session, order_id)
        if order.state is not OrderState.DRAFT:
            return ConfirmRefusal.WRONG_STATE
        given = await given_consents(session, order_id)
        if unsaid := tuple(kind for kind in FOR_SUBMISSION if kind not in given):
            return ConsentsWanted(unsaid)
        captures = await fresh_captures(session, order_id)
        if captures.missing:
            return CapturesWanted(captures.missing)
        if not hmac.compare_digest(reading_digest(services.keys.fields, captures), digest):
            return ConfirmRefusal.READING_CHANGED
        document, fact = _evidence(captures, services.keys.fields, services.clock())
        if not await services.flow.submit(session, order_id, document, fact):
            return ConfirmRefusal.NUMBER_GONE
        return OrderState.SUBMITTED


def reading_digest(keys: FieldKeys, captures: StoredCaptures) -> Digest:
    """Keyed hash of what was read from which pictures; changes with every capture that is taken again."""
    readings = {
        kind.value: [each.media, TypeAdapter(type(each.reading)).dump_python(each.reading, mode="json")]
        for kind, each in captures.by_kind.items()
    }
    return keys.digest("reading", json.dumps(readings, sort_keys=True))


def _evidence(captures: StoredCaptures, keys: FieldKeys, now: datetime) -> tuple[Document, CapturesMeasured]:
    """What is kept in clear for the registry, and the fact that holds no personal data."""
    front, back, handheld = captures.front, captures.back, captures.handheld
    if front is None or back is None or handheld is None:
        raise ValueError("three captures make evidence")
    day = today(now)
    document = Document(front.name, front.number, front.address)
    fact = CapturesMeasured(
        at=now,
        identity=document.identity,
        handheld_number=keys.digest("number", normal_number(handheld.number)),
        comparisons=compare_faces(captures.faces),
        age_years=whole_years(front.birth_date, day),
        valid_today=back.valid_from <= day and (back.valid_to is None or day <= back.valid_to),
        bareheaded=handheld.bareheaded,
        media=captures.media,
    )
    return document, fact
