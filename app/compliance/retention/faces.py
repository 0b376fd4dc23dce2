"""Face templates and pictures of faces: held as shortly as their purpose lasts, counted, and let go (R9.4).

forget_faces  1 what may go: templates always, pictures where no legal duty holds them
              2 the key of the templates: now no copy opens, in whatever backup
              3 the pictures
              4 the rows, and the entry in the audit trail
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
import structlog
from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from activation.adapters.sql.audit import AuditEntryRow as E
from activation.adapters.sql.audit import note
from activation.adapters.sql.store import Store
from activation.adapters.sql.tables import CaptureRow, EvidenceRow, OrderRow
from activation.evidence import CaptureKind
from activation.ids import Digest, OrderId
from activation.order import OrderState as S
from activation.order_keys import order_keys
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
#: Kinds of stored captures that show the applicant's face.
_COUNTED = ("id_front", "handheld", "courier_photo")

HELD = Gauge("kaika_faces_held", "Orders of whose applicant a face picture or template is held")
LIMIT = Gauge("kaika_faces_limit", "From so many on the holder must report to the authority")
_log = structlog.get_logger("kaika.faces")


def shows_face(kind: str) -> bool:
    """Whether objects of a kind exist for the sake of the face in them; a document's scan does not."""
    return kind not in _DOCUMENTS


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
        may = await self.work.write("forget_faces.1 what may go", lambda s: self._what(s, order_id))
        if may is None:
            return
        await self.work.ask("forget_faces.2 key", lambda: self._key(order_id))
        pictures = [Digest(each) for each in may]
        await self.work.ask("forget_faces.3 pictures", lambda: self._pictures(order_id, pictures))
        await self.work.write("forget_faces.4 rows", lambda s: self._rows(s, order_id, pictures))

    async def begin_expired(self, session: AsyncSession) -> int:
        """Enqueue for up to BATCH orders whose templates have served, or were withdrawn and held."""
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
        ids = [OrderId(each) for each in found]
        for order_id in ids:
            await self.work.enqueue(session, FORGET_FACES, order_id, f"{now:%Y%m%dT%H%M}")
        return len(ids)

    async def _what(self, session: AsyncSession, order_id: OrderId) -> list[str] | None:
        """Digests of the pictures that go with the templates. None: nothing may go."""
        order = await self.store.orders.read(session, order_id)
        if order is None or await LegalHolds().stands(session, order_id):
            return None
        template = await session.get(T, order_id)
        if template is None or template.withdrawn_at is None or order.state in PICTURES_STAY:
            return []
        return list(await known_media(session, order_id))

    async def _key(self, order_id: OrderId) -> None:
        await order_keys().destroy(face_key_id(order_id))

    async def _pictures(self, order_id: OrderId, among: Collection[Digest]) -> None:
        for digest in among:
            try:
                if shows_face((await self.vault.describe(order_id, digest)).kind):
                    await self.vault.destroy(order_id, digest)
            except EvidenceNotFound:
                continue
            except VaultFault as fault:
                raise StoreFault("the vault did not destroy a picture") from fault

    async def _rows(self, session: AsyncSession, order_id: OrderId, pictures: Sequence[Digest]) -> None:
        if await self.store.orders.read(session, order_id) is None:
            return
        await self.store.orders.lock(session, order_id)
        if pictures:
            of_faces = EvidenceRow.kind.not_in(_DOCUMENTS)
            await session.execute(sa.delete(EvidenceRow).where(EvidenceRow.order_id == order_id, of_faces))
            await session.execute(
                sa.delete(CaptureRow).where(
                    CaptureRow.order_id == order_id, CaptureRow.kind == CaptureKind.HANDHELD
                )
            )
        # Without their key the vectors are noise; the noise goes as well.
        await session.execute(
            sa.update(CaptureRow).where(CaptureRow.order_id == order_id).values(embeddings=b"")
        )
        gone = await session.execute(sa.delete(T).where(T.order_id == order_id).returning(T.withdrawn_at))
        row = gone.first()
        if row is not None:
            why = "consent withdrawn" if row.withdrawn_at else "no longer disputable"
            await note(session, order_id, "faces.destroyed", "R9.4", why, pictures=len(pictures))

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


async def crossed(session: AsyncSession, found: FacesHeld) -> bool:
    """Whether the last that was recorded says otherwise."""
    events = ("faces.limit_reached", "faces.below_limit")
    last = await session.scalar(
        sa.select(E.event).where(E.chain == "retention", E.event.in_(events)).order_by(E.seq.desc()).limit(1)
    )
    return (last == events[0]) is not found.alarm
