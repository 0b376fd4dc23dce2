"""Accepted captures in the database: what was read, and the faces as embeddings, both sealed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np
import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from activation.adapters.sql.facts import FactLog
from activation.adapters.sql.sealed import seal, unseal
from activation.adapters.sql.tables import CaptureRow
from activation.evidence import (
    CaptureKind,
    CapturesMeasured,
    FaceConsent,
    FaceSource,
    Facts,
    ModelRef,
    ReviewDecision,
    ReviewOutcome,
    ReviewStage,
)
from activation.ids import Digest, OrderId
from activation.order_keys import order_keys
from app.compliance.retention.face_keys import face_key_id
from app.compliance.retention.face_rows import templates_held
from media.captures import CaptureMeasured, FaceMeasured, HandheldReading
from media.documents.readings import BackReading, FrontReading

Reading = FrontReading | BackReading | HandheldReading

_ADAPTERS: dict[CaptureKind, TypeAdapter[Reading]] = {
    CaptureKind.ID_FRONT: TypeAdapter(FrontReading),
    CaptureKind.ID_BACK: TypeAdapter(BackReading),
    CaptureKind.HANDHELD: TypeAdapter(HandheldReading),
}

_READING, _EMBEDDINGS = "captures.reading", "captures.embeddings"


@dataclass(frozen=True)
class StoredCapture:
    """media: digest of the picture in the vault. `faces` have no crops; those are in the picture."""

    kind: CaptureKind
    media: Digest
    reading: Reading = field(repr=False)
    faces: tuple[FaceMeasured, ...] = field(repr=False)
    at: datetime


@dataclass(frozen=True)
class StoredCaptures:
    """An order's newest accepted capture of each kind."""

    by_kind: Mapping[CaptureKind, StoredCapture]

    @property
    def front(self) -> FrontReading | None:
        found = self._reading(CaptureKind.ID_FRONT)
        return found if isinstance(found, FrontReading) else None

    @property
    def back(self) -> BackReading | None:
        found = self._reading(CaptureKind.ID_BACK)
        return found if isinstance(found, BackReading) else None

    @property
    def handheld(self) -> HandheldReading | None:
        found = self._reading(CaptureKind.HANDHELD)
        return found if isinstance(found, HandheldReading) else None

    @property
    def faces(self) -> tuple[FaceMeasured, ...]:
        return tuple(face for each in self.by_kind.values() for face in each.faces)

    @property
    def media(self) -> tuple[Digest, ...]:
        """Digests in the order of `CaptureKind`."""
        return tuple(self.by_kind[kind].media for kind in CaptureKind if kind in self.by_kind)

    @property
    def missing(self) -> tuple[CaptureKind, ...]:
        return tuple(kind for kind in CaptureKind if kind not in self.by_kind)

    def without(self, kinds: Iterable[CaptureKind]) -> StoredCaptures:
        dropped = set(kinds)
        return StoredCaptures({kind: each for kind, each in self.by_kind.items() if kind not in dropped})

    def _reading(self, kind: CaptureKind) -> Reading | None:
        found = self.by_kind.get(kind)
        return found.reading if found else None


async def load_captures(session: AsyncSession, order_id: OrderId) -> StoredCaptures:
    """Everything accepted for an order; also what video check and courier's photo are compared with.

    Nothing of an order whose data were destroyed (R8.2).
    """
    rows = await session.scalars(sa.select(CaptureRow).where(CaptureRow.order_id == order_id))
    found = [await _capture(row) for row in rows]
    return StoredCaptures({each.kind: each for each in found if each is not None})


async def fresh_captures(session: AsyncSession, order_id: OrderId) -> StoredCaptures:
    """Those that may be confirmed: none from before a reviewer asked for new ones (R1.4)."""
    captures = await load_captures(session, order_id)
    facts = await FactLog().load(session, order_id)
    asked = new_captures_asked_at(facts)
    return captures.without(kind for kind, each in captures.by_kind.items() if asked and each.at <= asked)


async def submitted_media(session: AsyncSession, order_id: OrderId) -> frozenset[Digest]:
    """Pictures that evidence speaks of; they stay, whatever is taken again."""
    facts = await FactLog().load(session, order_id)
    return frozenset(
        digest for fact in facts.evidence if isinstance(fact, CapturesMeasured) for digest in fact.media
    )


def new_captures_asked_at(facts: Facts) -> datetime | None:
    """When a reviewer last asked for new captures, or the applicant let go of them (R9.4); None: never."""
    asked = [
        fact.at
        for fact in facts.evidence
        if (isinstance(fact, FaceConsent) and not fact.given)
        or (
            isinstance(fact, ReviewDecision)
            and fact.stage is ReviewStage.SHIP
            and fact.outcome is ReviewOutcome.NEW_CAPTURE
        )
    ]
    return max(asked, default=None)


async def save_capture(
    session: AsyncSession, order_id: OrderId, measured: CaptureMeasured, at: datetime
) -> None:
    """In place of the one of its kind before. The caller holds the order's row."""
    reading = measured.front or measured.back or measured.handheld
    if reading is None:
        raise ValueError("a measured capture has a reading")
    adapter = _ADAPTERS[measured.kind]
    embeddings = json.dumps({face.source: _write_face(face) for face in measured.faces})
    # Embeddings have a key of their own, which goes sooner than the order's (R9.4).
    faces = await order_keys().create(face_key_id(order_id))
    row = CaptureRow(
        order_id=order_id,
        kind=measured.kind,
        media_digest=measured.digest,
        reading=await seal(order_id, _READING, adapter.dump_json(reading).decode()),
        embeddings=await seal(faces.order, _EMBEDDINGS, embeddings),
        at=at,
    )
    await session.merge(row)
    if measured.faces:
        await templates_held(session, order_id, at)


async def drop_captures(session: AsyncSession, order_id: OrderId, kinds: Iterable[CaptureKind]) -> None:
    """They have to be taken again."""
    await session.execute(
        sa.delete(CaptureRow).where(CaptureRow.order_id == order_id, CaptureRow.kind.in_(list(kinds)))
    )


def whole_years(born: date, today: date) -> int:
    """Age in whole years."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


async def _capture(row: CaptureRow) -> StoredCapture | None:
    kind, order = CaptureKind(row.kind), OrderId(row.order_id)
    reading = await unseal(order, _READING, row.reading)
    if reading is None:
        return None
    # b"": let go, and nothing is left to open.
    embeddings = await unseal(face_key_id(order), _EMBEDDINGS, row.embeddings or None)
    faces = tuple(_read_face(source, kept) for source, kept in json.loads(embeddings or "{}").items())
    return StoredCapture(
        kind, Digest(row.media_digest), _ADAPTERS[kind].validate_json(reading), faces, row.at
    )


def _write_face(face: FaceMeasured) -> dict[str, object]:
    model = {"name": face.model.name, "version": face.model.version, "sha256": face.model.sha256}
    return {"vector": [float(value) for value in face.embedding], "size": float(face.size), "model": model}


def _read_face(source: str, kept: Mapping[str, object]) -> FaceMeasured:
    vector = np.asarray(kept["vector"], dtype=np.float32)
    model = TypeAdapter(ModelRef).validate_python(kept["model"])
    size = TypeAdapter(float).validate_python(kept["size"])
    return FaceMeasured(FaceSource(source), vector, b"", size, model)
