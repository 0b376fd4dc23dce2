"""A copy of what is held about an applicant, as a ZIP file that is made while it is sent.

Holds what they gave and what was read from it, their pictures and clips, and where their data went. Not
what was measured or decided: whoever pretends to be somebody must not learn what gave them away.
"""

from __future__ import annotations

import asyncio
import json
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from io import RawIOBase
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.audit import note
from activation.adapters.sql.store import Store
from activation.adapters.sql.tables import ConsentRow
from activation.ids import Digest, OrderId
from app.access.codes import OneTimeCodes
from app.compliance.retention.due import standing_of
from app.compliance.retention.media import known_media
from app.compliance.retention.rules import destroyed_from
from app.compliance.retention.tables import FaceTemplateRow
from app.compliance.subjects.requests import RequestAnswer, RequestKind, Requests, RequestState
from app.preselection.stored import Reading, load_captures
from app.services import Services
from app.texts.consents import CONSENT_TEXTS
from logistics.deliveries import Deliveries
from media.captures import HandheldReading
from media.documents.readings import BackReading, FrontReading
from media.vault import EvidenceNotFound, Stored, Vault

MEDIA_TYPE = "application/zip"
#: Copies under way at once in one process; each holds one chunk of one object.
AT_ONCE = 2
_SUFFIXES = {"image/jpeg": "jpg", "video/webm": "webm"}
_LATER_IN_THE_FILE = frozenset({"check_manifest", "export"})  # measurements; exports for supervision
_room = asyncio.Semaphore(AT_ONCE)


class CopyBusy(Exception):
    """AT_ONCE copies are being made already."""


@dataclass(frozen=True)
class CopyGranted:
    """objects: what goes into the copy beside `about`, the JSON document."""

    about: dict[str, Any]
    objects: tuple[Stored, ...]


async def grant_copy(
    services: Services, order_id: OrderId, request_id: str, code: str
) -> CopyGranted | RequestAnswer | None:
    """R9.1: with a fresh one-time code; recorded before anything is shown.

    None: the code was not accepted. COPY_GIVEN, DESTROYED …: there is no open request for a copy. Raises
    CopyBusy before anything is used up.
    """
    if _room.locked():
        raise CopyBusy
    now, requests = services.clock(), Requests()
    async with services.sessions.begin() as session:
        asked = await requests.read(session, order_id, request_id)
        if asked is None or asked.kind is not RequestKind.ACCESS or asked.state is not RequestState.OPEN:
            return asked.answer if asked else RequestAnswer.DESTROYED
        if not await OneTimeCodes(services.keys.fields).accept(session, order_id, code, now):
            return None
        about = await _about(session, order_id)
        media = await known_media(session, order_id)
        await requests.close(
            session, order_id, RequestKind.ACCESS, RequestState.DONE, RequestAnswer.COPY_GIVEN, now
        )
        await note(session, order_id, "export.made", "R9.1", "the applicant asked", request=request_id)
    return CopyGranted(about, tuple([each async for each in _described(services.vault, order_id, media)]))


async def copy_of(services: Services, granted: CopyGranted) -> AsyncIterator[bytes]:
    """The ZIP file in pieces; waits for its turn. A fault breaks the file off."""
    async with _room:
        sink = _Sink()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
            text = json.dumps(granted.about, ensure_ascii=False, indent=1, default=_written)
            await asyncio.to_thread(archive.writestr, "about.json", text)
            yield sink.drain()
            for stored in granted.objects:
                with archive.open(_name(stored), "w", force_zip64=True) as member:
                    async for piece in services.vault.read(stored.order, stored.digest):
                        await asyncio.to_thread(member.write, piece)
                        yield sink.drain()
        yield sink.drain()


async def _described(vault: Vault, order_id: OrderId, media: tuple[Digest, ...]) -> AsyncIterator[Stored]:
    for digest in media:
        try:
            stored = await vault.describe(order_id, digest)
        except EvidenceNotFound:  # let go since it was named (R9.4)
            continue
        if stored.kind not in _LATER_IN_THE_FILE:
            yield stored


async def _about(session: AsyncSession, order_id: OrderId) -> dict[str, Any]:
    store = Store()
    order, contact = await store.orders.read(session, order_id), await store.orders.contact(session, order_id)
    document = await store.orders.document(session, order_id)
    captures = await load_captures(session, order_id)
    if order is None or contact is None:
        raise LookupError("no such order")
    until = destroyed_from(await standing_of(session, order))
    templates = await session.get(FaceTemplateRow, order_id)
    return {
        "order": {
            "id": order.id,
            "state": order.state,
            "number": order.msisdn,
            "card": order.iccid,
            "opened_at": order.created_at,
            "changed_at": order.changed_at,
        },
        "contact": {
            "phone": contact.phone,
            "recipient": contact.recipient,
            "address": contact.address,
            "region": contact.region,
        },
        "document": document
        and {
            "name": document.name,
            "number": document.number,
            "address": document.address,
        },
        "read_from_pictures": {kind: _read(each.reading) for kind, each in captures.by_kind.items()},
        "face_templates": None if templates is None else {"since": templates.since},
        "consents": await _consents(session, order_id),
        "parcel": await _parcel(session, order_id),
        "given_to": ["national citizen identity number service (comparison only)", "carrier of the parcel"],
        "destroyed_from": until,
    }


def _read(reading: Reading) -> dict[str, Any]:
    """What a picture says of its owner, and nothing of how surely it was read."""
    members: tuple[str, ...]
    match reading:
        case FrontReading():
            members = ("name", "sex", "ethnicity", "birth_date", "address", "number")
        case BackReading():
            members = ("authority", "valid_from", "valid_to")
        case HandheldReading():
            members = ("number",)
    return {name: getattr(reading, name) for name in members}


async def _consents(session: AsyncSession, order_id: OrderId) -> list[dict[str, Any]]:
    rows = await session.scalars(
        sa.select(ConsentRow).where(ConsentRow.order_id == order_id).order_by(ConsentRow.id)
    )
    return [
        {
            "kind": row.kind,
            "version": row.version,
            "text_sha256": row.text_digest,
            "title": CONSENT_TEXTS[row.kind][0].zh,
            "given": row.given,
            "at": row.at,
        }
        for row in rows
    ]


async def _parcel(session: AsyncSession, order_id: OrderId) -> dict[str, Any] | None:
    deliveries = Deliveries()
    parcel = await deliveries.of_order(session, order_id)
    if parcel is None:
        return None
    recipient, address = await deliveries.recipient(session, parcel.id)
    events = await deliveries.events(session, parcel.id)
    return {
        "waybill": parcel.waybill,
        "carrier": parcel.carrier,
        "recipient": recipient,
        "address": address,
        "events": [{"event": each.event, "at": each.happened_at} for each in events],
    }


def _written(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _name(stored: Stored) -> str:
    suffix = _SUFFIXES.get(stored.media_type, "bin")
    return f"media/{stored.kind}-{stored.digest[:12]}.{suffix}"


class _Sink(RawIOBase):
    """Where the ZIP file is written: a few chunks, handed on before there are more."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def drain(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
