"""Taking one capture: measured in a worker, compared with those before, sealed in the vault, written down.

Captures may be taken in any order and again until the applicant confirms. One that disagrees with the front
is refused; a new front throws out what disagrees with it, so that everybody can start over with another card.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit import note
from activation.adapters.sql.engine import insert_if_absent
from activation.adapters.sql.orders import OrderGone
from activation.adapters.sql.store import Store
from activation.adapters.sql.tables import EvidenceRow
from activation.evidence import CaptureKind
from activation.ids import Digest, OrderId
from activation.order import OrderState
from activation.order_keys import order_keys
from app.access.rates import CAPTURES_PER_ORDER
from app.compliance.retention.face_keys import face_key_id
from app.compliance.retention.legal_holds import LegalHolds
from app.compliance.retention.tables import TombstoneRow
from app.preselection.consents import FOR_CAPTURES, ConsentKind, given_consents
from app.preselection.opening import TooOften
from app.preselection.stored import (
    StoredCaptures,
    drop_captures,
    fresh_captures,
    load_captures,
    save_capture,
    submitted_media,
)
from app.services import Services
from media.captures import CaptureBusy, CaptureCode, CaptureMeasured, CaptureRefused, compare_captures
from media.documents.readings import DocumentRefusal
from media.vault import VaultBusy, VaultFault

#: Documents and ages go by the calendar of the country that issues them.
CALENDAR = ZoneInfo("Asia/Shanghai")
JPEG = "image/jpeg"

_log = structlog.get_logger("kaika.captures")


class CaptureStop(StrEnum):
    WRONG_STATE = "wrong_state"
    BUSY = "busy"


@dataclass(frozen=True)
class ConsentWanted:
    missing: tuple[ConsentKind, ...]


@dataclass(frozen=True)
class CaptureTaken:
    """captures: all of the order's, with the new one. thrown_out: kinds that disagreed with a new front."""

    kind: CaptureKind
    captures: StoredCaptures
    thrown_out: tuple[CaptureKind, ...]


CaptureAnswer = CaptureTaken | CaptureCode | CaptureStop | ConsentWanted | TooOften


async def take_capture(
    services: Services, order_id: OrderId, kind: CaptureKind, data: bytes
) -> CaptureAnswer:
    """R3.1. Nothing is looked at before the consents are there (R9.4)."""
    seconds = await services.rates.wait_for(CAPTURES_PER_ORDER, order_id)
    if seconds is not None:
        return TooOften(seconds)
    stop = await why_not_now(services, order_id)
    if stop is not None:
        return stop
    minimum_age = services.policy.minimum_age
    measured = await services.captures.measure(kind, data, today(services.clock()), minimum_age)
    match measured:
        case CaptureBusy():
            return CaptureStop.BUSY
        case CaptureRefused(code=code):
            return code
        case CaptureMeasured():
            return await _keep(services, order_id, measured)


def today(now: datetime) -> date:
    return now.astimezone(CALENDAR).date()


async def why_not_now(services: Services, order_id: OrderId) -> CaptureStop | ConsentWanted | None:
    """None: a capture may be given."""
    async with services.readers() as session:
        order = await Store().orders.read(session, order_id)
        given = await given_consents(session, order_id)
    if order is None or order.state is not OrderState.DRAFT:
        return CaptureStop.WRONG_STATE
    missing = tuple(kind for kind in FOR_CAPTURES if kind not in given)
    return ConsentWanted(missing) if missing else None


async def _keep(services: Services, order_id: OrderId, measured: CaptureMeasured) -> CaptureAnswer:
    """Vault first: a row never names evidence that is not there."""
    kind = measured.kind
    try:
        media = await services.vault.put(order_id, kind, JPEG, measured.jpeg)
    except VaultBusy:
        return CaptureStop.BUSY
    await order_keys().create(face_key_id(order_id))  # outside of the transaction, which then finds it
    try:
        return await _write_down(services, order_id, measured, media)
    except OrderGone:
        # R8.2: destroyed while the picture was measured, so the key is of an order that has none any more.
        await order_keys().destroy(face_key_id(order_id))
        raise


async def _write_down(
    services: Services, order_id: OrderId, measured: CaptureMeasured, media: Digest
) -> CaptureAnswer:
    """Raises OrderGone, also where destruction has only begun."""
    kind, now = measured.kind, services.clock()
    async with services.sessions.begin() as session:
        order = await Store().orders.lock(session, order_id)
        if await session.get(TombstoneRow, order_id) is not None:
            raise OrderGone("the order's data are being destroyed")
        given = await given_consents(session, order_id)
        missing = tuple(kind for kind in FOR_CAPTURES if kind not in given)
        before = await load_captures(session, order_id)
        others = (await fresh_captures(session, order_id)).without([kind])
        refusal, thrown_out = _agreement(measured, others)
        if order.state is OrderState.DRAFT and refusal is None and not missing:
            await drop_captures(session, order_id, thrown_out)
            await save_capture(session, order_id, measured, now)
            await _note_evidence(session, order_id, measured, media, now)
            await note(
                session, order_id, "capture.accepted", "R3.1", kind=kind, digest=media, thrown_out=thrown_out
            )
        after = await load_captures(session, order_id)
        kept = {*after.media, *await submitted_media(session, order_id)}
        fresh = await fresh_captures(session, order_id)
    await _destroy(services, order_id, {*before.media, media} - kept)
    if order.state is not OrderState.DRAFT:
        return CaptureStop.WRONG_STATE
    if missing:  # taken back while the picture was measured (R9.4)
        return ConsentWanted(missing)
    return refusal or CaptureTaken(kind, fresh, thrown_out)


def _agreement(
    new: CaptureMeasured, others: StoredCaptures
) -> tuple[DocumentRefusal | None, tuple[CaptureKind, ...]]:
    """Why the new capture is refused, or which of the others it throws out."""
    if Digest(new.digest) in others.media:
        return DocumentRefusal.SAME_IMAGE_TWICE, ()
    if new.kind is CaptureKind.ID_FRONT:
        back = compare_captures(new.front, others.back)
        held = compare_captures(new.front, None, others.handheld.number if others.handheld else None)
        pairs = ((back, CaptureKind.ID_BACK), (held, CaptureKind.HANDHELD))
        return None, tuple(kind for refusal, kind in pairs if refusal is not None)
    number = new.handheld.number if new.handheld else None
    return compare_captures(others.front, new.back, number), ()


async def _note_evidence(
    session: AsyncSession, order_id: OrderId, measured: CaptureMeasured, media: Digest, at: datetime
) -> None:
    await insert_if_absent(
        session,
        EvidenceRow,
        digest=media,
        order_id=order_id,
        kind=measured.kind,
        media_type=JPEG,
        size=len(measured.jpeg),
        at=at,
    )


async def _destroy(services: Services, order_id: OrderId, unused: Iterable[Digest]) -> None:
    """Pictures that were replaced or refused are kept by nobody (R9.1) but a legal hold (R8.1).

    A fault here costs only room.
    """
    for digest in unused:
        try:
            async with services.sessions.begin() as session:
                await Store().orders.lock(session, order_id)
                if await LegalHolds().stands(session, order_id):
                    return
                row = await session.get(EvidenceRow, (digest, order_id))
                if row is not None:
                    await session.delete(row)
                    await note(session, order_id, "evidence.destroyed", "R9.1", "replaced", digest=digest)
            await services.vault.destroy(order_id, digest)
        except VaultFault:
            _log.warning("evidence not destroyed", order=order_id)
