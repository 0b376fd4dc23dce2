"""Face templates and pictures of faces: held as shortly as their purpose lasts, counted, and let go (R9.4).

forget_faces  1 what may go: the rows of templates always, pictures where no legal duty holds them
              2 the key of the templates: now no copy opens, in whatever backup
              3 the pictures
              4 their rows, and the entry in the audit trail

A consent may be given again at any moment. Before step 1 it keeps what is there; after it, what was there
goes and what was taken since stays, but for templates that were sealed before step 2 under the key that
goes: those have to be taken again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict

import sqlalchemy as sa
import structlog
from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.audit import AuditEntryRow as E
from activation.adapters.sql.audit import note
from activation.adapters.sql.facts import FactLog
from activation.adapters.sql.orders import OrderView
from activation.adapters.sql.sealed import unseal
from activation.adapters.sql.store import Store
from activation.adapters.sql.tables import CaptureRow, EvidenceRow, OrderRow
from activation.evidence import CaptureKind, CapturesMeasured
from activation.ids import Digest, OrderId
from activation.order import OrderState as S
from activation.order_keys import Unreadable, order_keys
from activation.ports import Clock, StoreFault, Work
from app.compliance.retention.face_keys import face_key_id
from app.compliance.retention.face_rows import FORGET_FACES
from app.compliance.retention.legal_holds import LegalHolds, standing_hold
from app.compliance.retention.media import known_media
from app.compliance.retention.rules import TEMPLATES_AFTER_ACTIVATION
from app.compliance.retention.tables import FaceTemplateRow as T
from media.vault import EvidenceNotFound, Vault, VaultFault

#: Where the pictures stay while the templates go: once service begins they are registration material (R8.1),
#: and a refusal may be disputed for as long as its rule says (`rules.PERIODS`).
PICTURES_STAY = frozenset({S.ACTIVATING, S.ACTIVE, S.ENDED, S.REFUSED})
#: Whose templates are let go in one pass.
BATCH = 500
_DOCUMENTS = frozenset({"id_front", "id_back", "check_manifest"})
#: Captures with templates. The front is a document; its template is of the portrait on it.
_WITH_TEMPLATES = (CaptureKind.ID_FRONT, CaptureKind.HANDHELD)
#: Kinds of stored captures that show the applicant's face.
_COUNTED = ("id_front", "handheld", "courier_photo")

HELD = Gauge("kaika_faces_held", "Orders of whose applicant a face picture or template is held")
LIMIT = Gauge("kaika_faces_limit", "From so many on the holder must report to the authority")
_log = structlog.get_logger("kaika.faces")


def shows_face(kind: str) -> bool:
    """Whether objects of a kind exist for the sake of the face in them; a document's scan does not."""
    return kind not in _DOCUMENTS


class Going(TypedDict):
    """withdrawn_at: ISO 8601; None: the templates have served. pictures: digests; those of faces go.

    fronts: of documents that go as well, because they have to be taken again.
    """

    withdrawn_at: str | None
    pictures: list[str]
    fronts: list[str]


@dataclass(frozen=True)
class FacesHeld:
    held: int
    limit: int

    @property
    def alarm(self) -> bool:
        return self.held >= self.limit


@dataclass(frozen=True)
class Faces:
    """limit: number of people from which on holders of face data report themselves (100,000 in China)."""

    work: Work
    clock: Clock
    sessions: async_sessionmaker[AsyncSession]
    readers: async_sessionmaker[AsyncSession]
    vault: Vault
    limit: int
    store: Store = field(default_factory=Store)

    # Letting go

    async def forget(self, order_id: OrderId, *_why: str) -> None:
        """The mission. A legal hold stops it; the nights after the hold is lifted take it up again."""
        going = await self.work.write("forget_faces.1 what may go", lambda s: self._begin(s, order_id))
        if going is None:
            return
        if not await self.work.ask("forget_faces.2 key", lambda: self._key(order_id)):
            return
        if not await self.work.ask("forget_faces.3 pictures", lambda: self._pictures(order_id, going)):
            return
        await self.work.write("forget_faces.4 rows", lambda s: self._rows(s, order_id, going))

    async def begin_expired(self, session: AsyncSession) -> int:
        """Enqueue for up to BATCH orders whose templates have served, or were withdrawn and held."""
        now, ids = self.clock(), await self.expired(session)
        for order_id in ids:
            await self.work.enqueue(session, FORGET_FACES, order_id, f"{now:%Y%m%dT%H%M}")
        return len(ids)

    async def expired(self, session: AsyncSession) -> list[OrderId]:
        """Up to BATCH orders whose templates may go now."""
        now = self.clock()
        served = sa.and_(
            OrderRow.state.in_((S.ACTIVE, S.ENDED)), OrderRow.changed_at <= now - TEMPLATES_AFTER_ACTIVATION
        )
        found = await session.scalars(
            sa.select(T.order_id)
            .join(OrderRow, OrderRow.id == T.order_id)
            .where(sa.or_(T.withdrawn_at.is_not(None), served), sa.not_(standing_hold(T.order_id)))
            .limit(BATCH)
        )
        return [OrderId(each) for each in found]

    async def _begin(self, session: AsyncSession, order_id: OrderId) -> Going | None:
        """None: nothing may go. Whatever is there now was taken under consents that are withdrawn."""
        if await self.store.orders.read(session, order_id) is None:
            return None
        order = await self.store.orders.lock(session, order_id)
        template = await session.get(T, order_id, populate_existing=True)
        if template is None or await LegalHolds().stands(session, order_id):
            return None
        withdrawn = template.withdrawn_at
        if withdrawn is None and not self._have_served(order):
            return None  # the consent was given again
        pictures: list[str] = []
        fronts: list[str] = []
        if withdrawn is not None and order.state not in PICTURES_STAY:
            pictures = list(await known_media(session, order_id))
            fronts = await self._captures(session, order)
        # The readings of a confirmed document stay; without their key the vectors are noise, which goes.
        await session.execute(
            sa.update(CaptureRow).where(CaptureRow.order_id == order_id).values(embeddings=b"")
        )
        return {
            "withdrawn_at": withdrawn.isoformat() if withdrawn else None,
            "pictures": pictures,
            "fronts": fronts,
        }

    def _have_served(self, order: OrderView) -> bool:
        over = order.changed_at <= self.clock() - TEMPLATES_AFTER_ACTIVATION
        return order.state in (S.ACTIVE, S.ENDED) and over

    async def _captures(self, session: AsyncSession, order: OrderView) -> list[str]:
        """In a draft all that have templates go, so that they are asked for again; digests of the fronts."""
        kinds = _WITH_TEMPLATES if order.state is S.DRAFT else (CaptureKind.HANDHELD,)
        gone = await session.execute(
            sa.delete(CaptureRow)
            .where(CaptureRow.order_id == order.id, CaptureRow.kind.in_(kinds))
            .returning(CaptureRow.kind, CaptureRow.media_digest)
        )
        fronts = [row.media_digest for row in gone if row.kind == CaptureKind.ID_FRONT]
        facts = (await FactLog().load(session, order.id)).evidence
        confirmed = {each for fact in facts if isinstance(fact, CapturesMeasured) for each in fact.media}
        return [each for each in fronts if each not in confirmed]

    async def _may_go(self, session: AsyncSession, order_id: OrderId) -> bool:
        """R8.1: whether no hold was placed since step 1; none is before the transaction ends."""
        if await self.store.orders.read(session, order_id) is None:
            return True
        await self.store.orders.lock(session, order_id)
        return not await LegalHolds().stands(session, order_id)

    async def _key(self, order_id: OrderId) -> bool:
        """False: a legal hold was placed meanwhile."""
        async with self.sessions.begin() as session:
            if not await self._may_go(session, order_id):
                return False
            await order_keys().destroy(face_key_id(order_id))
        return True

    async def _pictures(self, order_id: OrderId, going: Going) -> bool:
        """False: a legal hold was placed meanwhile; what has not gone stays."""
        async with self.readers() as session:
            retaken = await _named_by_captures(session, order_id)
        for digest in map(Digest, going["pictures"]):
            if digest in retaken:
                continue
            try:
                kind = (await self.vault.describe(order_id, digest)).kind
                if not (shows_face(kind) or digest in going["fronts"]):
                    continue
                async with self.sessions.begin() as session:
                    if not await self._may_go(session, order_id):
                        return False
                    await self.vault.destroy(order_id, digest)
            except EvidenceNotFound:
                continue
            except VaultFault as fault:
                raise StoreFault("the vault did not destroy a picture") from fault
        return True

    async def _rows(self, session: AsyncSession, order_id: OrderId, going: Going) -> None:
        if await self.store.orders.read(session, order_id) is None:
            return
        await self.store.orders.lock(session, order_id)
        if await LegalHolds().stands(session, order_id):
            return
        pictures = going["pictures"]
        gone = set(pictures) - await _named_by_captures(session, order_id)
        goes = sa.or_(EvidenceRow.kind.not_in(_DOCUMENTS), EvidenceRow.digest.in_(going["fronts"]))
        await session.execute(
            sa.delete(EvidenceRow).where(EvidenceRow.order_id == order_id, EvidenceRow.digest.in_(gone), goes)
        )
        templates = await self._that_open(session, order_id)
        row = await session.get(T, order_id, populate_existing=True)
        if row is None:
            return
        seen = datetime.fromisoformat(going["withdrawn_at"]) if going["withdrawn_at"] else None
        if row.withdrawn_at == seen or (row.withdrawn_at is None and not templates):
            await session.delete(row)
        why = "consent withdrawn" if seen else "no longer disputable"
        await note(session, order_id, "faces.destroyed", "R9.4", why, pictures=len(pictures))

    async def _that_open(self, session: AsyncSession, order_id: OrderId) -> int:
        """How many captures have templates. Those that step 2 has made noise have to be taken again."""
        held = sa.select(CaptureRow).where(CaptureRow.order_id == order_id, CaptureRow.embeddings != b"")
        found = 0
        for row in await session.scalars(held.where(CaptureRow.kind.in_(_WITH_TEMPLATES))):
            try:
                clear = await unseal(face_key_id(order_id), "captures.embeddings", row.embeddings)
            except Unreadable:
                clear = None
            if clear is None:
                await session.delete(row)
            else:
                found += 1
        return found

    # Counting

    async def held(self) -> FacesHeld:
        """Orders, so somebody with two orders counts twice: an alarm may come early, never late."""
        of_pictures = sa.select(EvidenceRow.order_id).where(EvidenceRow.kind.in_(_COUNTED))
        everybody = sa.union(of_pictures, sa.select(T.order_id)).subquery()
        async with self.readers() as session:
            held = await session.scalar(sa.select(sa.func.count()).select_from(everybody))
        return FacesHeld(held or 0, self.limit)

    async def count(self) -> None:
        """Gauge, warning, and an entry in the audit trail where the limit is crossed, up or down."""
        found = await self.held()
        HELD.set(found.held)
        LIMIT.set(found.limit)
        if found.alarm:
            _log.warning("as many faces are held as must be reported", held=found.held, limit=found.limit)
        async with self.sessions.begin() as session:
            if await crossed(session, found):
                event = "faces.limit_reached" if found.alarm else "faces.below_limit"
                await note(session, "retention", event, "R9.4", held=found.held, limit=found.limit)


async def _named_by_captures(session: AsyncSession, order_id: OrderId) -> set[str]:
    """After step 1: documents, and what was taken again since."""
    return set(
        await session.scalars(sa.select(CaptureRow.media_digest).where(CaptureRow.order_id == order_id))
    )


async def crossed(session: AsyncSession, found: FacesHeld) -> bool:
    """Whether the last that was recorded says otherwise."""
    events = ("faces.limit_reached", "faces.below_limit")
    last = await session.scalar(
        sa.select(E.event).where(E.chain == "retention", E.event.in_(events)).order_by(E.seq.desc()).limit(1)
    )
    return (last == events[0]) is not found.alarm
