"""Captures that come through the storage: a form for the phone, then the same road as any other capture.

The upload's row says whose it is and lets one request take it. What was looked at is removed from
quarantine, accepted or not; what could not be looked at just now may be taken again. Withdrawn consent
removes what waits.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from activation.adapters.sql.audit import note
from activation.evidence import CaptureKind
from activation.ids import Digest, OrderId
from app.access.rates import CAPTURES_PER_ORDER, TAKES_PER_ORDER
from app.preselection.capturing import (
    CaptureAnswer,
    CaptureStop,
    ConsentWanted,
    take_capture,
    why_not_now,
)
from app.preselection.opening import TooOften
from app.preselection.upload_removal import remove_upload
from app.preselection.upload_tables import UploadRow
from app.services import Services
from media.images import MAX_BYTES
from media.uploads import FORM_SECONDS, Quarantine, UploadForm
from media.vault import VaultBusy

#: So long an upload may be taken; then it is swept.
TAKE_WITHIN = timedelta(hours=1)
_ID_BYTES = 12


class UploadStop(StrEnum):
    NOT_OFFERED = "not_offered"  # there is no bucket for it
    UNKNOWN = "unknown"  # or over, or somebody else's
    TAKEN = "taken"
    MISSING = "missing"  # nothing has arrived
    CHANGED = "changed"  # other bytes than were announced
    TOO_LARGE = "too_large"


@dataclass(frozen=True)
class UploadOffered:
    id: str
    form: UploadForm
    expires_at: datetime


OfferAnswer = UploadOffered | UploadStop | CaptureStop | ConsentWanted | TooOften


async def offer_upload(
    services: Services, order_id: OrderId, kind: CaptureKind, media_type: str, digest: Digest | None
) -> OfferAnswer:
    """R3.1; no form before the consents are there (R9.4). digest: SHA-256 of the picture, if announced."""
    quarantine = services.quarantine
    if quarantine is None:
        return UploadStop.NOT_OFFERED
    seconds = await services.rates.wait_for(CAPTURES_PER_ORDER, order_id)
    if seconds is not None:
        return TooOften(seconds)
    stop = await why_not_now(services, order_id)
    if stop is not None:
        return stop
    row = UploadRow(
        id=f"upl_{secrets.token_hex(_ID_BYTES)}",
        order_id=order_id,
        kind=kind,
        media_type=media_type,
        sha256=digest,
        opened_at=services.clock(),
        taken_at=None,
    )
    async with services.sessions.begin() as session:
        session.add(row)
        await note(session, order_id, "upload.offered", "R3.1", kind=kind, upload=row.id)
    return await _offered(quarantine, row, FORM_SECONDS)


async def offer_again(services: Services, order_id: OrderId, upload_id: str) -> OfferAnswer:
    """The same form once more, as long as it is good; forms are signed anew, never stored.

    No form for what nobody would look at: an upload that was taken, an order that takes no captures now.
    """
    row = await _find(services, order_id, upload_id)
    if services.quarantine is None or row is None or row.taken_at is not None:
        return UploadStop.UNKNOWN
    left = FORM_SECONDS - int((services.clock() - row.opened_at).total_seconds())
    if left <= 0:
        return UploadStop.UNKNOWN
    stop = await why_not_now(services, order_id)
    return stop if stop is not None else await _offered(services.quarantine, row, left)


async def take_upload(services: Services, order_id: OrderId, upload_id: str) -> CaptureAnswer | UploadStop:
    """What the phone has uploaded, as a capture of the order."""
    quarantine = services.quarantine
    if quarantine is None:
        return UploadStop.NOT_OFFERED
    row = await _find(services, order_id, upload_id)
    if row is None:
        return UploadStop.UNKNOWN
    seconds = await services.rates.wait_for(TAKES_PER_ORDER, order_id)
    if seconds is not None:
        return TooOften(seconds)
    if not await _claim(services, upload_id):
        return UploadStop.TAKEN
    over = False
    try:
        answer = await _take(services, quarantine, row)
        over = not _may_wait(answer)
        return answer
    except VaultBusy:
        return CaptureStop.BUSY
    finally:
        if over:
            await remove_upload(quarantine, order_id, upload_id)
        else:
            await _release(services, upload_id)


def _may_wait(answer: CaptureAnswer | UploadStop) -> bool:
    """True where the picture was not looked at just now, and may be taken later.

    Not where a consent is wanted: it was there when the form was given out, so it was taken back (R9.4).
    """
    return isinstance(answer, TooOften) or answer in (CaptureStop.BUSY, UploadStop.MISSING)


async def _take(services: Services, quarantine: Quarantine, row: UploadRow) -> CaptureAnswer | UploadStop:
    order_id = OrderId(row.order_id)
    stop = await why_not_now(services, order_id)
    if stop is not None:  # then it is not even fetched
        return stop
    async with quarantine.fetched(order_id, row.id) as data:
        if data is None:
            return UploadStop.MISSING
        if len(data) > MAX_BYTES:
            return UploadStop.TOO_LARGE
        if row.sha256 is not None and await asyncio.to_thread(_digest, data) != row.sha256:
            return UploadStop.CHANGED
        return await take_capture(services, order_id, CaptureKind(row.kind), data)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def _offered(quarantine: Quarantine, row: UploadRow, seconds: int) -> UploadOffered | CaptureStop:
    digest = None if row.sha256 is None else Digest(row.sha256)
    try:
        form = await quarantine.offer(OrderId(row.order_id), row.id, row.media_type, digest, seconds=seconds)
    except VaultBusy:
        return CaptureStop.BUSY
    return UploadOffered(row.id, form, row.opened_at + timedelta(seconds=FORM_SECONDS))


async def _find(services: Services, order_id: OrderId, upload_id: str) -> UploadRow | None:
    async with services.readers() as session:
        row = await session.get(UploadRow, upload_id)
    if row is None or row.order_id != order_id or row.opened_at < services.clock() - TAKE_WITHIN:
        return None
    return row


async def _claim(services: Services, upload_id: str) -> bool:
    """True for one of several who ask at once."""
    taking = sa.update(UploadRow).where(UploadRow.id == upload_id, UploadRow.taken_at.is_(None))
    async with services.sessions.begin() as session:
        result = await session.execute(taking.values(taken_at=services.clock()))
    return int(getattr(result, "rowcount", 0)) == 1


async def _release(services: Services, upload_id: str) -> None:
    async with services.sessions.begin() as session:
        await session.execute(sa.update(UploadRow).where(UploadRow.id == upload_id).values(taken_at=None))
